/** Making durable what steps have changed outside of files that are synced one by one: names in directories. */
import type { Machine } from '../host/machine.ts'
import { inDirectory, unlessBlocked } from '../host/walk.ts'
import type { Prepared } from '../store/journal.ts'
import { actionFor } from './actions.ts'

/**
 * Syncs the directories in which the steps, or their undoing, made and removed names. systemctl and sysusers do not,
 * and /etc may be on another file system than our own journal.
 */
export function syncTouched(machine: Machine, prepared: readonly Prepared[]): void {
  const directories = new Set(
    prepared.flatMap(({ step, before }) => actionFor(step).touches(step, before, machine.files)),
  )
  // Where one cannot be reached any more, nothing was done.
  for (const path of directories)
    unlessBlocked(() => inDirectory(machine, path, 'leave', ({ directory }) => directory.sync()))
}
