/** A shell on a host by the ssh program: slower than ssh2, and able to do whatever the user's configuration says. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../random.ts'
import { childChannel } from '../child-channel.ts'
import type { Shell } from '../shell.ts'
import { type Env, HostError } from '../transport.ts'
import type { SshAddress } from './address.ts'
import { Silent } from './no-answer.ts'
import { opensshError } from './openssh-error.ts'
import { withRetries } from './retry.ts'
import { listAgentKeys } from './ssh-agent.ts'

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
    const agent = (await isAgentSilent(address, signal)) ? ['-o', 'IdentityAgent=none'] : []
    await withRetries(() => startMaster(address, socket, { agent, env, signal }), random, signal)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
  const end = () => {
    const done = () => rm(directory, { recursive: true, force: true }).catch(() => {})
    execFile('ssh', muxed(address, socket, ['-O', 'exit']), { env, ...DEADLINE }, done)
  }
  return shellOver(address, socket, env, end)
}

/** A master that hangs keeps nobody: it ends by itself, as the comment at startMaster says. */
const DEADLINE = { timeout: 5000, killSignal: 'SIGKILL' } as const

/** ssh would wait for such an agent for ever. */
async function isAgentSilent(
  { identities, connectTimeoutMs }: SshAddress,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (identities.agent === undefined || identities.agent === '' || signal?.aborted) return false
  // Asking an agent does not keep the program alive.
  const alive = setInterval(() => {}, connectTimeoutMs)
  const leave = () => clearInterval(alive)
  signal?.addEventListener('abort', leave)
  try {
    await listAgentKeys(identities.agent, connectTimeoutMs)
    return false
  } catch (error) {
    return error instanceof Silent
  } finally {
    leave()
    signal?.removeEventListener('abort', leave)
  }
}

/** A shell over a connection that was there before. */
export interface JoinedShell extends Shell {
  /** Whether the host still answers by it. */
  isAlive(): Promise<boolean>
}

/** A shell over the ControlMaster that the user has running; undefined where none answers. */
export async function joinMaster(
  address: SshAddress,
  { env, signal }: Pick<OpensshOptions, 'env' | 'signal'>,
): Promise<JoinedShell | undefined> {
  const { controlPath, connectTimeoutMs } = address
  if (controlPath === undefined || !isSocket(controlPath)) return undefined
  const options = { env, signal, ms: connectTimeoutMs }
  const answers = async (...question: string[]) =>
    isSocket(controlPath) && (await ssh(muxed(address, controlPath, question), options)).code === 0
  if (!(await answers('-O', 'check'))) return undefined
  // A master does not know that its connection is dead, so the host has to answer. sshd may refuse another session.
  const isAlive = async () => {
    const { code, stderr } = await ssh([...muxed(address, controlPath, ['-T']), 'true'], options)
    return code !== null && !(code === CONNECTION_FAILED && !/session request failed|refused/i.test(stderr))
  }
  return { ...shellOver(address, controlPath, env, () => {}, isAlive), isAlive }
}

/** The arguments for a question to the master. With the user's `ControlMaster yes`, ssh would become one instead. */
function muxed(address: SshAddress, socket: string, question: readonly string[]): string[] {
  return ['-S', socket, '-o', 'ControlMaster=no', ...address.forPeople, ...question, ...goal(address)]
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
  { agent, env, signal }: Pick<OpensshOptions, 'env' | 'signal'> & { readonly agent: readonly string[] },
): Promise<void> {
  const seconds = Math.ceil(address.connectTimeoutMs / 1000)
  const alive = Math.ceil(address.keepaliveMs / 1000)
  const options = [
    // What went wrong is told at this level, whatever the user wants to read.
    ...['-o', 'LogLevel=INFO'],
    ...agent,
    ...['-o', `ConnectTimeout=${seconds}`, '-o', `ServerAliveInterval=${alive}`],
  ]
  const persist = ['-o', 'ControlMaster=yes', '-o', 'ControlPersist=600']
  const result = await ssh(['-fNT', '-S', socket, ...persist, ...options, ...goal(address)], { env, signal })
  if (result.code === 0) return
  const { stderr } = isProxied(address)
    ? await ssh([...muxed(address, 'none', ['-T', ...options]), 'true'], { env, signal })
    : result
  throw opensshError(address, stderr || result.stderr)
}

