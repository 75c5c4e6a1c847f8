/** The way to a host: where it is, by which transport it is reached, and what of the way many hosts share. */
import type { HostName } from '../plan/names.ts'
import type { Transport } from '../transports.ts'
import type { Agents } from './agents.ts'
import { installAgent, isAgentDamaged, startAgent } from './install.ts'
import { connectLocal } from './local.ts'
import type { Shell } from './shell.ts'
import type { Address, SshAddress } from './ssh/address.ts'
import { type ConfirmHostKey, isCertified } from './ssh/host-key.ts'
import { KeyStore } from './ssh/keys.ts'
import { connectOpenssh, joinMaster } from './ssh/openssh.ts'
import { resolveHost } from './ssh/resolve.ts'
import { warmUp } from './ssh/ssh2.ts'
import { connectSsh2 } from './ssh/ssh2-shell.ts'
import { type Connection, type Env, HostError } from './transport.ts'
import { Turns } from './turns.ts'

export interface Settings {
  readonly env: Env
  readonly agents: Agents
  /** deptool.transport. */
  readonly transport: Transport
  /** Without one, a host with an unknown key is refused. */
  readonly confirmHostKey?: ConfirmHostKey | undefined
}

export interface Way {
  /** deptool-host.<host>.url; null where it is not set. */
  readonly url: string | null
  /** A new connection that shares nothing with any other, not even a ControlMaster. */
  readonly fresh?: boolean
  /** Gives up connecting. A connection that was made stays. */
  readonly signal?: AbortSignal
}

/** Rejects with HostError; nothing is left open then. The caller closes the connection. */
export type Connect = (host: HostName, way: Way) => Promise<Connection>

/** Keys are read, agents asked and questions queued once for all hosts that one connector reaches. */
export function connector(settings: Settings): Connect {
  const questions = new Turns()
  const keys = new KeyStore()
  const { agents, env, confirmHostKey } = settings
  const bySsh2: Reach = (address, { signal }) =>
    connectSsh2(address, { keys, questions, confirmHostKey, signal })
  const byOpenssh: Reach = (address, { signal }) => connectOpenssh(address, env, signal)

  const choose = CHOICES[settings.transport]({ bySsh2, byOpenssh }, env)

  return async (host, way) => {
    const resolving = resolveHost(host, way.url, env)
    // While ssh is asked for the address: most hosts will need it.
    if (settings.transport !== 'openssh' && !way.url?.startsWith('local:')) setImmediate(warmUp)
    const address: Address = await resolving
    if (address.kind === 'local') return connectLocal(address, agents, env)
    const shell = await choose(address, way)
    return {
      host,
      user: shell.user,
      agent: agents,
      startAgent: () => startAgent(shell, agents),
      installAgent: () => installAgent(shell, agents),
      isAgentDamaged: () => isAgentDamaged(shell, agents),
      close: () => shell.close(),
    }
  }
}

type Reach = (address: SshAddress, way: Way) => Promise<Shell>

interface Transports {
  readonly bySsh2: Reach
  readonly byOpenssh: Reach
}

type Choice = (ways: Transports, env: Env) => Reach

const CHOICES: { readonly [T in Transport]: Choice } = {
  openssh:
    ({ byOpenssh }, env) =>
    async (address, way) =>
      (way.fresh ? undefined : await joinMaster(address, env)) ?? byOpenssh(address, way),

  ssh2:
    ({ bySsh2 }) =>
    (address, way) => {
      const [setting] = beyondSsh2(address)
      if (setting === undefined) return bySsh2(address, way)
      const hint = 'git config deptool.transport auto'
      throw new HostError(
        address.host,
        'unsupported',
        `cannot honour '${setting}' of ~/.ssh/config by ssh2`,
        hint,
      )
    },

  auto:
    ({ bySsh2, byOpenssh }, env) =>
    async (address, way) => {
      const shell = way.fresh ? undefined : await joinMaster(address, env)
      if (shell) return shell
      if (beyondSsh2(address).length > 0) return byOpenssh(address, way)
      return bySsh2(address, way).catch(error => {
        if (!isUnsupported(error)) throw error
        return byOpenssh(address, way).catch(second => {
          throw isUnsupported(second) ? error : second
        })
      })
    },
}

function isUnsupported(error: unknown): boolean {
  return error instanceof HostError && error.kind === 'unsupported'
}

/** What this host needs and only the ssh program gives. */
function beyondSsh2(address: SshAddress): readonly string[] {
  return isCertified(address) ? [...address.opensshOnly, '@cert-authority'] : address.opensshOnly
}
