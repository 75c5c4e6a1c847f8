/**
 * A walk along a path as root may: directory by directory, each opened and looked at before the next name in it counts,
 * so that nothing can be put in between. systemd-tmpfiles(8) walks this way too, but looks at owners only.
 */
import { accountName } from './accounts.ts'
import { type Directory, type Machine, type Stat, SystemFailure } from './machine.ts'
import { type Stranger, strangerText, Trust } from './trust.ts'

export type Walked = Reached | Blocked

export interface Reached {
  readonly kind: 'reached'
  /** The last directory of the path that is there. */
  readonly directory: Directory
  /** Its path without links. */
  readonly path: string
  /** The names of the path that are missing below it. */
  readonly missing: readonly string[]
  /** Who besides those to whom the host belongs can give and take names in it. */
  readonly stranger: Stranger | undefined
  /** Which directories they are, from '/' to it. */
  readonly through: readonly string[]
}

export interface Blocked {
  /** 'unsafe': root must not go there. 'no directory': something else is on the way. */
  readonly kind: 'unsafe' | 'no directory'
  readonly what: string
  readonly hint: string
}

/** As many as Linux follows. */
const MAX_LINKS = 40

interface Stage {
  readonly directory: Directory
  readonly path: string
  readonly stat: Stat
}

export class Way {
  private readonly machine: Machine
  private readonly trust: Trust
  /** From '/' to where it has come. */
  private readonly stages: Stage[] = []

  constructor(machine: Machine) {
    this.machine = machine
    const top = machine.files.open('/')
    if (top === undefined) throw new SystemFailure('ENOENT', "open '/'")
    this.enter('/', top)
    this.trust = new Trust(machine, this.here.stat)
  }

  close(): void {
    this.backTo(0)
  }

  to(path: string): Walked {
    const names = namesIn(path)
    for (let links = 0; names.length > 0; ) {
      const name = names.shift()!
      const found = name === '..' ? this.goUp() : this.goDown(name)
      if (found === 'missing') return this.reached([name, ...names])
      const target = found === 'link' ? this.follow(name) : found
      if (typeof target === 'object') return target
      if (target === undefined) continue
      if (++links > MAX_LINKS) return this.noDirectory(name)
      names.unshift(...namesIn(target))
    }
    return this.reached([])
  }

  private get here(): Stage {
    return this.stages[this.stages.length - 1]!
  }

  private enter(path: string, directory: Directory): void {
    this.stages.push({ directory, path, stat: directory.self() })
  }

  private backTo(count: number): void {
    for (const { directory } of this.stages.splice(count)) directory.close()
  }

  private reached(missing: readonly string[]): Walked {
    const { directory, path, stat } = this.here
    if (missing.includes('..')) return this.noDirectory(missing[0]!)
    return {
      kind: 'reached',
      directory,
      path,
      missing,
      stranger: this.trust.strangerIn(stat),
      through: this.stages.map(stage => stage.stat.identity),
    }
  }

  private goDown(name: string): Blocked | 'link' | 'missing' | undefined {
    const { directory, path } = this.here
    const inner = directory.open(name)
    if (inner === undefined) {
      const kind = directory.stat(name)?.kind
      return kind === undefined ? 'missing' : kind === 'symlink' ? 'link' : this.noDirectory(name)
    }
    this.enter(below(path, name), inner)
    return this.unsafeStep(this.stages[this.stages.length - 2]!, this.here)
  }

  /** To the directory from which it came here, whatever '..' may lead to by now. */
  private goUp(): Blocked | undefined {
    if (this.stages.length === 1) return undefined
    const from = this.here
    this.backTo(this.stages.length - 1)
    return this.unsafeStep(from, this.here)
  }

  private unsafeStep(from: Stage, to: Stage): Blocked | undefined {
    const stranger = this.trust.strangerBetween(from.stat, to.stat)
    if (stranger === undefined) return undefined
    const owner = accountName(this.machine, { kind: 'user', id: to.stat.uid })
    return this.unsafe(
      `'${to.path}' belongs to '${owner}', and ${this.text(stranger)} can put something else in its place`,
      `make '${from.path}' a directory that only '${owner}' and root can change, or choose another path`,
    )
  }

  /** Where the link leads. */
  private follow(name: string): string | Blocked {
    const { directory, path, stat } = this.here
    const link = directory.stat(name)
    const target = directory.readlink(name)
    if (link === undefined || target === undefined) return name
    const stranger = this.trust.strangerBehind(stat, link, target)
    if (stranger !== undefined)
      return this.unsafe(
        `'${below(path, name)}' is a symbolic link to '${target}', and ${this.text(stranger)} can change where it leads`,
        'choose the path to which it should lead, or put a directory in the place of the link',
      )
    if (target.startsWith('/')) this.backTo(1)
    return target
  }

  private text(stranger: Stranger): string {
    return strangerText(this.machine, stranger)
  }

  private unsafe(what: string, hint: string): Blocked {
    return { kind: 'unsafe', what, hint }
  }

  private noDirectory(name: string): Blocked {
    const what = `'${below(this.here.path, name)}' is not a directory`
    return { kind: 'no directory', what, hint: 'move it away' }
  }
}

function namesIn(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.')
}

export function below(directory: string, name: string): string {
  return `${directory === '/' ? '' : directory}/${name}`
}
