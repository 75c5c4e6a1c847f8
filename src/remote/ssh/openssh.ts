/** A shell on a host by the ssh program: slower than ssh2, and able to do whatever the user's configuration says. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../random.ts'
import { childChannel } from '../child-channel.ts'
import type { Shell } from '../shell.ts'
import { type Env, HostError } from '../transport.ts'
import type { SshAddress } from './address.ts'
import { opensshError } from './openssh-error.ts'
import { withRetries } from './retry.ts'

interface OpensshOptions {
  readonly env: Env
  readonly random: Random
  readonly signal: AbortSignal | undefined
}

/** Logs in, and keeps the connection for every program that is run. Rejects with HostError. */
export async function connectOpenssh(
  address: SshAddress,
  { env, random, signal }: OpensshOptions,
): Promise<Shell> {
  // Kept short: a socket's path must not be longer than 107 bytes, and ssh adds 17 to it for a moment.
  const directory = await mkdtemp(join(tmpdir(), 'git-deploy-'))
  const socket = join(directory, 's')
  try {
    await withRetries(() => startMaster(address, socket, env, signal), random)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
  const end = () => {
    const done = () => rm(directory, { recursive: true, force: true }).catch(() => {})
    execFile('ssh', [...BASE, '-S', socket, '-O', 'exit', ...goal(address)], { env }, done)
  }
  return shellOver(address, socket, env, end)
}

/** A shell over the ControlMaster that the user has running; undefined where none answers. */
export async function joinMaster(address: SshAddress, env: Env): Promise<Shell | undefined> {
  const { controlPath } = address
  if (controlPath === undefined || !isSocket(controlPath)) return undefined
  const alive = await ssh(['-S', controlPath, '-O', 'check', ...goal(address)], env)
  return alive.code === 0 ? shellOver(address, controlPath, env, () => {}) : undefined
}

const BASE = [
  // Nobody answers a question here: one terminal cannot serve many hosts.
  ...['-o', 'BatchMode=yes'],
  ...['-o', 'ClearAllForwardings=yes'],
  ...['-o', 'ForwardAgent=no'],
  ...['-o', 'ForwardX11=no'],
  ...['-o', 'PermitLocalCommand=no'],
  ...['-o', 'RemoteCommand=none'],
]

function goal({ args, target }: SshAddress): string[] {
  return [...args, '--', target]
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false
}

/**
 * Resolves once ssh has logged in and gone to the background (-f). Should we die, it ends by itself: ten minutes
 * after the last program, which is also how long an operator may look at a plan.
 */
async function startMaster(
  address: SshAddress,
  socket: string,
  env: Env,
  signal: AbortSignal | undefined,
): Promise<void> {
  const seconds = Math.ceil(address.connectTimeoutMs / 1000)
  const alive = Math.ceil(address.keepaliveMs / 1000)
  const options = [
    ...['-o', 'ControlMaster=yes', '-o', 'ControlPersist=600'],
    ...['-o', `ConnectTimeout=${seconds}`, '-o', `ServerAliveInterval=${alive}`],
  ]
  const result = await ssh(['-fNT', '-S', socket, ...options, ...goal(address)], env, signal)
  if (result.code !== 0) throw opensshError(address, result.stderr)
}

interface Ended {
  readonly code: number | null
  readonly stderr: string
}

/** By 'exit', since what went to the background keeps stderr open. */
function ssh(args: readonly string[], env: Env, signal?: AbortSignal): Promise<Ended> {
  return new Promise(resolve => {
    const stdio: ['ignore', 'ignore', 'pipe'] = ['ignore', 'ignore', 'pipe']
    const child = spawn('ssh', [...BASE, ...args], {
      env: english(env),
      stdio,
      ...(signal ? { signal } : {}),
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr = (stderr + chunk).slice(-16 * 1024)
    })
    const end = (code: number | null) =>
      setImmediate(() => {
        child.stderr.destroy()
        resolve({ code, stderr })
      })
    child.once('exit', end)
    child.once('error', error => {
      stderr ||= error.message
      end(null)
    })
  })
}

/** So that what ssh says about errors can be recognised. */
function english(env: Env): Env {
  return { ...env, LC_ALL: 'C' }
}

function shellOver(address: SshAddress, socket: string, env: Env, end: () => void): Shell {
  const { host, user } = address
  const children: ChildProcessWithoutNullStreams[] = []
  return {
    host,
    user,
    run: async command => {
      if (!isSocket(socket)) throw new HostError(host, 'lost', 'lost the connection: ssh has exited')
      const args = [...BASE, '-T', '-S', socket, '-o', 'ControlMaster=no', ...goal(address), command]
      // In a session of its own: Ctrl-C is for us, and we then ask the agent to undo.
      const child = spawn('ssh', args, { env: english(env), stdio: 'pipe', detached: true })
      children.push(child)
      return childChannel(child, CONNECTION_FAILED)
    },
    close: () => {
      for (const child of children) child.kill()
      end()
    },
  }
}

/** ssh(1), EXIT STATUS: 255 if an error occurred. */
const CONNECTION_FAILED = 255
