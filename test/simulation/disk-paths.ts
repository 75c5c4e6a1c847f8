/** Paths on a simulated disk, and the links on them. */
import { SystemFailure } from '../../agent/host/machine.ts'
import type { Device, Disk, Node } from './disk.ts'

/** Paths from `/`, or names in the directory `root`. */
export class Tree {
  private readonly disk: Disk
  private readonly root: Node

  constructor(disk: Disk, root: Node) {
    this.disk = disk
    this.root = root
  }

  find(path: string, last: 'follow' | 'stay' = 'stay'): Node | undefined {
    try {
      return this.walk(path, last)
    } catch (error) {
      if (error instanceof SystemFailure && ['ENOENT', 'ENOTDIR'].includes(error.code)) return undefined
      throw error
    }
  }

  need(path: string, last: 'follow' | 'stay' = 'stay'): Node {
    const node = this.walk(path, last)
    if (node === undefined) throw new SystemFailure('ENOENT', `find '${path}'`)
    return node
  }

  /** The directory that has, or would have, the path's last name. */
  locate(path: string): { readonly parent: Node; readonly name: string } {
    const at = path.lastIndexOf('/')
    const parent = this.need(path.slice(0, Math.max(at, 0)) || '/', 'follow')
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

  private walk(path: string, last: 'follow' | 'stay', hops = 0): Node | undefined {
    if (path.includes('\0')) throw new SystemFailure('EINVAL', `find '${path}'`)
    if (hops > 40) throw new SystemFailure('ELOOP', `find '${path}'`)
    const names = path.split('/').filter(name => name !== '' && name !== '.')
    let at: Node | undefined = this.root
    for (const [i, name] of names.entries()) {
      if (Buffer.byteLength(name) > 255) throw new SystemFailure('ENAMETOOLONG', `find '${path}'`)
      if (at === undefined) throw new SystemFailure('ENOENT', `find '${path}'`)
      if (at.kind !== 'directory') throw new SystemFailure('ENOTDIR', `find '${path}'`)
      const id = at.names.get(name)
      at = id === undefined ? undefined : this.disk.node(id)
      if (at?.kind === 'symlink' && (i < names.length - 1 || last === 'follow')) {
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
