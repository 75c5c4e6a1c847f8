/**
 * The host's git objects: a bare repository of loose objects that `git fsck` accepts, written and read without git.
 * Objects come in through a quarantine and are moved in only when their hash is theirs (gitrepository-layout(5)).
 */
import { Unzlib, unzlibSync } from 'fflate'
import { decodeUtf8, encodeUtf8 } from '../src/plan/bytes.ts'
import { type Oid, oid } from '../src/plan/names.ts'
import type { Contents } from '../src/plan/reading.ts'
import type { ObjectChunk } from '../src/protocol/messages.ts'
import { makeDirectories, removeTree, writeDurably } from './files.ts'
import type { Hasher, Machine, Writer } from './machine.ts'
import { parentOf, STORE } from './paths.ts'

const QUARANTINE = `${STORE}/quarantine`

/** The bytes of an object are not what its name says. */
export class BadObject extends Error {}

export type RefName = 'current' | 'target'

export class Store {
  private readonly machine: Machine
  private readonly received: Oid[] = []
  private incoming: Incoming | undefined

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** What the ref points at; null where there is none yet. */
  ref(name: RefName): Oid | null {
    const raw = this.machine.files.read(`${STORE}/refs/deptool/${name}`)
    return (raw && oid((decodeUtf8(raw) ?? '').trim())) ?? null
  }

  /** Moves the ref durably, with a line in its reflog. */
  setRef(name: RefName, to: Oid, who: string, message: string): void {
    const { files, now } = this.machine
    const from = this.ref(name) ?? '0'.repeat(to.length)
    const log = `${STORE}/logs/refs/deptool/${name}`
    makeDirectories(files, parentOf(log), 0o700)
    const writer = files.append(log, 0o600)
    writer.write(encodeUtf8(`${from} ${to} ${who} ${Math.floor(now() / 1000)} +0000\t${message}\n`))
    writer.close()
    makeDirectories(files, `${STORE}/refs/deptool`, 0o700)
    writeDurably(files, `${STORE}/refs/deptool/${name}`, `${to}\n`, 0o600)
  }

  /** Makes the repository where it is missing; one of another hash, with nothing that holds, gives way. */
  prepare(oidLength: number): void {
    const { files } = this.machine
    const config = configFor(oidLength)
    const raw = files.read(`${STORE}/config`)
    if (files.stat(`${STORE}/HEAD`) && raw && decodeUtf8(raw) === config) return
    if (this.ref('current') === null) removeTree(files, STORE)
    for (const directory of ['objects/info', 'objects/pack', 'refs/heads'])
      makeDirectories(files, `${STORE}/${directory}`, 0o700)
    writeDurably(files, `${STORE}/config`, config, 0o600)
    writeDurably(files, `${STORE}/HEAD`, 'ref: refs/heads/main\n', 0o600)
  }

  /** Takes the next piece of an object. Throws BadObject where the whole does not hash to its name. */
  receive({ oid, bytes, last }: ObjectChunk): void {
    if (this.incoming?.oid !== oid) {
      if (this.incoming) throw new BadObject(`object ${this.incoming.oid} ended early`)
      makeDirectories(this.machine.files, QUARANTINE, 0o700)
      this.incoming = new Incoming(this.machine, oid)
    }
    this.incoming.push(bytes, last)
    if (!last) return
    this.incoming = undefined
    this.received.push(oid)
  }

  /** Moves what was received in, in the order in which it came: contents before what names them. */
  admit(): void {
    const { files } = this.machine
    // Under its name in the store an object counts as whole, also after a power cut.
    if (this.received.length > 0) files.syncFileSystem(QUARANTINE)
    for (const oid of this.received.splice(0)) {
      const path = objectPath(oid)
      makeDirectories(files, parentOf(path), 0o700)
      if (files.stat(path)) files.unlink(`${QUARANTINE}/${oid}`)
      else files.rename(`${QUARANTINE}/${oid}`, path)
    }
    this.dropQuarantine()
  }

  dropQuarantine(): void {
    removeTree(this.machine.files, QUARANTINE)
  }

  has(oid: Oid): boolean {
    return this.locate(oid) !== undefined
  }

  /** What the object takes in the store, in bytes; 0 where it is missing. */
  storedSize(oid: Oid): number {
    const path = this.locate(oid)
    return path === undefined ? 0 : (this.machine.files.stat(path)?.size ?? 0)
  }

  /** Contents by name, without git's headers; what is missing is left out. For trees, manifests and links. */
  read(oids: readonly Oid[]): Contents {
    const contents = new Map<Oid, Uint8Array>()
    for (const oid of oids) {
      const object = this.object(oid)
      if (object) contents.set(oid, object.content)
    }
    return contents
  }

