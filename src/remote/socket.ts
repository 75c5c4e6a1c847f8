/** A TCP connection to a host's sshd. */
import { connect, type Socket } from 'node:net'
import type { SshAddress } from './address.ts'
import { networkError } from './network-error.ts'

/** Rejects with HostError. */
export function openSocket(address: SshAddress, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address.hostname,
      port: address.port,
      family: address.family,
      ...(address.bindAddress === undefined ? {} : { localAddress: address.bindAddress }),
      ...(signal ? { signal } : {}),
      // SSH answers small packets with small packets: Nagle's algorithm adds 40 ms to each of four round trips.
      noDelay: true,
      keepAlive: true,
    })
    const fail = (error: unknown) => {
      socket.destroy()
      reject(networkError(address, error))
    }
    const late = setTimeout(
      () => fail(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
      address.connectTimeoutMs,
    )
    socket.on('error', fail)
    socket.once('close', () => clearTimeout(late))
    socket.once('connect', () => {
      clearTimeout(late)
      socket.off('error', fail)
      // Until ssh2 listens, a socket that breaks just is a destroyed one.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
