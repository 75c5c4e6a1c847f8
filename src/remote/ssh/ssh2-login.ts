/** From an open socket to an ssh2 client that is logged in. */
import type { Socket } from 'node:net'
import type { Timer } from '../timer.ts'
import type { Turns } from '../turns.ts'
import type { SshAddress } from './address.ts'
import { offerFor } from './algorithms.ts'
import { type ConfirmHostKey, hostKeyAlgorithms, keysOf, verifyHostKey } from './host-key.ts'
import { type KeyStore, Locked, type LoginKey, type LoginKeys } from './keys.ts'
import { type LoginFacts, loginError } from './login-error.ts'
import type { Client, ConnectConfig, Ssh2, Ssh2Key } from './ssh2.ts'
import { onRefusedKey, takeShortcuts } from './ssh2-shortcuts.ts'

export interface LoginOptions {
  readonly keys: KeyStore
  readonly confirmHostKey: ConfirmHostKey | undefined
  /** Where confirmHostKey waits for its turn. */
  readonly questions: Turns
}

export interface LoginParts {
  readonly ssh2: Ssh2
  readonly client: Client
  readonly socket: Socket
  readonly address: SshAddress
  readonly login: LoginKeys
  /** Aborted when the host has had its time, which `timer` counts. */
  readonly late: AbortSignal
  readonly timer: Timer
}

/** Rejects with HostError, or Dropped. The caller destroys the socket then. */
export async function logIn(parts: LoginParts, options: LoginOptions): Promise<void> {
  const { client, socket, address, login, late, timer } = parts
  const facts: LoginFacts = {
    encrypted: false,
    methods: [],
    partial: false,
    hostKeyError: undefined,
    locked: [],
  }
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(loginError(error, address, login, facts))
    if (late.aborted) return fail(failure('ETIMEDOUT'))
    late.addEventListener('abort', () => fail(failure('ETIMEDOUT')), { once: true })
    client.once('ready', resolve)
    client.once('handshake', () => {
      facts.encrypted = true
    })
    client.on('error', error => {
      // After a key that could not sign, ssh2 goes on with the next one.
      if (!('level' in error && error.level === 'agent')) fail(error)
    })
    client.once('close', () => fail(failure('ECONNRESET')))
    // A host that hung up before ssh2 listened: no event will tell that again.
    if (socket.destroyed) return fail(failure('ECONNRESET'))
    client.connect(configure(parts, options, facts, timer))
    takeShortcuts(client, login.keys)
    onRefusedKey(client, (methods, partial) => {
      facts.methods = methods
      facts.partial ||= partial && !methods.includes('publickey')
    })
  })
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function configure(
  { ssh2, socket, address, login }: LoginParts,
  options: LoginOptions,
  facts: LoginFacts,
  timer: Timer,
): ConnectConfig {
  const offer = offerFor(address)
  return {
    sock: socket,
    username: address.user,
    // The timer does that.
    readyTimeout: 0,
    keepaliveInterval: address.keepaliveMs,
    keepaliveCountMax: 3,
    algorithms: {
      kex: offer.kex,
      serverHostKey: hostKeyAlgorithms(keysOf(address), offer.hostKey),
      cipher: offer.cipher,
      hmac: offer.mac,
      compress: ['none'],
    } as NonNullable<ConnectConfig['algorithms']>,
    hostVerifier: hostVerifier(address, options, facts, timer),
    authHandler: onlyMethod(address.user, keyRing(ssh2, login.keys, signer(facts, timer))),
  }
}

/**
 * Asked at the first key exchange, and again at each that the host begins later. Then the answer must not be waited for:
 * ssh2 1.17 would go on with the old keys meanwhile, and the host hang up.
 */
function hostVerifier(
  address: SshAddress,
  { confirmHostKey, questions }: LoginOptions,
  facts: LoginFacts,
  timer: Timer,
): (blob: Buffer, done: (trusted: boolean) => void) => boolean | undefined {
  let verified: Buffer | undefined
  const verify = async (blob: Buffer): Promise<boolean> => {
    try {
      await timer.pause(verifyHostKey(blob, address, confirmHostKey, questions))
      verified = blob
      return true
    } catch (error) {
      facts.hostKeyError = error
      return false
    }
  }
  return (blob, done) => {
    if (verified) return verified.equals(blob)
    // A copy: ssh2 reads the next packets into the same memory.
    verify(Buffer.from(blob)).then(done)
    return undefined
  }
}

function signer(facts: LoginFacts, timer: Timer): SignWith {
  return async (key, data, hash) => {
    try {
      return await timer.pause(key.sign(data, hash))
    } catch (error) {
      if (error instanceof Locked) facts.locked.push(error.message)
      throw error
    }
  }
}

type Agent = InstanceType<Ssh2['BaseAgent']>
type AuthHandler = Extract<ConnectConfig['authHandler'], (...args: never) => unknown>
type SignWith = (key: LoginKey, data: Buffer, hash: string | undefined) => Promise<Buffer>

/** Straight to the keys: ssh2 would begin with 'none', a round trip that every host refuses. */
function onlyMethod(username: string, agent: Agent): AuthHandler {
  let tried = false
  return (_methods, _partial, next) => {
    if (!tried) {
      tried = true
      return next({ type: 'agent', username, agent })
    }
    // What ssh2 takes for 'give up', though its types do not know it.
    next(false as never)
  }
}

/** All our keys, wherever they are, as what ssh2 calls an agent. */
function keyRing(ssh2: Ssh2, keys: readonly LoginKey[], sign: SignWith): Agent {
  class KeyRing extends ssh2.BaseAgent<Ssh2Key> {
    override getIdentities(done: (error: undefined, keys: Ssh2Key[]) => void): void {
      done(
        undefined,
        keys.map(key => key.publicKey as Ssh2Key),
      )
    }

    override sign(publicKey: Ssh2Key, data: Buffer, ...rest: readonly unknown[]): void {
      const [{ hash }, done] = rest as [{ hash?: string }, (error?: Error, signature?: Buffer) => void]
      const key = keys.find(one => one.publicKey === publicKey)!
      sign(key, data, hash).then(signature => done(undefined, signature), done)
    }
  }
  return new KeyRing()
}
