/** Host trees in memory: git objects made from paths and texts, with real names. */
import { createHash } from 'node:crypto'
import { type HostState, readHosts } from '../../src/plan/host-state.ts'
import type { Oid } from '../../src/plan/names.ts'
import { readAll } from '../../src/plan/reading.ts'

/** A text is a file; the longer form sets a mode, or makes what no checkout could make. */
export type Content = string | { readonly mode: string; readonly text: string }
export type Tree = { readonly [path: string]: Content }

export interface Built {
  readonly root: Oid
  readonly objects: ReadonlyMap<Oid, Uint8Array>
}

/** The tree object for `files`, and every object below it. */
export function buildTree(files: Tree): Built {
  const objects = new Map<Oid, Uint8Array>()
  return { root: write(objects, nest(files)), objects }
}

/** The state that a host with these files has. */
export function stateOf(files: Tree): HostState {
  const { root, objects } = buildTree(files)
  return readAll(readHosts([root]), () => objects)[0]!
}

type Nested = Map<string, Nested | Content>

function nest(files: Tree): Nested {
  const root: Nested = new Map()
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/')
    let at = root
    for (const part of parts.slice(0, -1)) {
      const next = at.get(part)
      if (next instanceof Map) at = next
      else {
        const made: Nested = new Map()
        at.set(part, made)
        at = made
      }
    }
    at.set(parts.at(-1)!, content)
  }
  return root
}

function write(objects: Map<Oid, Uint8Array>, tree: Nested): Oid {
  const entries = [...tree].map(([name, child]) => {
    if (child instanceof Map) return { name, sort: `${name}/`, mode: '40000', oid: write(objects, child) }
    const { mode, text } = typeof child === 'string' ? { mode: '100644', text: child } : child
    return { name, sort: name, mode, oid: hash(objects, 'blob', Buffer.from(text)) }
  })
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.sort), Buffer.from(b.sort)))
  const raw = entries.map(({ mode, name, oid }) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  )
  return hash(objects, 'tree', Buffer.concat(raw))
}

function hash(objects: Map<Oid, Uint8Array>, type: string, content: Buffer): Oid {
  const oid = createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex') as Oid
  objects.set(oid, content)
  return oid
}
