/**
 * The host's Git objects: a bare repository of loose objects (gitrepository-layout(5)) that `git fsck` accepts, written
 * and read without Git. Objects arrive in a quarantine, and are moved in when their hashes have been checked.
 */

import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { type Oid, oid } from '../../src/plan/names.ts'
import { STORE } from '../../src/plan/places.ts'
import type { Contents } from '../../src/plan/reading.ts'
import type { ObjectChunk } from '../../src/protocol/messages.ts'
import { appendLine, makeDirectories, removeTree, writeDurably } from '../host/files.ts'
import type { Machine, Writer } from '../host/machine.ts'
import { parentOf } from '../host/paths.ts'
import { writtenByNewer } from './foreign.ts'
import { BadObject, Inflating, openObject } from './object.ts'

const QUARANTINE = `${STORE}/quarantine`
const LOGS = 'logs/refs/deptool'

/** In bytes, about 1,000 deployments: a longer reflog is cut to its newer half. */
const LOG_MAX = 192 * 1024

type RefName = 'current' | 'target'

export class Store {
  private readonly machine: Machine
  /** In the quarantine, and checked. If the store has the object too, this one is read. */
  private readonly received = new Set<Oid>()
  private incoming: Incoming | undefined

  constructor(machine: Machine) {
    this.machine = machine
  }

  /**
   * null if there is no such ref. If its file is damaged, the last line of the reflog counts, which is written first.
   */
  ref(name: RefName): Oid | null {
    const raw = this.machine.files.read(`${STORE}/refs/deptool/${name}`)
    if (raw === undefined) return null
    return oid((decodeUtf8(raw) ?? '').trim()) ?? this.lastMove(name)?.to ?? null
  }

  /** The last line of the reflog. */
  lastMove(name: RefName): { readonly to: Oid; readonly message: string } | undefined {
    const raw = this.machine.files.read(`${STORE}/${LOGS}/${name}`)
    const lines = raw ? (decodeUtf8(raw) ?? '').split('\n').slice(0, -1) : []
    const [, to = '', message = ''] = /^[0-9a-f]+ ([0-9a-f]+) .*\t(.*)$/.exec(lines.pop() ?? '') ?? []
    const moved = oid(to)
    return moved && { to: moved, message }
  }

  /** Durable when it returns. */
  setRef(name: RefName, to: Oid, who: string, message: string): void {
    const { files, now } = this.machine
    const from = this.ref(name) ?? '0'.repeat(to.length)
    const log = `${STORE}/${LOGS}/${name}`
    makeDirectories(files, parentOf(log), 0o700)
    this.trimLog(log)
    appendLine(files, log, `${from} ${to} ${who} ${Math.floor(now() / 1000)} +0000\t${message}`, 0o600)
    makeDirectories(files, `${STORE}/refs/deptool`, 0o700)
    writeDurably(files, `${STORE}/refs/deptool/${name}`, `${to}\n`, 0o600)
  }

  private trimLog(log: string): void {
    const { files } = this.machine
    if ((files.stat(log)?.size ?? 0) < LOG_MAX) return
    const lines = (decodeUtf8(files.read(log)!) ?? '').split('\n')
    writeDurably(files, log, lines.slice(lines.length >> 1).join('\n'), 0o600)
  }

  /**
   * Creates the repository; one with another hash algorithm is replaced if nothing is deployed. Throws Foreign for one of
   * a newer format.
   */
  prepare(oidLength: number): void {
    const { files } = this.machine
    const config = configFor(oidLength)
    const raw = files.read(`${STORE}/config`)
    if (files.stat(`${STORE}/HEAD`) && raw && decodeUtf8(raw) === config) return
    if (raw && isNewer(decodeUtf8(raw) ?? '')) throw writtenByNewer(`${STORE}/config`)
    if (this.ref('current') === null) removeTree(files, STORE)
    // All directories now, since staging syncs them: a ref must not be lost with its directory.
    for (const directory of ['objects/info', 'objects/pack', 'refs/heads', 'refs/deptool', LOGS])
      makeDirectories(files, `${STORE}/${directory}`, 0o700)
    writeDurably(files, `${STORE}/config`, config, 0o600)
    writeDurably(files, `${STORE}/HEAD`, 'ref: refs/heads/main\n', 0o600)
  }

  /** The next piece of an object. Throws BadObject if the whole does not hash to its name. */
  receive({ oid, bytes, last }: ObjectChunk): void {
    if (this.incoming?.oid !== oid) {
      if (this.incoming) throw new BadObject(this.incoming.oid, 'ended early')
      makeDirectories(this.machine.files, QUARANTINE, 0o700)
      this.incoming = new Incoming(this.machine, oid)
    }
    this.incoming.push(bytes, last)
    if (!last) return
    this.incoming = undefined
    this.received.add(oid)
  }

