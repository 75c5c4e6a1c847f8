/** Modes and owners, set in a version directory before the switch to it. */
import type { FileAttributes } from '../../src/plan/attributes.ts'
import type { HostState } from '../../src/plan/host-state.ts'
import { currentOf } from '../../src/plan/places.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { type Account, idOf } from '../host/accounts.ts'
import { type Machine, type Stat, SystemFailure } from '../host/machine.ts'
import { previousOf, versionPath } from '../host/paths.ts'
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
        throw new StepFailed(`'${app}/${file.path}': the ${missing.kind} '${missing.name}' does not exist`)
      // In a local host directory no users are created, so the file keeps its owner.
      applyAttributes(machine, path, { ...file, owner: null, group: null })
    }
  },
  // The version directory is not in use, and is collected as a whole.
  undo() {},
  touches: noNames,
  leaves: leavesNothing,
}

/** Durable when it returns. false, without any change, if the host does not know the user or group. */
export function applyAttributes(machine: Machine, path: string, attributes: FileAttributes): boolean {
  const { files } = machine
  const stat = files.stat(path)
  if (stat === undefined || unknownAccounts(machine, attributes).length > 0) return false
  const { uid, gid } = ownerOf(machine, attributes)
  // The owner first: with the mode, the file must not become readable for its former group.
  if ((uid ?? stat.uid) !== stat.uid || (gid ?? stat.gid) !== stat.gid)
    giveAway(machine, path, uid ?? stat.uid, gid ?? stat.gid)
  if (attributes.mode !== null) files.chmod(path, attributes.mode)
  files.sync(path)
  return true
}

/**
 * What the version before has under the name of a file that is for fewer now is for root alone, whatever it holds: a
 * secret that was readable for all by mistake does not stay so. May be repeated.
 */
export function closePrevious(machine: Machine, { apps }: HostState): void {
  const { files } = machine
  for (const { name, manifest } of apps)
    for (const { path } of manifest.files) {
      const now = files.stat(`${currentOf(name)}/${path}`)
      const before = `${previousOf(name)}/${path}`
      const was = files.stat(before)
      if (now?.kind !== 'file' || was?.kind !== 'file' || !isOpener(was, now)) continue
      // The mode last: by it the next session sees whether all was done.
      giveAway(machine, before, machine.user.uid, machine.user.gid)
      files.chmod(before, was.mode & 0o700)
    }
}

function isOpener(a: Stat, b: Stat): boolean {
  if ((a.mode & 0o077) === 0 && a.uid === 0 && a.gid === 0) return false
  return (a.mode & ~b.mode) !== 0 || a.uid !== b.uid || a.gid !== b.gid
}

/** false if the host does not know the owner. */
export function hasAttributes(machine: Machine, stat: Stat, attributes: FileAttributes): boolean {
  const { uid, gid } = ownerOf(machine, attributes)
  return (
    unknownAccounts(machine, attributes).length === 0 &&
    (uid ?? stat.uid) === stat.uid &&
    (gid ?? stat.gid) === stat.gid &&
    (attributes.mode ?? stat.mode) === stat.mode
  )
}

export function unknownAccounts(machine: Machine, attributes: FileAttributes): Account[] {
  return accountsOf(attributes).filter(account => idOf(machine, account) === undefined)
}

function accountsOf({ owner, group }: FileAttributes): Account[] {
  return [
    ...(owner === null ? [] : [{ kind: 'user', name: owner } as const]),
    ...(group === null ? [] : [{ kind: 'group', name: group } as const]),
  ]
}

/** undefined for what is not set, and for names that the host does not know. */
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
    // In a local host directory of another user than root, the files belong to that user.
    if (root === '' || !(error instanceof SystemFailure) || error.code !== 'EPERM') throw error
  }
}
