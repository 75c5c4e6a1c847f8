import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { inParallel } from '../in-parallel.ts'
import type { HostName } from '../plan/names.ts'
import { type ClusterOnline, clusterOnline } from '../planning/cluster-online.ts'
import { ping as pingHost } from '../remote/ping.ts'
import { type Connection, HostError } from '../remote/transport.ts'
import { pingRecord } from '../terminal/json/hosts.ts'
import { type Pinged, pingLines } from '../terminal/text/ping.ts'

/** `git deploy ping`: whether every host can be reached, as whom, and what it says it runs. */
export async function ping(command: CommandOf<'ping'>, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const online = await clusterOnline(command, context)
  const pinged = await inParallel(online.hosts, online.parallel, host => ask(host, online, context))
  for (const one of pinged) context.emit(pingRecord(one))
  for (const line of pingLines(pinged, terminal.colors(command.color ?? online.config.color)))
    terminal.say(line)
  const failed = pinged.flatMap(one => (one.kind === 'failed' ? [one] : []))
  if (failed.length === 0) return EXIT.done
  for (const hint of new Set(failed.flatMap(({ hint }) => hint ?? []))) terminal.note(`hint: ${hint}`)
  throw new Fatal(`cannot work with ${failed.map(({ host }) => host).join(', ')}`)
}

async function ask(host: HostName, online: ClusterOnline, { ticks }: Context): Promise<Pinged> {
  let connection: Connection | undefined
  try {
    connection = await online.connect(host)
    const pong = await pingHost(connection, ticks)
    const tracked = online.tracking.get(host)?.commit ?? null
    return { kind: 'answered', host, user: connection.user, tracked, ...pong }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { kind: 'failed', host, message: error.message, hint: error.hint ?? null }
  } finally {
    connection?.close()
  }
}
