import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Tree } from '../support/tree.ts'

const CLUSTER = fileURLToPath(new URL('tree/prod', import.meta.url))

/** The config tree of the demo, `{{web1}}` and the like replaced by the address of that host. */
export function demoTree(hosts: readonly { readonly name: string; readonly address: string }[]): Tree {
  const files = readdirSync(CLUSTER, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = files.map(entry => join(entry.parentPath, entry.name))
  const fill = (text: string) =>
    hosts.reduce((filled, { name, address }) => filled.replaceAll(`{{${name}}}`, address), text)
  return Object.fromEntries(paths.map(path => [relative(CLUSTER, path), fill(readFileSync(path, 'utf8'))]))
}
