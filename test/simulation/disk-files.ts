/** The agent's view of a simulated disk: the system calls, with their errors. */
import { type Files, type Stat, SystemFailure, type Writer } from '../../agent/host/machine.ts'
import type { Device, Disk, Kind, Node } from './disk.ts'

const PIECE = 256 * 1024
const UMASK = 0o022

export function filesOn(disk: Disk, now: () => number): Files {
  const tree = new Tree(disk)
  const fresh = (path: string, kind: Kind, mode: number, target = ''): Node => {
    const { parent, name } = tree.locate(path)
    if (parent.names.has(name)) throw new SystemFailure('EEXIST', `make '${path}'`)
    const node = disk.make(tree.deviceFor(path, parent), kind, { mode, uid: 0, gid: 0 }, target)
    node.mtimeMs = now()
    disk.name(parent.device, [{ directory: parent.id, name, to: node.id }])
    return node
  }
  const open = (path: string, mode: number): Node => {
    const node = tree.find(path, 'follow')
    if (node?.kind === 'directory') throw new SystemFailure('EISDIR', `open '${path}'`)
    return node ?? fresh(tree.followed(path), 'file', mode & ~UMASK)
  }
  const writer = (node: Node): Writer => ({
    write: bytes => disk.setBytes(node, joined(node.bytes, bytes), now()),
    sync: () => disk.sync(node),
    close: () => {},
  })
  const removed = (path: string, node: Node) => {
    const { parent, name } = tree.locate(path)
    disk.name(node.device, [{ directory: parent.id, name, to: null }])
    return true
  }
  return {
    read: path => {
      const node = tree.find(path, 'follow')
      if (node?.kind === 'directory') throw new SystemFailure('EISDIR', `read '${path}'`)
      return node?.bytes.slice()
    },
    create: (path, mode) => {
      const node = open(path, mode)
      if (node.bytes.length > 0) disk.setBytes(node, new Uint8Array(0), now())
      return writer(node)
    },
    createNew: (path, mode) => {
      if (tree.find(path)) throw new SystemFailure('EEXIST', `open '${path}'`)
      return writer(open(path, mode))
    },
    append: (path, mode) => {
      return writer(open(path, mode))
    },
    readPieces: (path, each) => {
      const bytes = tree.find(path, 'follow')?.bytes
      if (bytes === undefined) return undefined
      for (let at = 0; at < bytes.length; at += PIECE) each(bytes.slice(at, at + PIECE))
      return true
    },
    stat: path => {
      const node = tree.find(path)
      return node && statOf(node)
    },
    list: path => {
      const node = tree.find(path, 'follow')
      return node?.kind === 'directory' ? [...node.names.keys()].sort() : undefined
    },
    mkdir: (path, mode) => {
      if (tree.find(path, 'follow')?.kind === 'directory') return
      fresh(path, 'directory', mode & ~UMASK)
    },
    symlink: (target, path) => {
      fresh(path, 'symlink', 0o777, target)
    },
    readlink: path => {
      const node = tree.find(path)
      return node?.kind === 'symlink' ? node.target : undefined
    },
    link: (existing, path) => {
      const node = tree.need(existing)
      const { parent, name } = tree.locate(path)
      if (parent.device !== node.device) throw new SystemFailure('EXDEV', `link '${path}'`)
      if (parent.names.has(name)) throw new SystemFailure('EEXIST', `link '${path}'`)
      disk.name(node.device, [{ directory: parent.id, name, to: node.id }])
    },
    rename: (from, to) => {
      const node = tree.need(from)
      const [source, goal] = [tree.locate(from), tree.locate(to)]
      if (goal.parent.device !== node.device) throw new SystemFailure('EXDEV', `rename '${to}'`)
      const there = tree.find(to)
      if (there?.kind === 'directory') throw new SystemFailure('EISDIR', `rename '${to}'`)
      // Two names of one file: rename(2) does nothing then.
      if (there === node) return
      disk.name(node.device, [
        { directory: source.parent.id, name: source.name, to: null },
        { directory: goal.parent.id, name: goal.name, to: node.id },
      ])
    },
    unlink: path => {
      const node = tree.find(path)
      if (node === undefined) return false
      if (node.kind === 'directory') throw new SystemFailure('EISDIR', `unlink '${path}'`)
      return removed(path, node)
    },
    rmdir: path => {
      const node = tree.find(path)
      if (node === undefined || node.names.size > 0) return false
      if (node.kind !== 'directory') throw new SystemFailure('ENOTDIR', `rmdir '${path}'`)
      return removed(path, node)
    },
    chmod: (path, mode) => {
      const node = tree.need(path, 'follow')
      disk.setAttributes(node, { ...node.attributes, mode })
    },
    chown: (path, uid, gid) => {
      const node = tree.need(path)
      disk.setAttributes(node, { ...node.attributes, uid, gid })
    },
    sync: path => {
      const node = tree.need(path, 'follow')
      disk.sync(node)
    },
    syncFileSystem: path => {
      const node = tree.need(path, 'follow')
      disk.syncDevice(node.device)
    },
    space: path => {
      tree.need(path, 'follow')
      return { bytes: 2 ** 40, inodes: 2 ** 20, readOnly: false }
    },
  }
}

