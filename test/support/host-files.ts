import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, posix } from 'node:path'

/**
 * The files of a host, seen from this machine. Paths are the host's own, and links are followed as the host would:
 * an absolute target starts at the host's root, not at ours.
 */
export class HostFiles {
  /** Where the host's `/` is on this machine. */
  readonly root: () => string
  constructor(root: () => string) {
    this.root = root
  }

  read(path: string): string {
    return readFileSync(this.#locate(path), 'utf8')
  }

  /** Whether something is there; a dangling link is not. */
  exists(path: string): boolean {
    return lstatSync(this.#locate(path), { throwIfNoEntry: false }) !== undefined
  }

  /** undefined where it is not a symbolic link. */
  readlink(path: string): string | undefined {
    const located = this.#locateLink(path)
    return isLink(located) ? readlinkSync(located) : undefined
  }

  /**
   * Everything below a directory, sorted, a line each: `0755 0:0 apps/`, `0644 0:0 apps/web/a.conf`,
   * `apps/web/current -> 0123456789`. Empty where there is no such directory.
   */
  tree(path: string): string[] {
    const top = this.#locate(path)
    return lstatSync(top, { throwIfNoEntry: false })?.isDirectory() ? listing(top, '') : []
  }

  #locate(path: string): string {
    let wanted = path
    for (let hops = 0; hops < 40; hops++) {
      const next = this.#followOne(wanted)
      if (next === undefined) return join(this.root(), wanted)
      wanted = next
    }
    throw new Error(`too many symbolic links: '${path}'`)
  }

  /** Like #locate, but a link at the very end of the path is not followed. */
  #locateLink(path: string): string {
    const parent = this.#locate(posix.dirname(path))
    return join(parent, posix.basename(path))
  }

  /** The path with its first link replaced by the link's target. undefined where it goes over none. */
  #followOne(path: string): string | undefined {
    const names = path.split('/').filter(name => name !== '')
    for (const [index, name] of names.entries()) {
      const parent = `/${names.slice(0, index).join('/')}`
      const here = join(this.root(), parent, name)
      if (isLink(here)) return posix.resolve(parent, readlinkSync(here), ...names.slice(index + 1))
    }
    return undefined
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function listing(top: string, below: string): string[] {
  return readdirSync(join(top, below))
    .sort()
    .flatMap(name => {
      const path = posix.join(below, name)
      const stat = lstatSync(join(top, path))
      if (stat.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(top, path))}`]
      const owned = `${(stat.mode & 0o7777).toString(8).padStart(4, '0')} ${stat.uid}:${stat.gid} ${path}`
      return stat.isDirectory() ? [`${owned}/`, ...listing(top, path)] : [owned]
    })
}
