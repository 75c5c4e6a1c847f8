/** What this process has put into a repository: written again, as what was made ahead is, it costs no git process. */
import { createHash } from 'node:crypto'
import type { Oid } from '../plan/names.ts'
import type { ObjectType } from './batch-parser.ts'
import type { Repository } from './git.ts'
import { assertThere } from './unwritable.ts'

const written = new WeakMap<Repository, Set<Oid>>()

/** Has `write` put those into the repository that this process has not put there before. */
export async function writeOnce<T>(
  repo: Repository,
  objects: ReadonlyMap<Oid, T>,
  write: (missing: ReadonlyMap<Oid, T>) => Promise<void>,
): Promise<void> {
  const known = written.get(repo) ?? new Set()
  written.set(repo, known)
  const missing = new Map([...objects].filter(([oid]) => !known.has(oid)))
  if (missing.size === 0) return
  await write(missing).catch(error => assertThere(repo, [...missing.keys()], error))
  for (const oid of missing.keys()) known.add(oid)
}

/** The name that git gives an object. */
export function objectName(type: ObjectType, content: Uint8Array, format: Repository['format']): Oid {
  return createHash(format).update(`${type} ${content.length}\0`).update(content).digest('hex') as Oid
}

/** For whoever has to wait for git and will name objects then: loading node:crypto takes 3 ms. */
export function prepareToName(): void {
  createHash('sha1')
}
