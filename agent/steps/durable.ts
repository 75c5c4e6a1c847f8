import type { Files } from '../host/machine.ts'
import type { Prepared } from '../store/journal.ts'
import { actionFor } from './actions.ts'

/**
 * Syncs the directories in which the steps, or their undo, have added and removed names: systemctl and systemd-sysusers
 * do not, and /etc may be on another file system than the journal.
 */
export function syncTouched(files: Files, prepared: readonly Prepared[]): void {
  const directories = new Set(
    prepared.flatMap(({ step, before }) => actionFor(step).touches(step, before, files)),
  )
  for (const directory of directories) if (files.stat(directory)) files.sync(directory)
}
