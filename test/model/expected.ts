/** A host as it has to look: every path on it but what is systemd's or the store's, and what runs. From DESIGN 4 and 5. */
import type { Content } from '../support/tree.ts'
import {
  type App,
  type Declared,
  DISTRIBUTION,
  enabledBy,
  filesOf,
  manifestOf,
  shipped,
  unitText,
} from './declared.ts'

/** `0644 0:0 text`, `-> target`, by path. */
export type Portrait = Record<string, string>

export interface Expectation {
  readonly declared: Declared
  /** What was there before us, and what somebody put there meanwhile. */
  readonly foreign: ReadonlyMap<string, string>
  /** By name, the ids that the host has for them. */
  readonly ids: ReadonlyMap<string, number>
}

const APPS = '/var/lib/deptool/apps'
const ETC = '/etc/systemd/system'

export function portraitOf({ declared, foreign, ids }: Expectation): Portrait {
  const portrait: Portrait = Object.fromEntries(foreign)
  for (const [name, app] of declared) {
    for (const [path, content] of Object.entries(filesOf(name, app)))
      portrait[`${APPS}/${name}/current/${path}`] = shown(content, attributesOf(app, path, ids))
    portrait[`${APPS}/${name}/current/manifest.json`] = `0644 0:0 ${manifestOf(app)}`
    for (const [path, target] of linksOf(name, app)) portrait[path] = `-> ${APPS}/${name}/current/${target}`
    for (const [unit, { wantedBy, enabled }] of app.units)
      if (enabled && wantedBy !== null)
        portrait[`${ETC}/${wantedBy}.wants/${unit}`] = `-> ${ETC}/${shipped(unit)}`
    if (app.distribution)
      portrait[`${ETC}/multi-user.target.wants/${DISTRIBUTION}`] =
        `-> /usr/lib/systemd/system/${DISTRIBUTION}`
  }
  return portrait
}

/** What runs, by unit: what it was started with, and the configuration that it has read. */
export function runningIn(declared: Declared, distribution: string): Portrait {
  return Object.fromEntries(
    [...declared].flatMap(([name, app]) =>
      enabledBy(app).flatMap((unit): [string, string][] => {
        const file = app.units.get(unit)
        if (file === undefined)
          return [[unit, `${app.quadlets.get(unit.replace('.service', '')) ?? distribution} / `]]
        if (file.type === 'oneshot') return []
        return [[unit, `${unitText(name, file)}${file.dropIn ?? ''} / ${file.readsConfig ? app.config : ''}`]]
      }),
    ),
  )
}

/** The links that an app has on the host, to what in it. */
export function linksOf(name: string, app: App): Map<string, string> {
  const links = new Map(app.links)
  const places = {
    systemd: ETC,
    quadlets: '/etc/containers/systemd',
    sysusers: '/etc/sysusers.d',
    tmpfiles: '/etc/tmpfiles.d',
  }
  for (const path of Object.keys(filesOf(name, app)))
    for (const [directory, place] of Object.entries(places))
      if (path.startsWith(`${directory}/`)) links.set(`${place}${path.slice(directory.length)}`, path)
  return links
}

function attributesOf(app: App, path: string, ids: Expectation['ids']) {
  const data = app.data.get(path.replace(/^data\//, ''))
  if (data === undefined || !path.startsWith('data/')) return { mode: null, uid: 0 }
  return { mode: data.mode, uid: data.owner === null ? 0 : (ids.get(data.owner) ?? -1) }
}

function shown(
  content: Content,
  { mode, uid }: { readonly mode: number | null; readonly uid: number },
): string {
  const octal = (bits: number) => (mode ?? bits).toString(8).padStart(4, '0')
  if (typeof content === 'string') return `${octal(0o644)} ${uid}:0 ${content}`
  if ('symlink' in content) return `-> ${content.symlink}`
  if ('executable' in content) return `${octal(0o755)} ${uid}:0 ${content.executable}`
  throw new Error('the model has texts only')
}
