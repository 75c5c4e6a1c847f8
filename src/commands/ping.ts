import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { reach } from '../delivery/reach.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { inParallel } from '../in-parallel.ts'
import type { HostName } from '../plan/names.ts'
import { type KnownCluster, readClusterHosts } from '../planning/cluster-hosts.ts'
import type { Connect } from '../remote/connections.ts'
import { ping as pingHost } from '../remote/ping.ts'
import { type Connection, HostError } from '../remote/transport.ts'
import { pingRecord } from '../terminal/json/hosts.ts'
import { clockNotes } from '../terminal/text/clock.ts'
import { type Pinged, pingLines } from '../terminal/text/ping.ts'

/** `git deploy ping`: whether every host can be reached, as whom, and what it says it runs. */
export async function ping(command: CommandOf<'ping'>, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const cluster = await readClusterHosts(command, context)
  const connect = reach(cluster.config, context)
  const pinged = await inParallel(cluster.hosts, cluster.config.jobs, host =>
    ask(host, cluster, connect, context),
  )
  for (const one of pinged) context.emit(pingRecord(one))
  const colors = terminal.colors(command.color ?? cluster.config.color)
  for (const line of pingLines(pinged, colors)) terminal.say(line)
  const answered = pinged.flatMap(one => (one.kind === 'answered' ? [one] : []))
  for (const note of clockNotes(new Map(answered.map(one => [one.host, one.aheadMs])))) terminal.note(note)
  const failed = pinged.flatMap(one => (one.kind === 'failed' ? [one] : []))
  if (failed.length === 0) return EXIT.done
  for (const hint of new Set(failed.flatMap(({ hint }) => hint ?? []))) terminal.note(`hint: ${hint}`)
  throw new Fatal(`cannot ping ${failed.map(({ host }) => host).join(', ')}`)
}

async function ask(
  host: HostName,
  { tracking }: KnownCluster<HostName>,
  connect: Connect,
  { ticks }: Context,
): Promise<Pinged> {
  let connection: Connection | undefined
  try {
    connection = await connect(host, true)
    const pong = await pingHost(connection, ticks)
    const tracked = tracking.get(host)?.commit ?? null
    return { kind: 'answered', host, user: connection.user, tracked, ...pong }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { kind: 'failed', host, message: error.message, hint: error.hint ?? null }
  } finally {
    connection?.close()
  }
}
