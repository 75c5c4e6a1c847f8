import type { Tree } from '../support/tree.ts'

export interface Fleet {
  readonly hosts: number
  readonly apps: number
  readonly files: number
}

/** A config tree whose files all differ, as rendered ones do. */
export function fleetTree({ hosts, apps, files }: Fleet): Tree {
  return Object.fromEntries(
    count(hosts).flatMap(host =>
      count(apps).flatMap(app =>
        count(files).map(file => [
          `host${host}/app${app}/${file}.conf`,
          `# ${file} of ${app} on ${host}\n${'setting = value\n'.repeat(20)}`,
        ]),
      ),
    ),
  )
}

function count(to: number): number[] {
  return Array.from({ length: to }, (_, index) => index)
}
