/** What is measured, as it is printed and kept. Plain data. */

export interface Table {
  readonly title: string
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
}

export interface Figure {
  readonly name: string
  readonly unit: Unit
  readonly samples: readonly number[]
  readonly ratio?: Ratio
  /** What the figure itself should not exceed. */
  readonly atMost?: number
}

export type Unit = 'ms' | 'µs' | 'bytes' | 'KiB' | ''

export interface Ratio {
  readonly over: string
  readonly samples: readonly number[]
  readonly atMost?: number
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
