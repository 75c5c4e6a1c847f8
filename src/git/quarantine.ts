/**
 * Objects that come from a host: kept apart until all that its history needs is there and is well-formed, as git does
 * with what is pushed to it (git-receive-pack(1), quarantine environment).
 */
import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { inflateSync } from 'node:zlib'
import { Fatal } from '../errors.ts'
import { type Oid, oid as oidOf } from '../plan/names.ts'
import { parseTree } from '../plan/tree.ts'
import type { ObjectChunk } from '../protocol/messages.ts'
import { GitError, git, type Repository } from './git.ts'
import type { HostHistory } from './host-history.ts'
import { MAX_CONTENT } from './layout.ts'
import { makeTemporary } from './temporary.ts'

/** What a host sent is not what it should be. The message says so without the host's name. */
export class BadHistory extends Fatal {}

/** The longest object that is taken from a host, in bytes, compressed or not: more than compressing may add. */
const MAX_OBJECT = MAX_CONTENT + 1024 * 1024

/** With fewer objects than this, loose ones are written: transfer.unpackLimit of git-config(1). */
const UNPACK_LIMIT = 100

export class Quarantine {
  readonly #repo: Repository
  readonly #objects: string
  /** What has arrived whole, with the objects that each names. */
  readonly #arrived = new Map<Oid, readonly Oid[]>()
  #name: Oid | undefined
  #pieces: Uint8Array[] = []
  #size = 0

  private constructor(repo: Repository, objects: string) {
    this.#repo = repo
    this.#objects = objects
  }

  /** The caller discards it. */
  static open(repo: Repository): Quarantine {
    return new Quarantine(repo, makeTemporary(repo.commonDir, 'incoming-', repo.now()))
  }

  /** Takes pieces of loose objects in their order. Rejects with BadHistory where an object is not what its name says. */
  async receive(chunks: readonly ObjectChunk[]): Promise<void> {
    for (const { oid, bytes, last } of chunks) {
      this.#name ??= oid
      if (this.#name !== oid) throw new BadHistory(`object ${this.#name} ended early`)
      this.#size += bytes.length
      if (this.#size > MAX_OBJECT)
        throw new BadHistory(`object ${oid} is over the limit of ${MAX_OBJECT} bytes`)
      this.#pieces.push(bytes)
      if (last) await this.#store(oid)
    }
  }

  /**
   * Lets in what `tip` needs beside what `have` leads to, and nothing else. Rejects with BadHistory if anything that
   * `tip` leads to neither arrived nor is in the host's own `history`, or is malformed; nothing has got in then.
   */
  async admit(tip: Oid, have: Oid | null, history: HostHistory): Promise<void> {
    if (this.#name !== undefined) throw new BadHistory(`object ${this.#name} ended early`)
    const [foreign] = await history.without(this.#namedFrom(tip))
    if (foreign !== undefined)
      throw new BadHistory(
        `it names object ${foreign.slice(0, 10)}, which the host did not send and which was never deployed to it`,
        { hint: 'before you deploy to the host again, find out who has changed its agent or its store' },
      )
    if (this.#arrived.size === 0) return
    const revisions = have === null ? `${tip}\n` : `${tip}\n^${have}\n`
    const [window, ...unpack] =
      this.#arrived.size < UNPACK_LIMIT
        ? (['0', 'unpack-objects', '-q'] as const)
        : (['10', 'index-pack', '--stdin'] as const)
    try {
      const pack = ['pack-objects', '-q', '--revs', '--stdout', `--window=${window}`]
      const { stdout } = await git(this.#repo, pack, { input: revisions, env: this.#env() })
      await git(this.#repo, [...unpack, '--strict'], { input: stdout })
    } catch (error) {
      if (!(error instanceof GitError)) throw error
      throw new BadHistory(error.message, { cause: error })
    }
  }

  async discard(): Promise<void> {
    await rm(this.#objects, { recursive: true, force: true })
  }

  async #store(oid: Oid): Promise<void> {
    const loose = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#size = 0
    this.#name = undefined
    const whole = inflated(loose, oid)
    const hash = createHash(oid.length === 64 ? 'sha256' : 'sha1').update(whole)
    if (hash.digest('hex') !== oid) throw new BadHistory(`object ${oid} does not match its name`)
    await mkdir(join(this.#objects, oid.slice(0, 2)), { recursive: true })
    await writeFile(join(this.#objects, oid.slice(0, 2), oid.slice(2)), loose)
    this.#arrived.set(oid, namedIn(whole, oid))
  }

  /** What `tip` leads to and has not arrived, `tip` itself included. */
  #namedFrom(tip: Oid): ReadonlySet<Oid> {
    const named = new Set([tip])
    // A set that grows while it is walked is walked to its new end.
    for (const oid of named) for (const next of this.#arrived.get(oid) ?? []) named.add(next)
    for (const oid of this.#arrived.keys()) named.delete(oid)
    return named
  }

  /** Git sees the quarantine, and the repository behind it. */
  #env(): NodeJS.ProcessEnv {
    const { commonDir, cwd, env } = this.#repo
    const behind = resolve(cwd, env['GIT_OBJECT_DIRECTORY'] ?? join(commonDir, 'objects'))
    const quoted = `"${behind.replace(/["\\]/g, '\\$&')}"`
    const more = env['GIT_ALTERNATE_OBJECT_DIRECTORIES']
    return {
      GIT_OBJECT_DIRECTORY: this.#objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: more ? `${quoted}:${more}` : quoted,
    }
  }
}

function inflated(loose: Uint8Array, oid: Oid): Uint8Array {
  try {
    return inflateSync(loose, { maxOutputLength: MAX_OBJECT })
  } catch (cause) {
    throw new BadHistory(`object ${oid} cannot be decompressed`, { cause })
  }
}

/** The objects that a commit or a tree names. Git checks the form of what it then takes. */
function namedIn(whole: Uint8Array, oid: Oid): readonly Oid[] {
  const start = whole.indexOf(0) + 1
  const type = Buffer.from(whole.subarray(0, start)).toString('latin1').split(' ', 1)[0]
  const content = whole.subarray(start)
  try {
    if (type === 'tree') return parseTree(content, oid.length / 2).map(entry => entry.oid)
  } catch (cause) {
    throw new BadHistory(`object ${oid} is malformed`, { cause })
  }
  return type === 'commit' ? namedInCommit(Buffer.from(content).toString('latin1')) : []
}

function namedInCommit(text: string): Oid[] {
  const [header = ''] = text.split('\n\n', 1)
  return header.split('\n').flatMap(line => {
    const [key, name = ''] = line.split(' ')
    return key === 'tree' || key === 'parent' ? (oidOf(name) ?? []) : []
  })
}
