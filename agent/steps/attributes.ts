/** Modes and owners that git cannot record, set in a version directory before it is switched to. */
import type { FileAttributes } from '../../src/plan/attributes.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { type Account, idOf } from '../host/accounts.ts'
import { type Machine, type Stat, SystemFailure } from '../host/machine.ts'
import { versionPath } from '../host/paths.ts'
import { type Action, leavesNothing, noNames, StepFailed } from './action.ts'

export const attributesAction: Action<StepOf<'attributes'>> = {
  systemd: 'unused',
  before: () => ({ kind: 'nothing' }),
  run({ app, files }, { machine, header }) {
    for (const file of files) {
      const path = `${versionPath(app, header.to)}/${file.path}`
      if (applyAttributes(machine, path, file)) continue
      const [missing] = unknownAccounts(machine, file)
      if (machine.root === '' && missing)
        throw new StepFailed(`'${app}/${file.path}': there is no ${missing.kind} '${missing.name}'`)
      // An embedded host makes no users: what it does not know by now it never will.
      applyAttributes(machine, path, { ...file, owner: null, group: null })
    }
  },
  // Nobody has seen the version directory, and it is collected as a whole.
  undo() {},
  touches: noNames,
  leaves: leavesNothing,
}

/** Sets them, durably. False, and nothing is set, where the host does not know the user or group yet. */
export function applyAttributes(machine: Machine, path: string, attributes: FileAttributes): boolean {
  const { files } = machine
  const stat = files.stat(path)
  if (stat === undefined || unknownAccounts(machine, attributes).length > 0) return false
  const { uid, gid } = ownerOf(machine, attributes)
  // The owner first: the file must not be readable for a group that is not its own yet.
  if ((uid ?? stat.uid) !== stat.uid || (gid ?? stat.gid) !== stat.gid)
    giveAway(machine, path, uid ?? stat.uid, gid ?? stat.gid)
  if (attributes.mode !== null) files.chmod(path, attributes.mode)
  files.sync(path)
  return true
}

/** Whether a file has them already; an owner that the host does not know is nobody's. */
export function hasAttributes(machine: Machine, stat: Stat, attributes: FileAttributes): boolean {
  const { uid, gid } = ownerOf(machine, attributes)
  return (
    unknownAccounts(machine, attributes).length === 0 &&
    (uid ?? stat.uid) === stat.uid &&
    (gid ?? stat.gid) === stat.gid &&
    (attributes.mode ?? stat.mode) === stat.mode
  )
}

/** The user and the group that the host does not have. */
export function unknownAccounts(machine: Machine, attributes: FileAttributes): Account[] {
  return accountsOf(attributes).filter(account => idOf(machine, account) === undefined)
}

function accountsOf({ owner, group }: FileAttributes): Account[] {
  return [
    ...(owner === null ? [] : [{ kind: 'user', name: owner } as const]),
    ...(group === null ? [] : [{ kind: 'group', name: group } as const]),
  ]
}

/** The ids that are set; undefined where none is, or the host does not know the name. */
export function ownerOf(machine: Machine, { owner, group }: FileAttributes) {
  return {
    uid: owner === null ? undefined : idOf(machine, { kind: 'user', name: owner }),
    gid: group === null ? undefined : idOf(machine, { kind: 'group', name: group }),
  }
}

function giveAway({ files, root }: Machine, path: string, uid: number, gid: number): void {
  try {
    files.chown(path, uid, gid)
  } catch (error) {
    // Whoever keeps an embedded host need not be root; the files are theirs then.
    if (root === '' || !(error instanceof SystemFailure) || error.code !== 'EPERM') throw error
  }
}
