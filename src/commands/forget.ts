import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { moveRefs } from '../delivery/move-refs.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { openRepository } from '../git/git.ts'
import { readTrackingRefs } from '../git/refs.ts'
import { namedHosts } from '../planning/named-hosts.ts'

/** `git deploy forget`: this repository stops tracking hosts. The hosts themselves are not touched. */
export async function forget(command: CommandOf<'forget'>, context: Context): Promise<ExitCode> {
  const repo = await openRepository(context)
  const refs = await readTrackingRefs(repo)
  const hosts = namedHosts(command.hosts, [...refs.keys()], 'forget')
  const moves = hosts.map(host => ({ host, from: refs.get(host)!, to: null }))
  await moveRefs(repo, moves, {
    cluster: null,
    source: null,
    deployment: null,
    subject: `forget ${hosts.length > 3 ? `${hosts.length} hosts` : hosts.join(', ')}`,
    body: hosts.length > 3 ? hosts.join('\n') : '',
    message: 'forget',
  })
  for (const { host, from } of moves) {
    context.emit({ type: 'forgot', host, commit: from })
    context.terminal.out(`forgot ${host} (was ${from.slice(0, 7)})`)
  }
  return EXIT.done
}