  /** In the order of arrival: contents before the trees that name them. */
  admit(): void {
    const { files } = this.machine
    // An object in the store counts as whole, also after a power cut.
    if (this.received.size > 0) files.syncFileSystem(QUARANTINE)
    for (const oid of this.received) {
      const path = objectPath(oid)
      makeDirectories(files, parentOf(path), 0o700)
      // Replaces an existing one, which may be damaged.
      files.rename(`${QUARANTINE}/${oid}`, path)
    }
    this.dropQuarantine()
  }

  dropQuarantine(): void {
    this.received.clear()
    removeTree(this.machine.files, QUARANTINE)
  }

  has(oid: Oid): boolean {
    return this.machine.files.stat(this.locate(oid)) !== undefined
  }

  /** In bytes; 0 if it is missing. */
  storedSize(oid: Oid): number {
    return this.machine.files.stat(this.locate(oid))?.size ?? 0
  }

  /** Without Git's headers; missing objects are left out. For trees, manifests and links. */
  read(oids: readonly Oid[]): Contents {
    const contents = new Map<Oid, Uint8Array>()
    for (const oid of oids) {
      const object = this.object(oid)
      if (object) contents.set(oid, object.content)
    }
    return contents
  }

  commit(id: Oid): { tree: Oid; parent: Oid | null; subject: string } | undefined {
    const object = this.object(id)
    if (object?.type !== 'commit') return undefined
    const [header = '', message = ''] = (decodeUtf8(object.content) ?? '').split('\n\n')
    const field = (name: string) => oid(new RegExp(`^${name} ([0-9a-f]+)$`, 'm').exec(header)?.[1] ?? '')
    const tree = field('tree')
    return tree && { tree, parent: field('parent') ?? null, subject: message.trim().split('\n')[0]! }
  }

  /** As it is stored, in pieces. Throws BadObject if it is missing. */
  readStored(oid: Oid, each: (piece: Uint8Array, last: boolean) => void): void {
    const path = this.locate(oid)
    let left = this.machine.files.stat(path)?.size ?? 0
    if (left === 0) throw new BadObject(oid, 'is missing')
    this.machine.files.readPieces(path, piece => {
      left -= piece.length
      each(piece, left <= 0)
    })
  }

  /** false also for a damaged object. */
  isCommit(oid: Oid): boolean {
    try {
      return this.commit(oid) !== undefined
    } catch (error) {
      if (error instanceof BadObject) return false
      throw error
    }
  }

  /** Throws BadObject if the blob is missing, or does not match its name. */
  copyBlob(oid: Oid, writer: Pick<Writer, 'write'>): void {
    const object = new Inflating(this.machine, oid, piece => writer.write(piece))
    const found = this.machine.files.readPieces(this.locate(oid), piece => object.push(piece))
    if (!found) throw new BadObject(oid, 'is missing')
    object.end()
  }

  private object(oid: Oid): { type: string; content: Uint8Array } | undefined {
    const raw = this.machine.files.read(this.locate(oid))
    return raw && openObject(this.machine, oid, raw)
  }

  private locate(oid: Oid): string {
    return this.received.has(oid) ? `${QUARANTINE}/${oid}` : objectPath(oid)
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

/** gitrepository-layout(5) has the number for this: 1 is 0 with extensions, of which all must be known. */
function isNewer(config: string): boolean {
  const [, version = '0'] = /repositoryformatversion\s*=\s*(\d+)/i.exec(config) ?? []
  const [, extensions = ''] = /^\s*\[extensions\]\s*$([^[]*)/im.exec(config) ?? []
  const keys = extensions.split('\n').map(line => line.split('=')[0]!.trim().toLowerCase())
  return Number(version) > 1 || keys.some(key => key !== '' && key !== 'objectformat')
}

/** An object that arrives: it is checked, and stored as it is sent. */
class Incoming {
  readonly oid: Oid
  private readonly writer: Writer
  private readonly checking: Inflating

  constructor(machine: Machine, oid: Oid) {
    this.oid = oid
    this.checking = new Inflating(machine, oid)
    this.writer = machine.files.create(`${QUARANTINE}/${oid}`, 0o400)
  }

  push(bytes: Uint8Array, last: boolean): void {
    this.writer.write(bytes)
    this.checking.push(bytes)
    if (!last) return
    this.checking.end()
    this.writer.close()
  }
}
