/** The steps that switch an app: `current` and `previous`. */

import type { AppName } from '../../src/plan/names.ts'
import { APPS, currentOf } from '../../src/plan/places.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { dropTemporary, placeLink } from '../host/files.ts'
import type { Files } from '../host/machine.ts'
import { previousOf, versionName } from '../host/paths.ts'
import type { Before } from '../store/journal.ts'
import { type Action, leavesNothing } from './action.ts'

export const swapAction: Action<StepOf<'swap'>> = {
  systemd: 'unused',
  before: ({ app }, { machine }) => appLinks(machine.files, app),
  run({ app }, { machine: { files }, header }) {
    const current = files.readlink(currentOf(app))
    // Beforehand, so that `previous` is right from the first moment of the new version.
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
  // The app's directory is collected once the deployment is confirmed.
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
  dropTemporary(files, path)
  if (target === null) files.unlink(path)
  else if (files.readlink(path) !== target) placeLink(files, target, path)
}
