/** What skip-reporter.mjs says of a test. */
export interface LeftOut {
  readonly name: string
  readonly reason: string
}

export interface ClosingWords {
  readonly lines: readonly string[]
  /** Whether something was left out that may not be. */
  readonly refused: boolean
}

/** The last lines of a run: which tests it left out, why, and whether it may. */
export function closingWords(leftOut: readonly LeftOut[], { allowed }: ClosingOptions): ClosingWords {
  const counts = countReasons(leftOut)
  const refused = [...counts.keys()].filter(reason => !allowed.some(pattern => pattern.test(reason)))
  return { lines: [...summary(leftOut.length, counts), ...complaint(refused)], refused: refused.length > 0 }
}

export interface ClosingOptions {
  /** Every reason is, where no one else will look at the result. */
  readonly allowed: readonly RegExp[]
}

export const ANY_REASON: readonly RegExp[] = [/^/]

function countReasons(leftOut: readonly LeftOut[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { reason } of leftOut) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return counts
}

function summary(total: number, counts: ReadonlyMap<string, number>): string[] {
  if (total === 0) return ['left out: no test']
  const reasons = [...counts].sort(([, one], [, other]) => other - one)
  return [
    `left out: ${total} ${total === 1 ? 'test' : 'tests'}`,
    ...reasons.map(([reason, count]) => `  ${String(count).padStart(4)}  ${reason}`),
  ]
}

function complaint(refused: readonly string[]): string[] {
  if (refused.length === 0) return []
  return [
    'FAILED: CI=true, and test/allowed-skips.ts does not have these reasons',
    ...refused.map(reason => `        ${reason}`),
  ]
}
