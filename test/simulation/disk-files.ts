/** The agent's view of a simulated disk: the system calls, with their errors. */
import {
  type Directory,
  type Files,
  type Names,
  type Stat,
  SystemFailure,
  type Writer,
} from '../../agent/host/machine.ts'
import type { Disk, Kind, Node } from './disk.ts'
import { Tree } from './disk-paths.ts'

const PIECE = 256 * 1024
const UMASK = 0o022

export function filesOn(disk: Disk, now: () => number): Files {
  const tree = new Tree(disk, disk.root)
  const make = new Making(disk, now)
  const { open, writer } = make
  return {
    ...make.names(tree, path => path),
    read: path => {
      const node = tree.find(path, 'follow')
      if (node?.kind === 'directory') throw new SystemFailure('EISDIR', `read '${path}'`)
      return node?.bytes.slice()
    },
    create: (path, mode) => {
      const node = open(tree, path, path, mode)
      if (node.bytes.length > 0) disk.setBytes(node, new Uint8Array(0), now())
      return writer(node)
    },
    append: (path, mode) => {
      return writer(open(tree, path, path, mode))
    },
    list: path => {
      const node = tree.find(path, 'follow')
      return node?.kind === 'directory' ? [...node.names.keys()].sort() : undefined
    },
    link: (existing, path) => {
      const node = tree.need(existing)
      const { parent, name } = tree.locate(path)
      if (parent.device !== node.device) throw new SystemFailure('EXDEV', `link '${path}'`)
      if (parent.names.has(name)) throw new SystemFailure('EEXIST', `link '${path}'`)
      disk.name(node.device, [{ directory: parent.id, name, to: node.id }])
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

/** What is done below `/` and below an open directory alike. `shown` gives the whole path, for those who watch. */
class Making {
  private readonly disk: Disk
  private readonly now: () => number

  constructor(disk: Disk, now: () => number) {
    this.disk = disk
    this.now = now
  }

  names(tree: Tree, shown: (name: string) => string): Names {
    const { disk } = this
    const removed = (name: string, node: Node) => {
      const at = tree.locate(name)
      disk.name(node.device, [{ directory: at.parent.id, name: at.name, to: null }])
      return true
    }
    return {
      stat: name => {
        const node = tree.find(name)
        return node && statOf(node)
      },
      readlink: name => {
        const node = tree.find(name)
        return node?.kind === 'symlink' ? node.target : undefined
      },
      open: name => {
        const node = tree.find(name)
        return node?.kind === 'directory' ? this.directory(node, shown(name)) : undefined
      },
      readPieces: (name, each) => {
        const node = tree.find(name)
        if (node === undefined) return undefined
        if (node.kind === 'symlink') throw new SystemFailure('ELOOP', `open '${shown(name)}'`)
        for (let at = 0; at < node.bytes.length; at += PIECE)
          if (each(node.bytes.slice(at, at + PIECE)) === false) break
        return statOf(node)
      },
      createNew: (name, mode) => {
        if (tree.find(name)) throw new SystemFailure('EEXIST', `open '${shown(name)}'`)
        return this.writer(this.open(tree, name, shown(name), mode))
      },
      mkdir: (name, mode) => {
        if (tree.find(name)?.kind === 'directory') return
        this.fresh(tree, name, shown(name), { kind: 'directory', mode: mode & ~UMASK })
      },
      symlink: (target, name) => {
        this.fresh(tree, name, shown(name), { kind: 'symlink', mode: 0o777, target })
      },
      rename: (from, to) => {
        this.rename(tree, from, to)
      },
      unlink: name => {
        const node = tree.find(name)
        if (node === undefined) return false
        if (node.kind === 'directory') throw new SystemFailure('EISDIR', `unlink '${shown(name)}'`)
        return removed(name, node)
      },
      rmdir: name => {
        const node = tree.find(name)
        if (node === undefined || node.names.size > 0) return false
        if (node.kind !== 'directory') throw new SystemFailure('ENOTDIR', `rmdir '${shown(name)}'`)
        return removed(name, node)
      },
    }
  }

  private directory(node: Node, path: string): Directory {
    const { disk } = this
    return {
      ...this.names(new Tree(disk, node), name => `${path === '/' ? '' : path}/${name}`),
      self: () => statOf(node),
      sync: () => {
        disk.sync(node)
      },
      close: () => {},
    }
  }

  readonly open = (tree: Tree, name: string, shown: string, mode: number): Node => {
    const node = tree.find(name, 'follow')
    if (node?.kind === 'directory') throw new SystemFailure('EISDIR', `open '${shown}'`)
    return node ?? this.fresh(tree, tree.followed(name), shown, { kind: 'file', mode: mode & ~UMASK })
  }

  readonly writer = (node: Node): Writer => ({
    write: bytes => {
      this.disk.setBytes(node, joined(node.bytes, bytes), this.now())
    },
    give: attributes => {
      this.disk.setAttributes(node, attributes)
    },
    sync: () => {
      this.disk.sync(node)
    },
    close: () => {},
  })

  private fresh(tree: Tree, at: string, shown: string, { kind, mode, target = '' }: Fresh): Node {
    const { disk } = this
    const { parent, name } = tree.locate(at)
    if (parent.names.has(name)) throw new SystemFailure('EEXIST', `make '${shown}'`)
    const node = disk.make(tree.deviceFor(shown, parent), kind, { mode, uid: 0, gid: 0 }, target)
    node.mtimeMs = this.now()
    disk.name(parent.device, [{ directory: parent.id, name, to: node.id }])
    return node
  }

  private rename(tree: Tree, from: string, to: string): void {
    const node = tree.need(from)
    const [source, goal] = [tree.locate(from), tree.locate(to)]
    if (goal.parent.device !== node.device) throw new SystemFailure('EXDEV', `rename '${to}'`)
    const there = tree.find(to)
    if (there?.kind === 'directory') throw new SystemFailure('EISDIR', `rename '${to}'`)
    // Two names of one file: rename(2) does nothing then.
    if (there === node) return
    this.disk.name(node.device, [
      { directory: source.parent.id, name: source.name, to: null },
      { directory: goal.parent.id, name: goal.name, to: node.id },
    ])
  }
}

interface Fresh {
  readonly kind: Kind
  readonly mode: number
  readonly target?: string
}

function statOf({ id, device, kind, attributes, bytes, target, mtimeMs }: Node): Stat {
  const size = kind === 'symlink' ? target.length : bytes.length
  return { kind, ...attributes, size, mtimeMs, identity: `${device}:${id}` }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}
