/**
 * File systems in memory that know what of them has reached the disk, and can lose the rest: docs/testing.md says which
 * losses are produced, and on what assumptions.
 */
import type { Random } from '../support/random.ts'

export type Device = 'root' | 'var' | 'run'

/**
 * ordered: as on ext4 (data=ordered), XFS and Btrfs without their log tree. Names and attributes reach the disk in the
 * order of the calls, and all earlier ones with each fsync(2) on the file system; contents only by themselves.
 * unordered: no more than POSIX promises. What was not synced itself is there or not, each for itself; only that a
 * rename is whole, and that one name's changes keep their order.
 */
export type Order = 'ordered' | 'unordered'

/**
 * What a power cut leaves of what was not synced: nothing; everything; names and attributes, but no contents; the same
 * with zeros for contents; or what chance leaves.
 */
export type Loss = 'all' | 'none' | 'contents' | 'zeros' | Random

export interface Attributes {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export type Kind = 'file' | 'directory' | 'symlink'

const NO_BYTES = new Uint8Array(0)

export class Node {
  readonly id: number
  readonly device: Device
  readonly kind: Kind
  readonly target: string
  attributes: Attributes
  bytes: Uint8Array = NO_BYTES
  readonly names = new Map<string, number>()
  mtimeMs = 0
  /** What is on the disk; names are below. */
  saved: { attributes: Attributes; bytes: Uint8Array }
  readonly savedNames = new Map<string, number>()

  constructor(id: number, device: Device, kind: Kind, attributes: Attributes, target: string) {
    this.id = id
    this.device = device
    this.kind = kind
    this.attributes = attributes
    this.target = target
    this.saved = { attributes, bytes: NO_BYTES }
  }

  copy(): Node {
    const copy = new Node(this.id, this.device, this.kind, this.attributes, this.target)
    copy.bytes = this.bytes
    copy.mtimeMs = this.mtimeMs
    copy.saved = this.saved
    for (const [name, id] of this.names) copy.names.set(name, id)
    for (const [name, id] of this.savedNames) copy.savedNames.set(name, id)
    return copy
  }
}

interface Naming {
  readonly directory: number
  readonly name: string
  /** null: there is nothing by that name any more. */
  readonly to: number | null
}

type Change = { readonly device: Device } & (
  | { readonly kind: 'names'; readonly namings: readonly Naming[] }
  | { readonly kind: 'attributes'; readonly node: number; readonly attributes: Attributes }
  | { readonly kind: 'bytes'; readonly node: number; readonly bytes: Uint8Array }
)

const ROOT = 1

export class Disk {
  readonly order: Order
  /** Whether /var is a file system of its own, as on many hosts. */
  readonly separateVar: boolean
  private readonly nodes: Map<number, Node>
  /** What has not been synced, the oldest first. */
  private pending: Change[]
  private next: number

  constructor(order: Order, separateVar: boolean, from?: Disk) {
    this.order = order
    this.separateVar = separateVar
    this.nodes = new Map([...(from?.nodes ?? [])].map(([id, node]) => [id, node.copy()]))
    this.pending = [...(from?.pending ?? [])]
    this.next = from?.next ?? ROOT
    if (from === undefined) this.make('root', 'directory', { mode: 0o755, uid: 0, gid: 0 })
  }

  fork(): Disk {
    return new Disk(this.order, this.separateVar, this)
  }

  get root(): Node {
    return this.node(ROOT)
  }

  node(id: number): Node {
    return this.nodes.get(id)!
  }

  /** A node without a name yet. */
  make(device: Device, kind: Kind, attributes: Attributes, target = ''): Node {
    const node = new Node(this.next++, device, kind, attributes, target)
    this.nodes.set(node.id, node)
    return node
  }

  /** Gives and takes names, all at once. */
  name(device: Device, namings: readonly Naming[]): void {
    for (const { directory, name, to } of namings) setName(this.node(directory).names, name, to)
    this.pending.push({ device, kind: 'names', namings })
  }

  setAttributes(node: Node, attributes: Attributes): void {
    node.attributes = attributes
    this.pending.push({ device: node.device, kind: 'attributes', node: node.id, attributes })
  }

