/**
 * Round trips that ssh2 spends and SSH does not need. Each reaches into ssh2 1.17 where it offers no way; where an
 * inside is not as expected, its shortcut is left out and ssh2 does what it always does.
 *
 * A cold connection costs 8 round trips until the first reply of a program without these, and 5 or 6 with them.
 */
import type { EventEmitter } from 'node:events'
import type { LoginKey, ParsedKey } from './keys.ts'

/** For a client that has just been told to connect. */
export function takeShortcuts(client: EventEmitter, keys: readonly LoginKey[]): void {
  const { protocol } = insidesOf(client)
  if (!protocol) return
  signAtOnce(protocol, keys)
  loginWithoutWaiting(client, protocol)
  leaveHostKeysAlone(protocol)
}

/**
 * Calls back with the channel of the next program that the client starts, as soon as the request was sent; ssh2 itself
 * hands it out one round trip later, when the host has agreed. RFC 4254, 5.2: data may follow at once. One at a time.
 */
export function onNextExec(client: object, callback: (channel: unknown) => void): void {
  const { protocol, channels } = insidesOf(client)
  const exec = protocol?.exec
  if (!protocol || !exec || !channels) return
  protocol.exec = (id, command, reply) => {
    exec.call(protocol, id, command, reply)
    protocol.exec = exec
    const channel = Object.values(channels).find(one => one.outgoing?.id === id)
    if (channel) callback(channel)
  }
}

/**
 * For a client that has just been told to connect: calls back with what the host would still take, and whether it took a
 * key. ssh2 does not tell while it has other keys.
 */
export function onRefusedKey(
  client: EventEmitter,
  callback: (methods: readonly string[], partial: boolean) => void,
): void {
  const { protocol } = insidesOf(client)
  const refused = protocol?._handlers?.['USERAUTH_FAILURE']
  if (!protocol?._handlers || !refused) return
  protocol._handlers['USERAUTH_FAILURE'] = (self, methods, partial) => {
    callback(methods as readonly string[], partial === true)
    refused(self, methods, partial)
  }
}

/** RFC 4252, 7: the question whether a key would do may be left out where signing is cheap. */
function signAtOnce(protocol: Protocol, keys: readonly LoginKey[]): void {
  const ask = protocol.authPK
  if (!ask) return
  protocol.authPK = (user, key, algorithm, sign) => {
    const login = keys.find(one => one.publicKey === key)
    if (sign || !login?.eager) return ask.call(protocol, user, key, algorithm, sign)
    const signNow: Sign = (data, use) => {
      login.sign(data, HASHES[algorithm ?? '']).then(use, () => ask.call(protocol, user, key, algorithm))
    }
    ask.call(protocol, user, key, algorithm, signNow)
  }
}

/**
 * Asking for the login service and logging in need not wait for each other. The host's list of signature algorithms,
 * which RSA keys need, comes right after the key exchange; but nothing may be sent before that is complete, and it
 * is not complete until the host's key has been verified.
 */
function loginWithoutWaiting(client: EventEmitter, protocol: Protocol): void {
  const { EXT_INFO: extensions, SERVICE_ACCEPT: accept } = protocol._handlers ?? {}
  if (!protocol._handlers || !extensions || !accept) return
  const missing = new Set(['handshake', 'extensions'])
  let begun = false
  const begin = () => {
    if (!begun) accept(protocol, 'ssh-userauth')
    begun = true
  }
  const seen = (what: string) => {
    // ssh2 asks for the service right after it has told of the handshake, and that request has to come first.
    if (missing.delete(what) && missing.size === 0) queueMicrotask(begin)
  }
  client.once('handshake', () => seen('handshake'))
  protocol._handlers['EXT_INFO'] = (...args) => {
    extensions(...args)
    seen('extensions')
  }
  protocol._handlers['SERVICE_ACCEPT'] = () => {
    if (!missing.has('handshake')) begin()
  }
}

/** ssh2 makes every host prove all of its keys, though nobody asked: an RSA signature there, a check here. */
function leaveHostKeysAlone(protocol: Protocol): void {
  const request = protocol._handlers?.['GLOBAL_REQUEST']
  if (!protocol._handlers || !request) return
  protocol._handlers['GLOBAL_REQUEST'] = (self, name, ...rest) => {
    if (name !== 'hostkeys-00@openssh.com') request(self, name, ...rest)
  }
}

/** The hash that belongs to a signature algorithm, for those where the key's type does not settle it. */
const HASHES: Readonly<Record<string, string>> = {
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
  'ssh-rsa': 'sha1',
}

interface Protocol {
  authPK?: (user: string, key: ParsedKey, algorithm: string | undefined, sign?: Sign) => void
  exec?: (id: number, command: string, reply: boolean) => void
  readonly _handlers?: Record<string, (...args: readonly unknown[]) => void>
}

type Sign = (data: Buffer, use: (signature: Buffer) => void) => void

interface Insides {
  readonly protocol: Protocol | undefined
  readonly channels: Readonly<Record<string, { readonly outgoing?: { readonly id: number } }>> | undefined
}

function insidesOf(client: object): Insides {
  const { _protocol: protocol, _chanMgr: manager } = client as {
    readonly _protocol?: Protocol
    readonly _chanMgr?: { readonly _channels?: Insides['channels'] }
  }
  return { protocol, channels: manager?._channels }
}
