/** Making durable what steps have changed outside of files that are synced one by one: names in directories. */
import { APPS, isDropInDirectory } from '../../src/plan/links.ts'
import type { Prepared } from '../store/journal.ts'
import { enablementLinks } from '../systemd/enablement-links.ts'
import { UNIT_DIRECTORY } from '../systemd/systemd.ts'
import type { Files } from './machine.ts'
import { parentOf } from './paths.ts'

/**
 * Syncs the directories in which the steps, or their undoing, made and removed names. systemctl and sysusers do not,
 * and /etc may be on another file system than our own journal.
 */
export function syncTouched(files: Files, prepared: readonly Prepared[]): void {
  const directories = new Set(prepared.flatMap(step => touchedBy(files, step)))
  for (const directory of directories) if (files.stat(directory)) files.sync(directory)
}

function touchedBy(files: Files, { step, before }: Prepared): string[] {
  switch (step.kind) {
    case 'swap':
      return [`${APPS}/${step.app}`]
    case 'remove':
      return [`${APPS}/${step.app}`, APPS]
    case 'link':
      return [parentOf(step.path), ...(before.kind === 'path' ? before.madeDirectories.map(parentOf) : [])]
    case 'unlink':
      return isDropInDirectory(parentOf(step.path))
        ? [parentOf(step.path), parentOf(parentOf(step.path))]
        : [parentOf(step.path)]
    case 'enable':
    case 'disable': {
      const links = [
        ...enablementLinks(files, step.units),
        ...(before.kind === 'enablement' ? before.links : []),
      ]
      return [UNIT_DIRECTORY, ...links.map(({ path }) => parentOf(path))]
    }
    case 'sysusers':
      return ['/etc']
    default:
      return []
  }
}
