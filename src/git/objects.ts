/** Git objects out of the repository: one `git cat-file --batch` answers for as long as the command runs. */
import { Fatal } from '../errors.ts'
import { MissingObject } from '../plan/host-state.ts'
import type { Oid } from '../plan/names.ts'
import type { Contents, Reading } from '../plan/reading.ts'
import { type Answer, type Batch, startBatch } from './batch.ts'
import type { GitObject, LargeObject } from './batch-parser.ts'
import { streamContent } from './content.ts'
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
    // A plan in which nothing changes asks for nothing, and needs no process.
    const found = oids.length === 0 ? [] : await Promise.all(this.#ask(oids))
    return new Map(
      found.flatMap(object => (object && 'content' in object ? [[object.oid, object.content] as const] : [])),
    )
  }

  /** One object by its name, or by any expression of gitrevisions(7). Undefined where there is none. */
  async readTyped(name: string): Promise<GitObject | undefined> {
    // A second line would be a second question.
    const found = name.includes('\n') ? undefined : await this.#ask([name])[0]
    return found && 'content' in found ? found : undefined
  }

  /** One object, of which only the size is told where it is longer than `most`: then `stream` gives its content. */
  async readUpTo(oid: Oid, most: number): Promise<GitObject | LargeObject | undefined> {
    return await this.#ask([oid], most)[0]
  }

  /** Throws Fatal where git cannot give all of it. */
  stream({ type, oid }: LargeObject): AsyncGenerator<Uint8Array> {
    return streamContent(this.#repo, type, oid)
  }

  close(): void {
    this.#batch?.end()
    this.#batch = undefined
  }

  #ask(names: readonly string[], most = Number.POSITIVE_INFINITY): Promise<Answer>[] {
    if (!this.#batch?.running()) this.#batch = startBatch(this.#repo)
    return this.#batch.ask(names, most)
  }
}

/** An object that something else names, and that is not there. */
export class LostObject extends Fatal {
  constructor(oid: Oid) {
    super(`cannot read object ${oid}: it is not in this repository`, {
      hint: "run 'git fetch' to fetch what others have pushed, or 'git fsck' to find damage",
    })
  }
}

/** Runs a reading to its end. Throws LostObject. */
export async function drive<T>(reading: Reading<T>, reader: Pick<ObjectReader, 'read'>): Promise<T> {
  try {
    let next = reading.next()
    while (!next.done) next = reading.next(await reader.read(next.value))
    return next.value
  } catch (error) {
    throw error instanceof MissingObject ? new LostObject(error.oid) : error
  }
}