  setBytes(node: Node, bytes: Uint8Array, now: number): void {
    node.bytes = bytes
    node.mtimeMs = now
    this.pending.push({ device: node.device, kind: 'bytes', node: node.id, bytes })
  }

  /** fsync(2). */
  sync(node: Node): void {
    const wanted = (change: Change) =>
      change.kind === 'bytes'
        ? change.node === node.id
        : this.order === 'ordered'
          ? change.device === node.device
          : touches(change, node.id)
    this.save(this.pending.filter(wanted))
  }

  /** syncfs(2). */
  syncDevice(device: Device): void {
    this.save(this.pending.filter(change => change.device === device))
  }

  /** The power goes, and comes back. */
  cut(loss: Loss): void {
    this.save(this.survivors(loss))
    const contents = this.pending.filter(({ kind }) => kind === 'bytes')
    this.pending = []
    for (const node of this.nodes.values()) {
      if (contents.some(change => change.kind === 'bytes' && change.node === node.id))
        node.saved = { ...node.saved, bytes: tornBytes(node.saved.bytes, node.bytes, loss) }
      node.attributes = node.saved.attributes
      node.bytes = node.saved.bytes
      node.names.clear()
      for (const [name, id] of node.savedNames) if (!this.isVolatile(id)) node.names.set(name, id)
    }
  }

  /** /run itself is mounted anew, and empty. */
  private isVolatile(id: number): boolean {
    return this.node(id).device === 'run' && this.root.savedNames.get('run') !== id
  }

  private survivors(loss: Loss): Change[] {
    if (loss === 'all') return []
    if (loss === 'none') return this.pending
    const kept = this.pending.filter(({ kind }) => kind !== 'bytes')
    if (typeof loss === 'string') return kept
    if (this.order === 'unordered') return kept.filter(() => loss.below(2) === 0)
    const devices = new Map<Device, number>()
    for (const { device } of kept) devices.set(device, (devices.get(device) ?? 0) + 1)
    for (const [device, count] of devices) devices.set(device, loss.below(count + 1))
    return kept.filter(({ device }) => {
      const left = devices.get(device)!
      devices.set(device, left - 1)
      return left > 0
    })
  }

  /** Also saves what a wanted change builds on: what was done to the same name before. */
  private save(wanted: readonly Change[]): void {
    const chosen = new Set(wanted)
    const needed = new Set<string>()
    for (const change of [...this.pending].reverse()) {
      const keys = keysOf(change)
      if (chosen.has(change) || keys.some(key => needed.has(key))) {
        chosen.add(change)
        for (const key of keys) needed.add(key)
      }
    }
    for (const change of this.pending) if (chosen.has(change)) this.saveOne(change)
    this.pending = this.pending.filter(change => !chosen.has(change))
  }

  private saveOne(change: Change): void {
    if (change.kind === 'names')
      for (const { directory, name, to } of change.namings) setName(this.node(directory).savedNames, name, to)
    else if (change.kind === 'attributes') {
      const node = this.node(change.node)
      node.saved = { ...node.saved, attributes: change.attributes }
    } else {
      const node = this.node(change.node)
      node.saved = { ...node.saved, bytes: change.bytes }
    }
  }
}

function setName(names: Map<string, number>, name: string, to: number | null): void {
  if (to === null) names.delete(name)
  else names.set(name, to)
}

function touches(change: Change, id: number): boolean {
  return change.kind === 'names'
    ? change.namings.some(({ directory }) => directory === id)
    : change.node === id
}

function keysOf(change: Change): string[] {
  return change.kind === 'names'
    ? change.namings.map(({ directory, name }) => `${directory}/${name}`)
    : [`${change.kind} ${change.node}`]
}

/** What a cut leaves of contents of which only `saved` was synced. */
function tornBytes(saved: Uint8Array, written: Uint8Array, loss: Loss): Uint8Array {
  if (loss === 'all' || loss === 'contents' || loss === 'none') return saved
  const kept = commonLength(saved, written)
  if (loss === 'zeros') return zeroedFrom(written, kept)
  const at = kept + loss.below(written.length - kept + 1)
  return [saved, written, written.slice(0, at), zeroedFrom(written, at)][loss.below(4)]!
}

function commonLength(a: Uint8Array, b: Uint8Array): number {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  return at
}

function zeroedFrom(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i < at ? byte : 0))
}
