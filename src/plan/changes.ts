import { type App, type AppFile, type HostState, order } from './host-state.ts'
import { type Link, linksOf } from './links.ts'
import type { Oid } from './names.ts'

export type AppChange =
  | { readonly action: 'add'; readonly to: App; readonly from?: never }
  | { readonly action: 'update'; readonly from: App; readonly to: App }
  | { readonly action: 'remove'; readonly from: App; readonly to?: never }

/** The apps that differ, by name. */
export function changedApps(from: HostState, to: HostState): AppChange[] {
  const old = new Map(from.apps.map(app => [app.name, app]))
  const next = new Map(to.apps.map(app => [app.name, app]))
  return [...new Set([...old.keys(), ...next.keys()])].sort(order).flatMap((name): AppChange[] => {
    const before = old.get(name)
    const after = next.get(name)
    if (!before) return after ? [{ action: 'add', to: after }] : []
    if (!after) return [{ action: 'remove', from: before }]
    return before.tree === after.tree ? [] : [{ action: 'update', from: before, to: after }]
  })
}

/** A link that leads to another app than before is made, and not removed first. */
export function changedLinks(from: HostState, to: HostState): { unlink: Link[]; link: Link[] } {
  const old = new Map(from.apps.flatMap(linksOf).map(link => [link.path, link]))
  const next = new Map(to.apps.flatMap(linksOf).map(link => [link.path, link]))
  return {
    unlink: [...old.values()].filter(link => !next.has(link.path)),
    link: [...next.values()].filter(link => old.get(link.path)?.target !== link.target),
  }
}

/** Whether a file below the directory came, went or changed in any of the apps. */
export function changesBelow(directory: string, changes: readonly AppChange[]): boolean {
  const print = (app: App | undefined) =>
    app?.files
      .filter(file => file.path.startsWith(`${directory}/`))
      .map(file => `${file.path} ${file.mode} ${contentOf(app, file)}`)
      .join('\n') ?? ''
  return changes.some(change => print(change.from) !== print(change.to))
}

/** Equal if the file is. A symbolic link changes with its app: what it leads to is in there. */
export function contentOf(app: App, { mode, oid }: AppFile): Oid {
  return mode === '120000' ? app.tree : oid
}
