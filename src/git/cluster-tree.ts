/** A cluster as a commit has it: the trees of its hosts, brought to hold nothing but apps. */
import { order } from '../plan/host-state.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'
import { parseTree, type TreeEntry } from '../plan/tree.ts'
import type { Repository } from './git.ts'
import { appOf, hostOf, type LayoutEntry } from './layout.ts'
import type { ObjectReader } from './objects.ts'
import { makeTree, type Tree } from './tree-object.ts'

export interface HostTree {
  readonly host: HostName
  readonly tree: Oid
}

export interface ClusterTree {
  /** By name. */
  readonly hosts: readonly HostTree[]
  /** Their paths are below the cluster's directory. */
  readonly problems: readonly Problem[]
  /** Host trees that hold more than apps in the commit. As they are named here, they may not be written yet. */
  readonly rewritten: readonly Tree[]
}

/** `clean` names host trees that are known to hold apps only, and so need not be read. */
export async function readClusterTree(
  reader: ObjectReader,
  raw: Uint8Array,
  { format, clean }: { format: Repository['format']; clean?: ReadonlySet<Oid> },
): Promise<ClusterTree> {
  const length = format === 'sha256' ? 32 : 20
  const problems: Problem[] = []
  const hosts = parseTree(raw, length).flatMap(entry => {
    const host = hostOf(layoutEntry(entry), problems)
    return host === undefined ? [] : [{ host, tree: entry.oid }]
  })
  const contents = await reader.read(hosts.flatMap(({ tree }) => (clean?.has(tree) ? [] : [tree])))
  const rewritten: Tree[] = []
  const cleaned = hosts.map(({ host, tree }): HostTree => {
    const content = contents.get(tree)
    if (!content) return { host, tree }
    const entries = parseTree(content, length)
    const apps = entries.filter(entry => appOf(layoutEntry(entry), host, problems) !== undefined)
    if (apps.length === entries.length) return { host, tree }
    const made = makeTree(
      apps.map(({ name, oid }) => ({ mode: '40000', name, oid })),
      format,
    )
    rewritten.push(made)
    return { host, tree: made.oid }
  })
  return { hosts: cleaned.sort((a, b) => order(a.host, b.host)), problems, rewritten }
}

function layoutEntry(entry: TreeEntry): LayoutEntry {
  const { name } = entry
  if (entry.kind === 'refused') return { name, kind: 'other', refused: entry.why }
  if (entry.kind === 'tree') return { name, kind: 'directory' }
  return { name, kind: entry.mode === '120000' ? 'link' : 'other' }
}
