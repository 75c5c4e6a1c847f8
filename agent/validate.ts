/** The apps' own tests of a new version, run in its directory. */
import type { Oid } from '../src/plan/names.ts'
import type { Step, StepOf } from '../src/plan/steps.ts'
import type { Obstacle } from '../src/protocol/messages.ts'
import { type Machine, type Ran, SystemFailure } from './host/machine.ts'
import { versionPath } from './host/paths.ts'

const TIMEOUT_MS = 60_000
/** What is reported of a command's output: the end, which usually has the reason. */
const LINES = 12
const COLUMNS = 300

/** A local host directory runs no programs. */
export function validate(machine: Machine, steps: readonly Step[], commit: Oid): Obstacle[] {
  if (machine.root !== '') return []
  return steps
    .filter((step): step is StepOf<'validate'> => step.kind === 'validate')
    .flatMap(step => runCommand(machine, step, commit))
}

function runCommand(machine: Machine, { app, argv }: StepOf<'validate'>, commit: Oid): Obstacle[] {
  const what = `'${app}' is not valid: '${argv.join(' ')}'`
  try {
    const ran = machine.run(argv, {
      cwd: versionPath(app, commit),
      timeoutMs: TIMEOUT_MS,
      interrupted: () => machine.terminated(),
    })
    if (ran.code === 0) return []
    return [{ what: [`${what} ${howItEnded(ran)}`, ...lastLines(ran)].join('\n'), hint: null }]
  } catch (error) {
    if (!(error instanceof SystemFailure)) throw error
    if (error.code === 'EACCES')
      return [
        { what: `${what} cannot be executed`, hint: 'make it executable in the config tree (chmod +x)' },
      ]
    const how = error.code === 'ENOENT' ? 'was not found on the host' : `cannot be started (${error.code})`
    return [{ what: `${what} ${how}`, hint: null }]
  }
}

function howItEnded({ code }: Ran): string {
  return code === null ? `was killed, or took longer than ${TIMEOUT_MS / 1000} s` : `exited with ${code}`
}

function lastLines({ stdout, stderr }: Ran): string[] {
  return `${stdout}\n${stderr}`
    .split('\n')
    .filter(line => line.trim() !== '')
    .slice(-LINES)
    .map(line => line.slice(0, COLUMNS))
}
