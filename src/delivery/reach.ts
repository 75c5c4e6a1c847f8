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
 * By the repository's settings; asks questions only if somebody can answer them. Throws Fatal with a clock by which
 * nothing that hosts report could be recorded.
 */
export function reach(config: Config, { env, now, random, terminal }: Context): Connect {
  refuseClock(now())
  const settings = {
    env,
    now,
    random,
    agents: loadAgents(),
    transport: config.transport,
    tellSlow: (host: HostName, seconds: number) =>
      terminal.note(`${host}: no answer from the agent for ${seconds} s, still waiting`),
  }
  const silent = connector(settings)
  const asking = terminal.input
    ? connector({ ...settings, confirmHostKey: question => confirmHostKey(question, terminal) })
    : silent
  return (host: HostName, mayAsk: boolean, options = {}): Promise<Connection> =>
    (mayAsk ? asking : silent)(host, { ...options, url: config.hostUrl(host) })
}
