/** A Git object as it is stored: zlib over `<type> <size>NUL<content>`, named by the hash of that. */
import { Unzlib } from 'fflate'
import type { Oid } from '../../src/plan/names.ts'
import { type Hasher, type Machine, SystemFailure } from '../host/machine.ts'

/** The object is missing, or its bytes do not match its name. */
export class BadObject extends Error {
  readonly oid: Oid
  constructor(oid: Oid, what: string) {
    super(`object ${oid} ${what}`)
    this.oid = oid
  }
}

/** In bytes, for trees, manifests, links and commits: these are read into memory. */
const MAX_READ = 16 * 1024 * 1024

/**
 * How many bytes are inflated at once. zlib compresses to 1:1032 at best, so whatever an object claims to be, these are
 * less than 9 MiB in memory.
 */
const SLICE = 8 * 1024

/** Inflates an object piece by piece, checks its header and its name, and passes the content on. */
export class Inflating {
  private readonly oid: Oid
  private readonly hasher: Hasher
  private readonly inflate: Unzlib
  private readonly pass: (content: Uint8Array) => void
  private header = ''
  /** Of the content; undefined before the end of the header. */
  size: number | undefined
  /** How much content is missing. */
  private left: number | undefined

  constructor(machine: Pick<Machine, 'hasher'>, oid: Oid, pass: (content: Uint8Array) => void = () => {}) {
    this.oid = oid
    this.pass = pass
    this.hasher = machine.hasher(oid.length === 64 ? 'sha256' : 'sha1')
    this.inflate = new Unzlib(piece => this.take(piece))
  }

  /** 'blob', 'tree' or 'commit', after the first bytes. */
  get type(): string {
    return this.header.split(' ')[0]!
  }

  /** Throws BadObject. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SLICE) this.feed(bytes.subarray(at, at + SLICE), false)
  }

  /** Throws BadObject unless the whole object has been pushed. */
  end(): void {
    this.feed(new Uint8Array(0), true)
    if (this.left !== 0) throw new BadObject(this.oid, 'is shorter than its header says')
    const found = this.hasher.digest()
    if (found !== this.oid) throw new BadObject(this.oid, `hashes to ${found}`)
  }

  private feed(bytes: Uint8Array, last: boolean): void {
    try {
      this.inflate.push(bytes, last)
    } catch (error) {
      // Writing the content may fail, as on a full disk.
      if (error instanceof BadObject || error instanceof SystemFailure) throw error
      throw new BadObject(this.oid, `cannot be decompressed: ${(error as Error).message}`)
    }
  }

  private take(piece: Uint8Array): void {
    this.hasher.update(piece)
    const content = this.left === undefined ? this.afterHeader(piece) : piece
    if (this.left === undefined) return
    this.left -= content.length
    if (this.left < 0) throw new BadObject(this.oid, 'is longer than its header says')
    if (content.length > 0) this.pass(content)
  }

  private afterHeader(piece: Uint8Array): Uint8Array {
    const nul = piece.indexOf(0)
    this.header += String.fromCharCode(...piece.subarray(0, Math.min(nul < 0 ? piece.length : nul, 64)))
    if (nul < 0 && this.header.length < 32) return piece
    const size = /^(?:blob|tree|commit) (0|[1-9][0-9]{0,14})$/.exec(this.header)?.[1]
    if (size === undefined) throw new BadObject(this.oid, 'does not begin with an object header')
    this.size = Number(size)
    this.left = this.size
    return piece.subarray(nul + 1)
  }
}

/** zlib's tables, and the header after them, take less than 400 bytes. */
const BEGINNING = 512

/** What the header says, from the beginning of the object as it is stored. Throws BadObject. */
export function contentSize(machine: Pick<Machine, 'hasher'>, oid: Oid, raw: Uint8Array): number | undefined {
  const object = new Inflating(machine, oid)
  object.push(raw.subarray(0, BEGINNING))
  return object.size
}

/** Throws BadObject. */
export function openObject(
  machine: Pick<Machine, 'hasher'>,
  oid: Oid,
  raw: Uint8Array,
): { readonly type: string; readonly content: Uint8Array } {
  const pieces: Uint8Array[] = []
  let length = 0
  const object = new Inflating(machine, oid, piece => {
    length += piece.length
    if (length > MAX_READ) throw new BadObject(oid, `is over the limit of ${MAX_READ} bytes`)
    pieces.push(piece)
  })
  object.push(raw)
  object.end()
  return { type: object.type, content: pieces.length === 1 ? pieces[0]! : join(pieces, length) }
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
