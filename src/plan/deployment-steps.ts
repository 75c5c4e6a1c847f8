/** The steps of a deployment, from two states of a host. */
import { arrange, type Work } from './arrange.ts'
import { attributesOf, sameAttributes } from './attributes.ts'
import { type AppChange, changedApps, changedLinks, changesBelow } from './changes.ts'
import type { App, HostState } from './host-state.ts'
import { linksOf } from './links.ts'
import type { AppName, AppPath } from './names.ts'
import { type Applying, directoriesFor, isAppliedBy } from './special-directories.ts'
import type { Step } from './steps.ts'
import { unitChanges } from './unit-changes.ts'

/** The steps from one state to the other, in the order in which they are taken. None if they are equal. */
export function makeSteps(from: HostState, to: HostState): Step[] {
  const changes = changedApps(from, to)
  const apps = changes.flatMap(change => change.to ?? [])
  const units = unitChanges(from, to, changes)
  return arrange({
    apps,
    sysusers: appsToApply('sysusers', changes),
    attributes: changes.flatMap(newAttributes),
    ...units,
    ...changedLinks(from, to),
    remove: changes.flatMap(change => (change.to ? [] : [change.from.name])),
    tmpfiles: appsToApply('tmpfiles', changes),
    daemonReload: isDue('daemonReload', changes) || units.enable.length + units.disable.length > 0,
    settling: apps,
    checked: apps,
  })
}

function isDue(step: Applying, changes: readonly AppChange[]): boolean {
  return directoriesFor(step).some(directory => changesBelow(directory, changes))
}

/** The apps whose files for this step changed, and that have any. */
function appsToApply(step: Applying, changes: readonly AppChange[]): AppName[] {
  return changes
    .filter(change => isDue(step, [change]))
    .flatMap(({ to }) => (to && linksOf(to).some(({ role }) => isAppliedBy(step, role)) ? [to.name] : []))
}

/** The files that are new or changed, or whose attributes are. */
function newAttributes({ from, to }: AppChange): Work['attributes'] {
  const files = to?.manifest.files.filter(({ path }) => !isKept(path, from, to)) ?? []
  return to && files.length > 0 ? [{ app: to.name, files }] : []
}

/** Whether the file is in both versions with the same content, mode and attributes: on the host it is one file then. */
function isKept(path: AppPath, from: App | undefined, to: App): boolean {
  const [before, after] = [from, to].map(app => app?.files.find(file => file.path === path))
  return (
    from !== undefined &&
    before !== undefined &&
    before.oid === after?.oid &&
    before.mode === after.mode &&
    sameAttributes(attributesOf(from.manifest.files, path), attributesOf(to.manifest.files, path))
  )
}
