import { widthOf } from './width.ts'

/** The words on as few lines of at most `columns` as they fit, in order. A longer word has a line of its own. */
export function wrap(words: readonly string[], columns: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= columns)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
