/** The steps that make and remove links outside our own directory. */

import type { HostPath } from '../../src/plan/names.ts'
import { APPS } from '../../src/plan/places.ts'
import { isDropInDirectory, unitBehind } from '../../src/plan/special-directories.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { copyFile, dropTemporary, makeDirectories, placeLink, temporaryFor } from '../host/files.ts'
import { type Files, type Machine, SystemFailure } from '../host/machine.ts'
import { backupPath, baseOf, parentOf } from '../host/paths.ts'
import { restoreLink } from '../host/restore-link.ts'
import { isOurs } from '../store/inventory.ts'
import type { Before, Was } from '../store/journal.ts'
import { type Action, type Context, leavesNothing } from './action.ts'

export const linkAction: Action<StepOf<'link'>> = {
  systemd: 'unused',
  before: ({ path }, context) => ({
    kind: 'path',
    was: whatIsAt(path, context),
    madeDirectories: missingDirectories(context.machine.files, parentOf(path)),
  }),
  run({ path, target }, { machine: { files } }) {
    makeDirectories(files, parentOf(path), 0o755)
    placeLink(files, target, path)
  },
  undo({ path, role }, before, context, deferred) {
    putBack(path, before, context)
    const unit = unitBehind(role, baseOf(path))
    if (unit !== undefined) deferred.withoutFile.add(unit)
  },
  touches: ({ path }, before) => [
    parentOf(path),
    ...(before.kind === 'path' ? before.madeDirectories.map(parentOf) : []),
  ],
  leaves: ({ path }) => ({ links: [path], units: [] }),
}

export const unlinkAction: Action<StepOf<'unlink'>> = {
  systemd: 'unused',
  before: ({ path }, context) => ({ kind: 'path', was: whatIsAt(path, context), madeDirectories: [] }),
  run({ path }, { machine: { files } }) {
    if (isOurs(files, path)) files.unlink(path)
    if (isDropInDirectory(parentOf(path))) files.rmdir(parentOf(path))
  },
  undo: ({ path }, before, context) => putBack(path, before, context),
  touches({ path }) {
    const directory = parentOf(path)
    return isDropInDirectory(directory) ? [directory, parentOf(directory)] : [directory]
  },
  leaves: leavesNothing,
}

/** What is at the path now; what is not ours is kept in the backup first, with its mode and owner. */
function whatIsAt(path: HostPath, { machine, header }: Context): Was {
  const { files } = machine
  const target = files.readlink(path)
  if (target?.startsWith(`${APPS}/`)) return { kind: 'link', target }
  if (target === undefined && files.stat(path)?.kind !== 'file') return { kind: 'absent' }
  const backup = backupPath(header.id, path)
  const made = makeDirectories(files, parentOf(backup), 0o700)
  if (target === undefined) linkOrCopy(machine, path, backup)
  else files.symlink(target, backup)
  for (const directory of new Set([...made, ...made.map(parentOf), parentOf(backup)])) files.sync(directory)
  return target === undefined ? { kind: 'file', backup } : { kind: 'link', target }
}

function putBack(path: string, before: Before, { machine }: Context): void {
  if (before.kind !== 'path') return
  const { files } = machine
  dropTemporary(files, path)
  // Absent: disabling a unit also takes the link away by which it is known.
  const free = isOurs(files, path) || files.stat(path) === undefined
  if (before.was.kind === 'absent' && free) files.unlink(path)
  else if (before.was.kind === 'link') restoreLink(files, before.was.target, path)
  else if (before.was.kind === 'file' && free) {
    makeDirectories(files, parentOf(path), 0o755)
    linkOrCopy(machine, before.was.backup, temporaryFor(path))
    files.rename(temporaryFor(path), path)
  }
  for (const directory of [...before.madeDirectories].reverse()) files.rmdir(directory)
}

/** A second link keeps everything about the file; where the file systems differ, content, mode and owner. */
function linkOrCopy(machine: Machine, from: string, to: string): void {
  try {
    machine.files.link(from, to)
  } catch (error) {
    if (!(error instanceof SystemFailure) || error.code !== 'EXDEV') throw error
    copyFile(machine, from, to)
  }
}

function missingDirectories(files: Files, path: string): string[] {
  return path === '/' || files.stat(path) ? [] : [...missingDirectories(files, parentOf(path)), path]
}
