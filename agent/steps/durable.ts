import type { Machine } from '../host/machine.ts'
import { inDirectory, unlessBlocked } from '../host/walk.ts'
import type { Prepared } from '../store/journal.ts'
import { actionFor } from './actions.ts'

/**
 * Syncs the directories in which the steps, or their undo, have added and removed names: systemctl and systemd-sysusers
 * do not, and /etc may be on another file system than the journal.
 */
export function syncTouched(machine: Machine, prepared: readonly Prepared[]): void {
  const directories = new Set(
    prepared.flatMap(({ step, before }) => actionFor(step).touches(step, before, machine.files)),
  )
  // Where one cannot be reached any more, nothing was done.
  for (const path of directories)
    unlessBlocked(() => inDirectory(machine, path, 'leave', ({ directory }) => directory.sync()))
}
