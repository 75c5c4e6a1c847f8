/** Reaching a host: where it is, by which transport, and what many hosts share on the way. */
import type { HostName } from '../plan/names.ts'
import type { Random } from '../random.ts'
import type { Transport } from '../transports.ts'
import type { Agents } from './agents.ts'
import { installAgent, isAgentDamaged, startAgent } from './install.ts'
import { connectLocal } from './local.ts'
import type { Shell } from './shell.ts'
import type { Address, SshAddress } from './ssh/address.ts'
import { type ConfirmHostKey, isCertified } from './ssh/host-key.ts'
import { KeyStore } from './ssh/keys.ts'
import { connectOpenssh, type JoinedShell, joinMaster } from './ssh/openssh.ts'
import { resolveHost } from './ssh/resolve.ts'
import { warmUp } from './ssh/ssh2.ts'
import { connectSsh2 } from './ssh/ssh2-shell.ts'
import { type Connection, type Env, HostError } from './transport.ts'
import { Turns } from './turns.ts'

export interface Settings {
  readonly env: Env
  readonly now: () => Date
  readonly random: Random
  readonly agents: Agents
  /** deptool.transport. */
  readonly transport: Transport
  /** Without one, a host with an unknown key is refused. */
  readonly confirmHostKey?: ConfirmHostKey | undefined
  /** An agent that has not greeted for so many seconds is still waited for. */
  readonly tellSlow?: (host: HostName, seconds: number) => void
}

export interface ConnectOptions {
  /** deptool-host.<host>.url; null where it is not set. */
  readonly url: string | null
  /** A new connection that shares nothing with any other, not even a ControlMaster. */
  readonly fresh?: boolean
  /** Gives up connecting. A connection that was made stays. */
  readonly signal?: AbortSignal
}

/** Rejects with HostError; nothing is left open then. The caller closes the connection. */
type Connect = (host: HostName, options: ConnectOptions) => Promise<Connection>

/** Keys are read, agents asked and questions queued once for all hosts that one connector reaches. */
export function connector(settings: Settings): Connect {
  const questions = new Turns()
  const keys = new KeyStore()
  const { agents, env, now, random, confirmHostKey } = settings
  const bySsh2: Reach = (address, { signal }) =>
    connectSsh2(address, { keys, questions, confirmHostKey, random, signal })
  const byOpenssh: Reach = (address, { signal }) => connectOpenssh(address, { env, random, signal })

  const choose = CHOICES[settings.transport]({ bySsh2, byOpenssh }, env)

  return async (host, options) => {
    const resolving = resolveHost(host, options.url, env)
    // While ssh is asked for the address: most hosts will need it.
    if (settings.transport !== 'openssh' && !options.url?.startsWith('local:')) setImmediate(warmUp)
    const address: Address = await resolving
    const tellSlow = (seconds: number) => settings.tellSlow?.(host, seconds)
    if (address.kind === 'local') return { ...connectLocal(address, agents, env), now, tellSlow }
    let shell: Shell | JoinedShell = await choose(address, options)
    const renew = async () => {
      if (!('isAlive' in shell) || (await shell.isAlive())) return false
      shell.close()
      shell = await choose(address, { ...options, fresh: true })
      return true
    }
    return {
      host,
      user: shell.user,
      agent: agents,
      startAgent: () => startAgent(shell, agents),
      installAgent: () => installAgent(shell, agents),
      isAgentDamaged: () => isAgentDamaged(shell, agents),
      now,
      tellSlow,
      renew,
      close: () => shell.close(),
    }
  }
}

type Reach = (address: SshAddress, options: ConnectOptions) => Promise<Shell>

interface Transports {
  readonly bySsh2: Reach
  readonly byOpenssh: Reach
}

type Choice = (ways: Transports, env: Env) => Reach

const CHOICES: { readonly [T in Transport]: Choice } = {
  openssh:
    ({ byOpenssh }, env) =>
    async (address, options) =>
      (await join(address, env, options)) ?? byOpenssh(address, options),

  ssh2:
    ({ bySsh2 }) =>
    (address, options) => {
      const [setting] = beyondSsh2(address)
      if (setting === undefined) return bySsh2(address, options)
      const hint = "run 'git config deptool.transport auto' to let ssh connect to this host"
      throw new HostError(
        address.host,
        'unsupported',
        `cannot honour the SSH setting '${setting}': ssh2 does not support it`,
        hint,
      )
    },

  auto:
    ({ bySsh2, byOpenssh }, env) =>
    async (address, options) => {
      const shell = await join(address, env, options)
      if (shell) return shell
      if (beyondSsh2(address).length > 0) return byOpenssh(address, options)
      return bySsh2(address, options).catch(error => {
        if (!isUnsupported(error)) throw error
        return byOpenssh(address, options).catch(second => {
          throw isUnsupported(second) ? error : second
        })
      })
    },
}

async function join(
  address: SshAddress,
  env: Env,
  { fresh, signal }: ConnectOptions,
): Promise<JoinedShell | undefined> {
  return fresh ? undefined : joinMaster(address, { env, signal })
}

function isUnsupported(error: unknown): boolean {
  return error instanceof HostError && error.kind === 'unsupported'
}

/** What this host needs and only the ssh program gives. */
function beyondSsh2(address: SshAddress): readonly string[] {
  return isCertified(address) ? [...address.opensshOnly, '@cert-authority'] : address.opensshOnly
}
