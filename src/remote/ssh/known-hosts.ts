/** known_hosts files, sshd(8): which keys are known for a name, and adding one. */
import { createHmac, randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { keyType } from './wire.ts'

export interface KnownKey {
  readonly marker: 'none' | 'revoked' | 'cert-authority'
  readonly type: string
  /** As on the wire. */
  readonly blob: Buffer
  readonly file: string
  readonly line: number
}

/** The keys in these files for a name. Files that are not there hold none. */
export function knownKeys(name: string, files: readonly string[]): KnownKey[] {
  return files.flatMap(file => keysIn(name, file))
}

/** Adds a key at the end, making the file where there is none. Throws what node:fs throws. */
export function addKnownKey(
  file: string,
  name: string,
  blob: Buffer,
  options: { readonly hash: boolean },
): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const newline = /[^\n]$/.test(textOf(file)) ? '\n' : ''
  const shown = options.hash ? hashed(name, randomBytes(20)) : name
  appendFileSync(file, `${newline}${shown} ${keyType(blob)} ${blob.toString('base64')}\n`, { mode: 0o600 })
}

/** Answers by question and state of the file: a hashed file costs a digest per line, and each host asks four times. */
const answers = new Map<string, readonly KnownKey[]>()

function keysIn(name: string, file: string): readonly KnownKey[] {
  const question = [name, stateOf(file), file].join(' ')
  const known = answers.get(question) ?? scan(name, file)
  answers.set(question, known)
  return known
}

function stateOf(file: string): string {
  try {
    const { mtimeMs, size } = statSync(file)
    return `${mtimeMs}/${size}`
  } catch {
    // As in textOf: what cannot be read is as good as empty.
    return ''
  }
}

function scan(name: string, file: string): KnownKey[] {
  return textOf(file)
    .split('\n')
    .flatMap((text, index) => entryFor(name, text, file, index + 1) ?? [])
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // As ssh does: what cannot be read knows no keys, and then the host's key is unknown, which is safe.
    return ''
  }
}

function entryFor(name: string, text: string, file: string, line: number): KnownKey | undefined {
  const [, mark, patterns, type, key] = ENTRY.exec(text) ?? []
  if (patterns === undefined || type === undefined || key === undefined) return undefined
  if (!matches(patterns, name)) return undefined
  const marker = mark === '@revoked' ? 'revoked' : mark === '@cert-authority' ? 'cert-authority' : 'none'
  return { marker, type, blob: Buffer.from(key, 'base64'), file, line }
}

const ENTRY = /^\s*(?:(@revoked|@cert-authority)\s+)?([^#@\s]\S*)\s+([a-z][\w@.-]*)\s+([A-Za-z0-9+/=]+)/

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith('|1|')) {
    const salt = patterns.split('|')[2] ?? ''
    return patterns === hashed(name, Buffer.from(salt, 'base64'))
  }
  const list = patterns.toLowerCase().split(',')
  const some = (candidates: readonly string[]) => candidates.some(pattern => wildcard(pattern).test(name))
  return some(list) && !some(list.filter(pattern => pattern.startsWith('!')).map(pattern => pattern.slice(1)))
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.')
  return new RegExp(`^${source}$`)
}

function hashed(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}
