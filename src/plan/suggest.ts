/** A hint with the allowed word that was probably meant, or with all of them. */
export function suggest(word: string, allowed: readonly string[]): string {
  return didYouMean(word, allowed) ?? `expected one of ${allowed.map(name => `'${name}'`).join(', ')}`
}

export function didYouMean(word: string, allowed: readonly string[]): string | undefined {
  const near = nearest(word, allowed)
  return near === undefined ? undefined : `did you mean '${near}'?`
}

export function nearest(word: string, allowed: readonly string[]): string | undefined {
  const [near] = allowed
    .map(other => ({ other, distance: editDistance(word.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, distance }) => distance <= Math.max(1, Math.floor(other.length / 3)))
    .sort((a, b) => a.distance - b.distance)
  return near?.other
}

/** Damerau-Levenshtein: characters inserted, deleted, replaced or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? rows[i - 2]![j - 2]! + 1 : Infinity
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, replaced, swapped))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
