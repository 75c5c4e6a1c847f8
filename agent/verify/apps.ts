/** Drift in git-deploy's directory: version directories, `current`, and apps that are not declared. */
import { attributesOf, type FileAttributes } from '../../src/plan/attributes.ts'
import type { Finding } from '../../src/plan/drift.ts'
import type { App, AppFile, HostState } from '../../src/plan/host-state.ts'
import { appName, appPath } from '../../src/plan/names.ts'
import { APPS, currentOf } from '../../src/plan/places.ts'
import type { Files, Machine, Stat } from '../host/machine.ts'
import { isVersion } from '../host/paths.ts'
import { ownerOf } from '../steps/attributes.ts'
import { type Comparing, isObject, modeOf } from '../steps/checkout.ts'

/** The most files of an app that are named; the others are counted. */
const NAMED = 50

/** Throws Unwanted. */
export function findDriftOfApps(comparing: Comparing, state: HostState): Finding[] {
  const { files } = comparing.machine
  return [...state.apps.flatMap(app => findDriftOfApp(comparing, app)), ...findLeftovers(files, state)]
}

function findDriftOfApp(comparing: Comparing, app: App): Finding[] {
  const { files } = comparing.machine
  const current = files.readlink(currentOf(app.name)) ?? null
  const directory = `${APPS}/${app.name}/${current}`
  const runs = files.stat(`${APPS}/${app.name}`)?.kind === 'directory' && current !== null
  if (!runs || !isVersion(current) || files.stat(directory)?.kind !== 'directory')
    return [{ kind: 'current', app: app.name, found: current }]
  const found = [...findDriftOfFiles(comparing, app, directory), ...findExtras(files, app, directory)]
  const named: Finding[] = found.slice(0, NAMED)
  return found.length > NAMED
    ? [...named, { kind: 'more', app: app.name, count: found.length - NAMED }]
    : named
}

function findDriftOfFiles(comparing: Comparing, app: App, directory: string): Finding[] {
  return app.files.flatMap((file): Finding[] => {
    const how = driftOf(comparing, app, file, `${directory}/${file.path}`)
    return how === undefined ? [] : [{ kind: 'file', app: app.name, path: file.path, how }]
  })
}

function driftOf(comparing: Comparing, app: App, file: AppFile, path: string) {
  const { machine } = comparing
  const stat = machine.files.stat(path)
  if (stat === undefined) return 'missing'
  if (stat.kind !== (file.mode === '120000' ? 'symlink' : 'file')) return 'kind'
  if (!isObject(comparing, path, stat, file.oid)) return 'changed'
  if (stat.kind !== 'file') return undefined
  const attributes = attributesOf(app.manifest.files, file.path)
  if (stat.mode !== (attributes?.mode ?? modeOf(file))) return 'mode'
  return isAnothers(machine, stat, attributes) ? 'owner' : undefined
}

/** A local host directory belongs to whoever keeps it. */
function isAnothers(machine: Machine, stat: Stat, attributes: FileAttributes | undefined): boolean {
  if (machine.root !== '') return false
  const { uid, gid } = attributes ? ownerOf(machine, attributes) : {}
  return stat.uid !== (uid ?? 0) || stat.gid !== (gid ?? 0)
}

/** What is in the version directory and not in the tree; a directory is named once. */
function findExtras(files: Files, app: App, directory: string): Finding[] {
  const known = new Set<string>()
  for (const { path } of app.files)
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) known.add(path.slice(0, at))
  const extras: Finding[] = []
  const walk = (below: string) => {
    for (const name of files.list(`${directory}/${below}`) ?? []) {
      const inApp = below === '' ? name : `${below}/${name}`
      const path = appPath(inApp)
      if (known.has(inApp)) {
        if (files.stat(`${directory}/${inApp}`)?.kind === 'directory') walk(inApp)
      } else if (path !== undefined) extras.push({ kind: 'file', app: app.name, path, how: 'extra' })
    }
  }
  walk('')
  return extras
}

function findLeftovers(files: Files, { apps }: HostState): Finding[] {
  const declared = new Set<string>(apps.map(({ name }) => name))
  return (files.list(APPS) ?? []).flatMap((name): Finding[] => {
    const app = appName(name)
    return app === undefined || declared.has(name) ? [] : [{ kind: 'leftoverApp', app }]
  })
}