/** Paths, and the links on them. */
class Tree {
  private readonly disk: Disk

  constructor(disk: Disk) {
    this.disk = disk
  }

  find(path: string, last: 'follow' | 'stay' = 'stay'): Node | undefined {
    const found = this.walk(path, last)
    return typeof found === 'string' ? undefined : found
  }

  need(path: string, last: 'follow' | 'stay' = 'stay'): Node {
    const found = this.walk(path, last)
    if (typeof found === 'string') throw new SystemFailure(found, `find '${path}'`)
    return found
  }

  /** The directory that has, or would have, the path's last name. */
  locate(path: string): { readonly parent: Node; readonly name: string } {
    const at = path.lastIndexOf('/')
    const parent = this.need(path.slice(0, at) || '/', 'follow')
    if (parent.kind !== 'directory') throw new SystemFailure('ENOTDIR', `find '${path}'`)
    return { parent, name: path.slice(at + 1) }
  }

  /** Where a file is made that is opened by a dangling link. */
  followed(path: string): string {
    const node = this.find(path)
    if (node?.kind !== 'symlink') return path
    return this.followed(absolute(node.target, path.slice(0, path.lastIndexOf('/'))))
  }

  deviceFor(path: string, parent: Node): Device {
    if (path === '/run') return 'run'
    return path === '/var' && this.disk.separateVar ? 'var' : parent.device
  }

  private walk(path: string, last: 'follow' | 'stay', hops = 0): Node | 'ENOENT' | 'ENOTDIR' {
    if (path.includes('\0')) throw new SystemFailure('EINVAL', `find '${path}'`)
    if (hops > 40) throw new SystemFailure('ELOOP', `find '${path}'`)
    const names = path.split('/').filter(name => name !== '' && name !== '.')
    let at = this.disk.root
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      if (Buffer.byteLength(name) > 255) throw new SystemFailure('ENAMETOOLONG', `find '${path}'`)
      if (at.kind !== 'directory') return 'ENOTDIR'
      const id = at.names.get(name)
      if (id === undefined) return 'ENOENT'
      at = this.disk.node(id)
      if (at.kind === 'symlink' && (i < names.length - 1 || last === 'follow')) {
        const target = absolute(at.target, `/${names.slice(0, i).join('/')}`)
        return this.walk([target, ...names.slice(i + 1)].join('/'), last, hops + 1)
      }
    }
    return at
  }
}

function absolute(target: string, directory: string): string {
  const parts: string[] = []
  for (const part of (target.startsWith('/') ? target : `${directory}/${target}`).split('/'))
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  return `/${parts.join('/')}`
}

function statOf({ kind, attributes, bytes, target, mtimeMs }: Node): Stat {
  return { kind, ...attributes, size: kind === 'symlink' ? target.length : bytes.length, mtimeMs }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}
