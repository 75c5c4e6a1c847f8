/** Git objects out of the repository: one `git cat-file --batch` answers for as long as the command runs. */
import type { Oid } from '../plan/names.ts'
import type { Contents, Reading } from '../plan/reading.ts'
import { type Batch, startBatch } from './batch.ts'
import type { GitObject } from './batch-parser.ts'
import type { Repository } from './git.ts'

/** Its process starts with the first question, and never keeps ours alive; `close` ends it sooner. */
export class ObjectReader {
  readonly #repo: Repository
  #batch: Batch | undefined

  constructor(repo: Repository) {
    this.#repo = repo
  }

  /** The contents of those objects that exist. */
  async read(oids: readonly Oid[]): Promise<Contents> {
    const found = await Promise.all(this.#ask(oids))
    return new Map(found.flatMap(object => (object ? [[object.oid, object.content] as const] : [])))
  }

  /** One object by its name, or by any expression of gitrevisions(7). Undefined where there is none. */
  async readTyped(name: string): Promise<GitObject | undefined> {
    // A second line would be a second question.
    return name.includes('\n') ? undefined : await this.#ask([name])[0]
  }

  close(): void {
    this.#batch?.end()
    this.#batch = undefined
  }

  #ask(names: readonly string[]): Promise<GitObject | undefined>[] {
    if (!this.#batch?.running()) this.#batch = startBatch(this.#repo)
    return this.#batch.ask(names)
  }
}

/** Runs a reading to its end. */
export async function drive<T>(reading: Reading<T>, reader: Pick<ObjectReader, 'read'>): Promise<T> {
  let next = reading.next()
  while (!next.done) next = reading.next(await reader.read(next.value))
  return next.value
}