/** With ControlPersist, ssh drops what the program on the way to the host says: then it has to be asked again. */
function isProxied({ opensshOnly }: SshAddress): boolean {
  return opensshOnly.some(key => key.startsWith('proxy'))
}

interface Ended {
  /** Null where it did not end by itself. */
  readonly code: number | null
  readonly stderr: string
}

/** By 'exit', since what went to the background keeps stderr open. Of one that failed, all words are waited for. */
function ssh(
  args: readonly string[],
  { env, signal, ms }: Pick<OpensshOptions, 'env' | 'signal'> & { readonly ms?: number },
): Promise<Ended> {
  return new Promise(resolve => {
    const stdio: ['ignore', 'ignore', 'pipe'] = ['ignore', 'ignore', 'pipe']
    const child = spawn('ssh', [...BASE, ...args], {
      env: english(env),
      stdio,
      // Without a terminal: BatchMode does not reach the ssh of a jump host, and nobody would see what that one asks.
      detached: true,
      ...(signal ? { signal } : {}),
      ...(ms === undefined ? {} : { timeout: ms, killSignal: 'SIGKILL' as const }),
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr = (stderr + chunk).slice(-16 * 1024)
    })
    const end = (code: number | null) => {
      child.stderr.destroy()
      resolve({ code, stderr })
    }
    child.once('exit', code => {
      if (code === 0) return end(code)
      // A proxy's program may keep stderr open, too.
      const late = setTimeout(end, LAST_WORDS_MS, code)
      child.once('close', () => {
        clearTimeout(late)
        end(code)
      })
    })
    child.once('error', error => {
      stderr ||= error.message
      end(null)
    })
  })
}

const LAST_WORDS_MS = 500

/** So that what ssh says about errors can be recognised. */
function english(env: Env): Env {
  return { ...env, LC_ALL: 'C' }
}

/** `isAlive` is asked where nothing is heard of a program for a while; without it, ssh itself notices. */
function shellOver(
  address: SshAddress,
  socket: string,
  env: Env,
  end: () => void,
  isAlive?: () => Promise<boolean>,
): Shell {
  const { host, user } = address
  let closed = false
  const children: ChildProcessWithoutNullStreams[] = []
  return {
    host,
    user,
    run: async command => {
      if (closed || !isSocket(socket))
        throw new HostError(host, 'lost', 'lost the connection: ssh has exited')
      const args = [...BASE, ...muxed(address, socket, ['-T']), command]
      // In a session of its own: Ctrl-C is for us, and we then ask the agent to undo.
      const child = spawn('ssh', args, { env: english(env), stdio: 'pipe', detached: true })
      children.push(child)
      const lost = isAlive && untilHeard(child, address.connectTimeoutMs, isAlive)
      return childChannel(child, { lostCode: CONNECTION_FAILED, ...(lost ? { lost } : {}) })
    },
    close: () => {
      closed = true
      for (const child of children) leave(child)
      end()
    },
  }
}

/** Should a master hold the ends of its pipes, and its host be gone, they keep nobody waiting. */
function leave(child: ChildProcessWithoutNullStreams): void {
  child.kill()
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket).unref()
}

/** Ends the program where the host no longer answers before a word of it was heard; says why, once it has. */
function untilHeard(
  child: ChildProcessWithoutNullStreams,
  ms: number,
  isAlive: () => Promise<boolean>,
): () => string | undefined {
  let lost: string | undefined
  const check = async () => {
    if ((child.stdout as Socket).bytesRead > 0) return
    if (await isAlive()) return again()
    lost = 'the host does not answer over the ControlMaster'
    child.kill('SIGKILL')
    // A master holds the ends that ssh has handed to it.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  }
  const again = () => {
    if (child.exitCode === null && child.signalCode === null) timer = setTimeout(check, ms)
  }
  let timer = setTimeout(check, ms)
  child.once('exit', () => clearTimeout(timer))
  return () => lost
}

/** ssh(1), EXIT STATUS: 255 if an error occurred. */
const CONNECTION_FAILED = 255
