import type { AppName } from '../../src/plan/names.ts'
import { APPS, currentOf } from '../../src/plan/places.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { dropTemporary, placeLink } from '../host/files.ts'
import type { Files } from '../host/machine.ts'
import { previousOf, versionName } from '../host/paths.ts'
import { restoreLink } from '../host/restore-link.ts'
import type { Before } from '../store/journal.ts'
import { type Action, leavesNothing } from './action.ts'

export const swapAction: Action<StepOf<'swap'>> = {
  systemd: 'unused',
  before: ({ app }, { machine }) => appLinks(machine.files, app),
  run({ app }, { machine: { files }, header }) {
    const current = files.readlink(currentOf(app))
    // `previous` first, so that it is right from the moment of the switch.
    if (current !== undefined) placeLink(files, current, previousOf(app))
    placeLink(files, versionName(header.to), currentOf(app))
  },
  undo: ({ app }, before, { machine }) => restoreLinks(machine.files, app, before),
  touches: ({ app }) => [`${APPS}/${app}`],
  leaves: leavesNothing,
}

export const removeAction: Action<StepOf<'remove'>> = {
  systemd: 'unused',
  before: ({ app }, { machine }) => appLinks(machine.files, app),
  run({ app }, { machine: { files } }) {
    files.unlink(currentOf(app))
    files.unlink(previousOf(app))
  },
  undo: ({ app }, before, { machine }) => restoreLinks(machine.files, app, before),
  // The app's directory is removed when the deployment is confirmed.
  touches: ({ app }) => [`${APPS}/${app}`, APPS],
  leaves: leavesNothing,
}

function appLinks(files: Files, app: AppName): Before {
  return {
    kind: 'app',
    current: files.readlink(currentOf(app)) ?? null,
    previous: files.readlink(previousOf(app)) ?? null,
  }
}

function restoreLinks(files: Files, app: AppName, before: Before): void {
  if (before.kind !== 'app') return
  restore(files, currentOf(app), before.current)
  restore(files, previousOf(app), before.previous)
}

function restore(files: Files, path: string, target: string | null): void {
  if (target !== null) restoreLink(files, target, path)
  else {
    dropTemporary(files, path)
    files.unlink(path)
  }
}
