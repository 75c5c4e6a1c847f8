/** A shell on a host by ssh2, in this process. */
import type { Socket } from 'node:net'
import type { HostName } from '../../plan/names.ts'
import type { Random } from '../../random.ts'
import { printable } from '../clean.ts'
import type { Shell } from '../shell.ts'
import { STDERR_LIMIT, Tail } from '../tail.ts'
import { Timer } from '../timer.ts'
import { type Channel, type Exit, HostError } from '../transport.ts'
import { Turns } from '../turns.ts'
import { writeTo } from '../write.ts'
import type { SshAddress } from './address.ts'
import type { ParseKey } from './keys.ts'
import { why } from './network-error.ts'
import { withRetries } from './retry.ts'
import { openSocket, unlessAborted } from './socket.ts'
import { type Client, type ClientChannel, loadSsh2 } from './ssh2.ts'
import { type LoginOptions, type LoginParts, logIn } from './ssh2-login.ts'
import { onNextExec } from './ssh2-shortcuts.ts'

interface Ssh2Options extends LoginOptions {
  readonly random: Random
  readonly signal: AbortSignal | undefined
}

/** Logs in. Rejects with HostError: 'unsupported' where the ssh program may succeed. */
export function connectSsh2(address: SshAddress, options: Ssh2Options): Promise<Shell> {
  return withRetries(() => attempt(address, options), options.random, options.signal)
}

async function attempt(address: SshAddress, options: Ssh2Options): Promise<Shell> {
  // One for connecting and logging in together, as ssh counts.
  const late = new AbortController()
  const timer = new Timer(address.connectTimeoutMs, () => late.abort())
  try {
    const socket = await openSocket(address, options.signal, late.signal)
    return await enter(socket, { address, late: late.signal, timer }, options)
  } finally {
    timer.stop()
  }
}

async function enter(
  socket: Socket,
  { address, late, timer }: Pick<LoginParts, 'address' | 'late' | 'timer'>,
  options: Ssh2Options,
): Promise<Shell> {
  try {
    const ssh2 = await loadSsh2()
    const client = new ssh2.Client()
    const work = async () => {
      // An ssh-agent has a deadline of its own.
      const login = await timer.pause(options.keys.keysFor(address, ssh2.utils.parseKey as ParseKey))
      await logIn({ ssh2, client, socket, address, login, late, timer }, options)
    }
    await unlessAborted(options.signal, socket, work())
    return shellOf(client, socket, address)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function shellOf(client: Client, socket: Socket, { host, user }: SshAddress): Shell {
  const life: Life = { end: 'the host closed the connection' }
  client.on('error', error => {
    life.end = why(error)
  })
  const turns = new Turns()
  return {
    host,
    user,
    run: command => turns.take(() => run(client, command, host, life)),
    close: () => {
      client.end()
      // The farewell is on its way; nobody waits for the answer.
      socket.unref()
    },
  }
}

/** Why the connection ended, once it has. */
interface Life {
  end: string
}

function run(client: Client, command: string, host: HostName, life: Life): Promise<Channel> {
  return new Promise((resolve, reject) => {
    let started: ClientChannel | undefined
    const start = (channel: ClientChannel) => {
      if (!started) resolve(channelOf(channel, life))
      started = channel
    }
    const refuse = (error: Error) => {
      life.end = `the host refuses to run programs (${printable(error.message)})`
      if (started) started.close()
      else reject(new HostError(host, 'lost', `cannot start the agent: ${life.end}`, undefined, error))
    }
    try {
      onNextExec(client, channel => start(channel as ClientChannel))
      client.exec(command, (error, channel) => (error ? refuse(error) : start(channel)))
    } catch (error) {
      // ssh2 throws where the connection is already gone.
      reject(new HostError(host, 'lost', `lost the connection: ${life.end}`, undefined, error))
    }
  })
}

function channelOf(channel: ClientChannel, life: Life): Channel {
  const stderr = new Tail(STDERR_LIMIT)
  channel.stderr.setEncoding('utf8').on('data', (chunk: string) => stderr.push(chunk))
  return {
    write: bytes => writeTo(channel, bytes),
    end: () => channel.end(),
    stdout: channel.iterator({ destroyOnReturn: false }),
    stderr: () => stderr.toString(),
    exit: exitOf(channel, life),
  }
}

function exitOf(channel: ClientChannel, life: Life): Promise<Exit> {
  return new Promise(resolve => {
    let exit: Exit | undefined
    channel.once('exit', (code: number | null, signal?: string) => {
      exit = code === null ? { kind: 'signalled', signal: signal ?? 'unknown' } : { kind: 'exited', code }
    })
    channel.once('close', () => resolve(exit ?? { kind: 'lost', why: life.end }))
  })
}
