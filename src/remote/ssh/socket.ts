/** A TCP connection to a host's sshd. */
import { connect, isIP, type Socket } from 'node:net'
import type { SshAddress } from './address.ts'
import { networkError, wrongFamily } from './network-error.ts'

/** Rejects with HostError, also when `signal` gives up or it is `late`. */
export async function openSocket(
  address: SshAddress,
  signal: AbortSignal | undefined,
  late: AbortSignal,
): Promise<Socket> {
  // node:net looks at the family of names only.
  const family = isIP(address.hostname)
  if (family !== 0 && address.family !== 0 && family !== address.family) throw wrongFamily(address)
  const socket = connect({
    host: address.hostname,
    port: address.port,
    family: address.family,
    ...(address.bindAddress === undefined ? {} : { localAddress: address.bindAddress }),
    // SSH answers small packets with small packets: Nagle's algorithm adds 40 ms to each of four round trips.
    noDelay: true,
    keepAlive: true,
  })
  // Until ssh2 listens, a socket that breaks just is a destroyed one.
  socket.on('error', () => {})
  try {
    await unlessAborted(late, socket, unlessAborted(signal, socket, connected(socket)))
    return socket
  } catch (error) {
    socket.destroy()
    throw networkError(address, error)
  }
}

/** `signal` destroys the socket until the work is done; what node:net does with a signal ends with the socket only. */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  socket: Socket,
  work: Promise<T>,
): Promise<T> {
  const giveUp = () => socket.destroy(noAnswer())
  if (signal?.aborted) giveUp()
  signal?.addEventListener('abort', giveUp)
  try {
    return await work
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
}

function noAnswer(): Error {
  return Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })
}
