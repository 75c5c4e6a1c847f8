/**
 * Whose ground a directory is. A host is root's; an embedded one also belongs to whoever runs the agent, and to the
 * owner of the directory that stands for '/'. Everybody else is a stranger: what a stranger can change must not lead the
 * agent to where he could not do himself what it does.
 */
import { accountName } from './accounts.ts'
import type { Machine, Stat } from './machine.ts'

export type Stranger =
  | { readonly kind: 'user' | 'group'; readonly id: number }
  | { readonly kind: 'all' | 'listed' }

/** Entries of such a directory are changed by their owners and its own only, rename(2). */
const STICKY = 0o1000

export class Trust {
  private readonly users: ReadonlySet<number>
  private readonly groups: ReadonlySet<number>

  constructor({ root, user }: Pick<Machine, 'root' | 'user'>, top: Stat) {
    const keepers = root === '' ? [] : [user, top]
    this.users = new Set([0, user.uid, ...keepers.map(({ uid }) => uid)])
    this.groups = new Set([0, ...keepers.map(({ gid }) => gid)])
  }

  /**
   * A stranger who can give and take names in the directory. The group bits say what an access control list grants at
   * most, acl(5).
   */
  strangerIn({ mode, uid, gid, acl }: Stat): Stranger | undefined {
    if (mode & 0o002) return { kind: 'all' }
    if (mode & 0o020 && acl) return { kind: 'listed' }
    if (mode & 0o020 && !this.groups.has(gid)) return { kind: 'group', id: gid }
    return this.users.has(uid) ? undefined : { kind: 'user', id: uid }
  }

  /** A stranger who can put another directory in the place of `inner`, but could not give and take names in it. */
  strangerBetween(outer: Stat, inner: Stat): Stranger | undefined {
    const { mode, uid, gid } = outer
    const open = inner.mode & STICKY ? 0 : inner.mode
    if (!this.users.has(uid) && inner.uid !== uid) return { kind: 'user', id: uid }
    if (mode & STICKY) return undefined
    if (mode & 0o002 && !(open & 0o002)) return { kind: 'all' }
    if (mode & 0o020 && outer.acl) return { kind: 'listed' }
    const shares = open & 0o020 && inner.gid === gid
    return mode & 0o020 && !this.groups.has(gid) && !shares ? { kind: 'group', id: gid } : undefined
  }

  /** A stranger who decides where a symbolic link in the directory leads, and could decide on strangers' ground. */
  strangerBehind(directory: Stat, link: Stat, target: string): Stranger | undefined {
    const stranger = this.strangerIn(directory)
    if (stranger === undefined) return this.users.has(link.uid) ? undefined : { kind: 'user', id: link.uid }
    // From his own directory onwards every step is looked at: it does not leave what is his.
    const stays = stranger.kind === 'user' && link.uid === stranger.id && !target.startsWith('/')
    return stays ? undefined : stranger
  }
}

/** As in "the user 'app' can replace it". */
export function strangerText(machine: Machine, stranger: Stranger): string {
  if ('id' in stranger) return `the ${stranger.kind} '${accountName(machine, stranger)}'`
  return stranger.kind === 'all' ? 'every user' : 'a user or group in its access control list'
}
