/**
 * What a host is to run, as data: a test writes it out as a config tree, and says by itself what a host then looks
 * like. Written from gitdeploy-tree(5); it shares nothing with the program.
 */
import type { Content, Tree } from '../support/tree.ts'

/** By name. */
export type Declared = ReadonlyMap<string, App>

export interface App {
  /** What its units read. A 'broken' one they will not have. */
  readonly config: string
  /** By path below `data/`. */
  readonly data: ReadonlyMap<string, Data>
  /** By unit name. */
  readonly units: ReadonlyMap<string, UnitFile>
  /** By the stem of the name. */
  readonly quadlets: ReadonlyMap<string, string>
  readonly sysusers: ReadonlySet<string>
  readonly tmpfiles: ReadonlySet<string>
  /** Absolute paths on the host, to what lies below `data/`, or to `data` itself. */
  readonly links: ReadonlyMap<string, string>
  /** Enables a unit that the distribution ships. */
  readonly distribution: boolean
  readonly validates: 'yes' | 'no' | 'unasked'
  readonly answers: 'yes' | 'no' | 'unasked'
}

export interface Data {
  readonly text: string
  readonly as: 'file' | 'executable' | 'link'
  readonly mode: number | null
  /** One of OWNERS, or a user of `sysusers`. */
  readonly owner: string | null
}

export interface UnitFile {
  readonly type: 'notify' | 'simple' | 'oneshot'
  readonly start: 'works' | 'fails' | 'crashes'
  readonly note: string
  readonly dropIn: string | null
  /** In which target's `.wants`; null: no [Install]. */
  readonly wantedBy: 'multi-user.target' | 'graphical.target' | null
  readonly enabled: boolean
  readonly reload: boolean
  readonly readsConfig: boolean
}

export const DISTRIBUTION = 'distro.service'

/** The config tree, below the host's directory. */
export function write(declared: Declared): Tree {
  return Object.fromEntries(
    [...declared].flatMap(([name, app]) =>
      Object.entries({ ...filesOf(name, app), 'manifest.json': manifestOf(app) }).map(
        ([path, content]): [string, Content] => [`${name}/${path}`, content],
      ),
    ),
  )
}

/** Everything that goes into the version directory but the manifest. */
export function filesOf(name: string, app: App): Tree {
  const files: Record<string, Content> = { config: app.config }
  for (const [path, { as, text }] of app.data)
    files[`data/${path}`] =
      as === 'link' ? { symlink: text } : as === 'executable' ? { executable: text } : text
  for (const [unit, file] of app.units) {
    files[`systemd/${shipped(unit)}`] = isShared(file)
      ? { symlink: `../units/${shipped(unit)}` }
      : unitText(name, file)
    if (isShared(file)) files[`units/${shipped(unit)}`] = unitText(name, file)
    if (file.dropIn !== null) files[`systemd/${shipped(unit)}.d/more.conf`] = file.dropIn
  }
  for (const [stem, text] of app.quadlets) files[`quadlets/${stem}.container`] = text
  for (const user of app.sysusers) files[`sysusers/${user}.conf`] = `u ${user} -\n`
  for (const directory of app.tmpfiles) files[`tmpfiles/${directory}.conf`] = `d /run/${directory}\n`
  return files
}

export function manifestOf(app: App): string {
  const enabled = enabledBy(app)
  const reload = [...app.units].filter(([, unit]) => unit.enabled && unit.reload).map(([name]) => name)
  const attributes = [...app.data].filter(
    ([, { as, mode, owner }]) => as !== 'link' && (mode !== null || owner !== null),
  )
  return JSON.stringify({
    systemd: { units_enabled: enabled, units_reload: reload, settle_ms: 15 },
    symlinks: Object.fromEntries(app.links),
    files: Object.fromEntries(
      attributes.map(([path, { mode, owner }]) => [
        `data/${path}`,
        {
          ...(mode === null ? {} : { mode: `0${mode.toString(8).padStart(3, '0')}` }),
          ...(owner === null ? {} : { owner }),
        },
      ]),
    ),
    validate: app.validates === 'unasked' ? [] : [[app.validates === 'yes' ? 'true' : 'false']],
    checks:
      app.answers === 'unasked'
        ? []
        : [{ unix: app.answers === 'yes' ? '/etc/hostname' : '/run/nobody', within_ms: 60 }],
  })
}

export function enabledBy(app: App): string[] {
  return [
    ...[...app.units].filter(([, unit]) => unit.enabled).map(([name]) => name),
    ...[...app.quadlets.keys()].map(stem => `${stem}.service`),
    ...(app.distribution ? [DISTRIBUTION] : []),
  ]
}

/** Whether the unit file is a link to another of the app. By its text, so that it changes as that does. */
function isShared({ note }: UnitFile): boolean {
  return /[2-4]/.test(note)
}

/** The unit without its drop-ins. */
export function unitText(app: string, unit: UnitFile): string {
  const config = unit.readsConfig ? [`/var/lib/deptool/apps/${app}/current/config`] : []
  return [
    '[Service]',
    `Type=${unit.type}`,
    ['ExecStart=/bin/serve', ...(unit.start === 'works' ? [] : [`--${unit.start}`]), ...config].join(' '),
    // systemctl restarts what cannot reload.
    ...(unit.note.includes('5') ? [] : [['ExecReload=/bin/serve', '--again', ...config].join(' ')]),
    `X-Note=${unit.note}`,
    ...(unit.wantedBy === null ? [] : ['[Install]', `WantedBy=${unit.wantedBy}`]),
    // systemctl enables none of these beside it, since they are links; but it disables them.
    ...(unit.wantedBy !== null && unit.note.includes('4') ? ['Also=u1.service u2.service u3.service'] : []),
    '',
  ].join('\n')
}

/** `u@1.service` is made of `u@.service`. */
export function shipped(unit: string): string {
  return unit.replace(/@.*(?=\.)/, '@')
}

/** Whether it fails when it is started, or reloaded. */
export function fails({ config }: App, { start, readsConfig, type }: UnitFile): boolean {
  if (start === 'fails' || (readsConfig && config.includes('broken'))) return true
  return start === 'crashes' && type === 'simple'
}
