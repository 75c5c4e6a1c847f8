/** What a link takes the place of, kept as `backup/<id>/<path>` for as long as a deployment may have to go back. */
import { copyFile } from '../host/contents.ts'
import { makeDirectories, temporaryFor } from '../host/files.ts'
import { type Files, type Machine, SystemFailure } from '../host/machine.ts'
import { BACKUP, parentOf } from '../host/paths.ts'
import type { Reached } from '../host/way.ts'
import { RESERVE } from '../space.ts'
import { type Context, StepFailed } from './action.ts'

/** Bits that make a program run as its owner or group. */
const SET_ID = 0o6000

export function keepLink(target: string, backup: string, { machine: { files } }: Context): void {
  const made = makeDirectories(files, parentOf(backup), 0o700)
  files.symlink(target, backup)
  syncNames(files, backup, made)
}

/** With mode and owner. A second link where nobody but root can put something in its place, else a copy. */
export function keepFile(
  { directory, path, stranger }: Reached,
  name: string,
  backup: string,
  context: Context,
): void {
  const { machine } = context
  const { files } = machine
  if (stranger) {
    const why = whyNotKept(machine, directory.stat(name) ?? { size: 0, mode: 0 })
    if (why !== undefined) throw new StepFailed(`'${path}/${name}' ${why}`)
  }
  const made = makeDirectories(files, parentOf(backup), 0o700)
  if (stranger || !linked(files, `${path}/${name}`, backup))
    copyFile({ names: directory, name }, { names: files, name: backup }, () => wanted(context))
  syncNames(files, backup, made)
}

/** Why a file that another user can exchange or write to must not be adopted; undefined where it may. */
export function whyNotKept(
  { files }: Machine,
  { size, mode }: { readonly size: number; readonly mode: number },
): string | undefined {
  if (mode & SET_ID) return 'runs as its owner or group (chmod u-s, g-s)'
  return size + RESERVE > files.space(parentOf(BACKUP)).bytes ? 'is too large to be kept' : undefined
}

/** Puts the file back: an undo is not interrupted. */
export function restoreFile(
  { directory, path, stranger }: Reached,
  name: string,
  backup: string,
  { machine: { files } }: Context,
): void {
  const temporary = temporaryFor(name)
  if (stranger || !linked(files, backup, `${path}/${temporary}`))
    copyFile({ names: files, name: backup }, { names: directory, name: temporary }, () => true)
  directory.rename(temporary, name)
}

/** Whether it could be given a second name, which keeps everything about it: not on another file system. */
function linked(files: Files, existing: string, path: string): boolean {
  try {
    files.link(existing, path)
    return true
  } catch (error) {
    if (error instanceof SystemFailure && error.code === 'EXDEV') return false
    throw error
  }
}

function syncNames(files: Files, backup: string, made: readonly string[]): void {
  for (const directory of new Set([...made, ...made.map(parentOf), parentOf(backup)])) files.sync(directory)
}

function wanted(context: Context): boolean {
  return context.interrupted() === undefined
}
