import type { Context } from '../context.ts'
import type { Config } from '../git/config.ts'
import type { HostName } from '../plan/names.ts'
import { loadAgents } from '../remote/agents.ts'
import { connector } from '../remote/connect.ts'
import type { Connect } from '../remote/connections.ts'
import type { Connection } from '../remote/transport.ts'
import { confirmHostKey } from '../terminal/host-key.ts'
import { refuseClock } from './refuse-clock.ts'

/**
 * How this command reaches hosts: by the repository's settings, with questions only where somebody can answer. Throws
 * Fatal where what they say could not be recorded.
 */
export function reach(config: Config, { env, terminal, now }: Context): Connect {
  refuseClock(now())
  const settings = { env, agents: loadAgents(), transport: config.transport }
  const silent = connector(settings)
  const asking = terminal.input
    ? connector({ ...settings, confirmHostKey: question => confirmHostKey(question, terminal) })
    : silent
  return (host: HostName, mayAsk: boolean, way = {}): Promise<Connection> =>
    (mayAsk ? asking : silent)(host, { ...way, url: config.hostUrl(host) })
}
