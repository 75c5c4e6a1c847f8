import type { Operator } from '../support/operator.ts'
import { run } from './run.ts'
import { HOSTS } from './service.ts'

/** The floor: what somebody writes who has only ssh. `stdin` is a command whose output every host gets. */
export function shellLoop(operator: Operator, stdin: string, command: string): Promise<string> {
  const script = `set -e
for host in ${HOSTS.join(' ')}; do
  ${stdin} | ssh $host ${quote(command)} &
  jobs="$jobs $!"
done
for job in $jobs; do wait $job; done`
  return run(operator, ['sh', '-c', script])
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
