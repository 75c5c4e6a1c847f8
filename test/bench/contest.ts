import type { Figure } from './figure.ts'

export interface Contender {
  readonly name: string
  /** Not measured. */
  readonly prepare?: () => unknown
  readonly run: () => Promise<unknown>
  /** The contender that this one is compared with. */
  readonly over?: Contender
  readonly atMost?: number
}

/** Measures the contenders in turns, after a round that does not count. */
export async function contest(contenders: readonly Contender[], rounds: number): Promise<Figure[]> {
  const samples = new Map(contenders.map(contender => [contender, [] as number[]]))
  for (let round = -1; round < rounds; round++) {
    for (const contender of contenders) {
      await contender.prepare?.()
      const ms = await stopwatch(contender.run)
      if (round >= 0) samples.get(contender)!.push(ms)
    }
  }
  return contenders.map(contender => figureOf(contender, samples))
}

export async function stopwatch(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** Pairs every sample with that of its own round: what slows the machine down for a while slows both. */
function figureOf(contender: Contender, samples: ReadonlyMap<Contender, readonly number[]>): Figure {
  const { name, over, atMost } = contender
  const own = samples.get(contender)!
  const figure: Figure = { name, unit: 'ms', samples: own }
  if (!over) return figure
  const base = samples.get(over)!
  const ratio = { over: over.name, samples: own.map((ms, round) => ms / base[round]!) }
  return { ...figure, ratio: atMost === undefined ? ratio : { ...ratio, atMost } }
}
