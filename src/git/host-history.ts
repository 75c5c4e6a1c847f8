/**
 * What is known to have come from one host: all that the history of its tracking ref leads to, and what the ref's reflog
 * still names. That an object is somewhere in the repository proves nothing, since a host may name whatever id it has seen.
 */
import { type HostName, type Oid, oid } from '../plan/names.ts'
import { git, type Repository } from './git.ts'
import { trackingRef } from './refs.ts'

export class HostHistory {
  readonly #repo: Repository
  readonly #host: HostName
  readonly #newest: Oid | null

  /** `newest` is what the tracking ref names; null for a host that is not tracked, of which nothing is known. */
  constructor(repo: Repository, host: HostName, newest: Oid | null) {
    this.#repo = repo
    this.#host = host
    this.#newest = newest
  }

  /** Of these objects, those that this history does not lead to. */
  async without(objects: ReadonlySet<Oid>): Promise<ReadonlySet<Oid>> {
    if (this.#newest === null || objects.size === 0) return objects
    // A host sends what its newest known version lacks, so as a rule that version has all the rest.
    const left = minus(objects, await this.#ofNewest(this.#newest))
    return left.size === 0 ? left : minus(left, await this.#ofAll(this.#newest))
  }

  async #ofNewest(newest: Oid): Promise<Oid[]> {
    const { stdout } = await git(this.#repo, ['ls-tree', '-r', '-t', '-z', newest])
    const entries = stdout.toString().split('\0')
    return [newest, ...entries.flatMap(entry => oid(entry.split(/[ \t]/, 3)[2] ?? '') ?? [])]
  }

  async #ofAll(newest: Oid): Promise<Oid[]> {
    const args = ['rev-list', '--objects', '--missing=allow-any', '--ignore-missing', '--stdin']
    const tips = [newest, ...(await this.#reflog())]
    const { stdout } = await git(this.#repo, args, { input: tips.map(tip => `${tip}\n`).join('') })
    return stdout
      .toString()
      .split('\n')
      .flatMap(line => oid(line.split(' ', 1)[0] ?? '') ?? [])
  }

  async #reflog(): Promise<Oid[]> {
    const args = ['rev-list', '--walk-reflogs', trackingRef(this.#host)]
    const { stdout } = await git(this.#repo, args, { okCodes: [0, 128] })
    return stdout
      .toString()
      .split('\n')
      .flatMap(line => oid(line) ?? [])
  }
}

function minus(objects: ReadonlySet<Oid>, known: readonly Oid[]): Set<Oid> {
  const left = new Set(objects)
  for (const one of known) left.delete(one)
  return left
}