  /** A commit with its first parent; undefined where there is no such commit. */
  commit(id: Oid): { tree: Oid; parent: Oid | null; subject: string } | undefined {
    const object = this.object(id)
    if (object?.type !== 'commit') return undefined
    const [header = '', message = ''] = (decodeUtf8(object.content) ?? '').split('\n\n')
    const field = (name: string) => oid(new RegExp(`^${name} ([0-9a-f]+)$`, 'm').exec(header)?.[1] ?? '')
    const tree = field('tree')
    return tree && { tree, parent: field('parent') ?? null, subject: message.trim().split('\n')[0]! }
  }

  /** Gives the object as it is stored, in pieces. Throws BadObject where it is missing. */
  readStored(oid: Oid, each: (piece: Uint8Array, last: boolean) => void): void {
    const path = this.locate(oid)
    if (path === undefined) throw new BadObject(`object ${oid} is missing`)
    let left = this.machine.files.stat(path)?.size ?? 0
    this.machine.files.readPieces(path, piece => {
      left -= piece.length
      each(piece, left <= 0)
    })
  }

  /** Writes a blob's content piece by piece. Throws BadObject where it is missing. */
  copyBlob(oid: Oid, writer: Writer): void {
    const path = this.locate(oid)
    if (path === undefined) throw new BadObject(`object ${oid} is missing`)
    const body = new BodyAfterHeader(piece => writer.write(piece))
    const inflate = new Unzlib(piece => body.push(piece))
    this.machine.files.readPieces(path, piece => inflate.push(piece, false))
    inflate.push(new Uint8Array(0), true)
  }

  private object(oid: Oid): { type: string; content: Uint8Array } | undefined {
    const path = this.locate(oid)
    const raw = path === undefined ? undefined : this.machine.files.read(path)
    if (raw === undefined) return undefined
    const whole = inflateWhole(raw, oid)
    const nul = whole.indexOf(0)
    const [type] = String.fromCharCode(...whole.subarray(0, Math.min(nul, 64))).split(' ')
    return { type: type!, content: whole.subarray(nul + 1) }
  }

  private locate(oid: Oid): string | undefined {
    return [objectPath(oid), `${QUARANTINE}/${oid}`].find(path => this.machine.files.stat(path))
  }
}

function objectPath(oid: Oid): string {
  return `${STORE}/objects/${oid.slice(0, 2)}/${oid.slice(2)}`
}

function configFor(oidLength: number): string {
  const sha256 = oidLength === 64
  return `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tfilemode = true\n\tbare = true\n${
    sha256 ? '[extensions]\n\tobjectformat = sha256\n' : ''
  }`
}

function inflateWhole(raw: Uint8Array, oid: Oid): Uint8Array {
  try {
    return unzlibSync(raw)
  } catch (error) {
    throw new BadObject(`object ${oid} does not inflate: ${(error as Error).message}`)
  }
}

/** An object on its way into the quarantine: hashed as it inflates, kept as it came. */
class Incoming {
  readonly oid: Oid
  private readonly hasher: Hasher
  private readonly writer: Writer
  private readonly inflate: Unzlib

  constructor(machine: Machine, oid: Oid) {
    this.oid = oid
    this.hasher = machine.hasher(oid.length === 64 ? 'sha256' : 'sha1')
    this.writer = machine.files.create(`${QUARANTINE}/${oid}`, 0o400)
    this.inflate = new Unzlib(piece => this.hasher.update(piece))
  }

  push(bytes: Uint8Array, last: boolean): void {
    this.writer.write(bytes)
    try {
      this.inflate.push(bytes, last)
    } catch (error) {
      throw new BadObject(`object ${this.oid} does not inflate: ${(error as Error).message}`)
    }
    if (!last) return
    this.writer.close()
    const found = this.hasher.digest()
    if (found !== this.oid) throw new BadObject(`object ${this.oid} hashes to ${found}`)
  }
}

/** Passes on what follows the first NUL: an object's content without `<type> <size>NUL`. */
class BodyAfterHeader {
  private readonly pass: (piece: Uint8Array) => void
  private inBody = false

  constructor(pass: (piece: Uint8Array) => void) {
    this.pass = pass
  }

  push(piece: Uint8Array): void {
    const nul = this.inBody ? -1 : piece.indexOf(0)
    if (!this.inBody && nul < 0) return
    this.inBody = true
    this.pass(piece.subarray(nul + 1))
  }
}
