/**
 * The keys to log in with, in the order in which ssh tries them: those that are configured and that the agent
 * holds, the agent's others, and last the configured ones that have to be read from their files.
 */
import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { SshAddress } from './address.ts'
import { isLocked, publicPart, withoutPkcs8 } from './private-key.ts'
import { type AgentKey, listAgentKeys, signWithAgent } from './ssh-agent.ts'

/** A key as ssh2 parses it; this much of it is used. */
export interface ParsedKey {
  readonly type: string
  sign(data: Buffer, hash?: string): Buffer | Error
  isPrivateKey(): boolean
  getPublicSSH(): Buffer
}

/** ssh2's, so that this file need not load ssh2. */
export type ParseKey = (data: Buffer) => ParsedKey | readonly ParsedKey[] | Error

export interface LoginKey {
  readonly publicKey: ParsedKey
  /** How messages name it: the file, or the agent's comment. */
  readonly label: string
  /** Signing asks nobody, so a signature may be offered before the host has said that it wants this key. */
  readonly eager: boolean
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>
}

export interface LoginKeys {
  readonly keys: readonly LoginKey[]
  /** What ssh would try and we cannot: hardware keys, certificates, types that ssh2 does not know. */
  readonly unusable: readonly string[]
  /** Files that ssh would not use either, because others may read them. */
  readonly exposed: readonly string[]
}

/** Reads files and asks agents once for all hosts. */
export class KeyStore {
  private readonly files = new Map<string, FileKey | undefined>()
  private readonly agents = new Map<string, Promise<AgentKey[]>>()

  async keysFor(
    { identities, algorithms, connectTimeoutMs }: SshAddress,
    parse: ParseKey,
  ): Promise<LoginKeys> {
    const files = identities.files.map(file => this.file(file, parse)).filter(key => key !== undefined)
    const held = await this.agentKeys(identities.agent, connectTimeoutMs)
    const isHeld = (key: FileKey) => held.some(({ blob }) => key.blob && blob.equals(key.blob))
    const isConfigured = ({ blob }: AgentKey) => files.some(key => key.blob?.equals(blob))
    const ordered = [
      ...held.filter(isConfigured),
      ...held.filter(key => !identities.only && !isConfigured(key)),
    ]
    const found = [
      ...ordered.map(key => fromAgent(key, identities.agent!, ordered.length === 1, parse)),
      ...files.filter(key => !isHeld(key)).flatMap(key => fromFile(key, parse) ?? []),
    ]
    return {
      keys: found.filter(key => typeof key !== 'string').filter(mayBeUsed(algorithms.login)),
      unusable: found.filter(key => typeof key === 'string'),
      exposed: files.filter(key => key.exposed && !isHeld(key)).map(({ path }) => path),
    }
  }

  private file(path: string, parse: ParseKey): FileKey | undefined {
    if (!this.files.has(path)) this.files.set(path, readKey(path, parse))
    return this.files.get(path)
  }

  /** No agent, or one that does not answer, holds no keys: ssh goes on without it too. */
  private agentKeys(socket: string | undefined, ms: number): Promise<AgentKey[]> {
    if (socket === undefined || socket === '') return Promise.resolve([])
    const keys = this.agents.get(socket) ?? listAgentKeys(socket, ms).catch(() => [])
    this.agents.set(socket, keys)
    return keys
  }
}

function fromFile({ path, blob, key, content }: FileKey, parse: ParseKey): LoginKey | string | undefined {
  if (key?.isPrivateKey())
    return {
      publicKey: key,
      label: path,
      eager: true,
      sign: async (data, hash) => signature(key, data, hash),
    }
  // A public key in place of a private one only chooses among the agent's.
  if (content === undefined || key) return undefined
  const publicKey = blob && parseOne(parse, blob)
  if (!publicKey || !isLocked(content)) return path
  const sign = () => Promise.reject(new Locked(path))
  return { publicKey, label: path, eager: false, sign }
}

/** By the algorithms that the user's configuration allows. */
function mayBeUsed(allowed: readonly string[] | undefined): (key: LoginKey) => boolean {
  return ({ publicKey: { type } }) =>
    !allowed || (type === 'ssh-rsa' ? RSA : [type]).some(algorithm => allowed.includes(algorithm))
}

const RSA = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']

/** A key that the host would accept, if only we could use it: an agent may hold it, and nobody is asked here. */
export class Locked extends Error {
  constructor(path: string) {
    super(`'${path}' is protected by a passphrase`)
  }
}

interface FileKey {
  readonly path: string
  /** The public key, where it can be known. */
  readonly blob: Buffer | undefined
  /** The key itself, unless it is locked or nothing that ssh2 understands. */
  readonly key: ParsedKey | undefined
  readonly content: Buffer | undefined
  /** A private key that others may read, of which only the public half counts. */
  readonly exposed: boolean
}

function readKey(path: string, parse: ParseKey): FileKey | undefined {
  const content = read(path)
  const beside = read(`${path}.pub`)
  if (!content && !beside) return undefined
  const key = content && parseOne(parse, withoutPkcs8(content))
  const blob = key?.getPublicSSH() ?? (beside && blobOf(beside)) ?? (content && publicPart(content))
  const exposed = content !== undefined && (!key || key.isPrivateKey()) && isExposed(path)
  return exposed
    ? { path, blob, key: undefined, content: undefined, exposed }
    : { path, blob, key, content, exposed }
}

/** By ssh's own rule, which is for files that belong to us. */
function isExposed(path: string): boolean {
  const { uid, mode } = statSync(path)
  return uid === userInfo().uid && (mode & 0o077) !== 0
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    // Most of the files that ssh looks for by default do not exist.
    return undefined
  }
}

/** Of a .pub file: `<type> <base64> <comment>`. */
function blobOf(text: Buffer): Buffer | undefined {
  const [, base64] = /^\S+ ([A-Za-z0-9+/=]+)/.exec(text.toString('latin1')) ?? []
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64')
}

function parseOne(parse: ParseKey, data: Buffer): ParsedKey | undefined {
  const parsed = parse(data)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  return key instanceof Error ? undefined : (key as ParsedKey)
}

function fromAgent(key: AgentKey, socket: string, alone: boolean, parse: ParseKey): LoginKey | string {
  const publicKey = parseOne(parse, key.blob)
  if (!publicKey) return `${key.comment} (ssh-agent)`
  return {
    publicKey,
    label: `${key.comment} (ssh-agent)`,
    // With several keys, a signature for each would be as many confirmations (ssh-add -c) or touches.
    eager: alone,
    sign: (data, hash) => signWithAgent(socket, key.blob, data, hash),
  }
}

function signature(key: ParsedKey, data: Buffer, hash: string | undefined): Buffer {
  const result = key.sign(data, hash)
  if (result instanceof Error) throw result
  return result
}
