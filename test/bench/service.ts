import type { Tree } from '../support/tree.ts'

export const HOSTS = ['web1', 'web2'] as const

/** The apps of every host. Their units are alike; only how long `watched` is watched differs. */
export const APPS = { quick: 0, watched: 300 } as const
export type AppName = keyof typeof APPS

/** Of Type=simple, so that nothing but the restart itself is measured. */
export const UNIT = `[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`

export function serviceTree(app: AppName): Tree {
  const manifest = { systemd: { units_enabled: [`${app}.service`], settle_ms: APPS[app] } }
  return Object.fromEntries(
    HOSTS.flatMap(host => [
      [`${host}/${app}/systemd/${app}.service`, UNIT],
      [`${host}/${app}/manifest.json`, JSON.stringify(manifest)],
      [`${host}/${app}/${app}.conf`, configOf('first')],
    ]),
  )
}

/** One line of many differs. */
export function changeTree(app: AppName, word: string): Tree {
  return Object.fromEntries(HOSTS.map(host => [`${host}/${app}/${app}.conf`, configOf(word)]))
}

function configOf(word: string): string {
  const lines = Array.from({ length: 40 }, (_, line) => `setting${line} = value${line}\n`)
  return `word = ${word}\n${lines.join('')}`
}
