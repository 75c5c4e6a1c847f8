/** What explains a failure, as lines below its headline. */
import type { Detail } from './ends.ts'
import { cutTo, fold } from './width.ts'

/** For a screen of so many columns; null for a pipe, where nothing is broken or left out. */
export function detailLines(body: readonly Detail[], columns: number | null): string[] {
  return body.flatMap(({ kind, text }) => {
    if (kind === 'hint') return [`hint: ${text}`]
    const [first, next] = kind === 'log' ? ['  ', '    '] : ['', '  ']
    return columns === null ? [`${first}${text}`] : folded(text, { first, next, columns })
  })
}

/** A program may say a whole page in one line. What a hint says is not broken: it may be a command to copy. */
const ROWS = 3

/** `text` between two margins, on a few rows. */
export function folded(
  text: string,
  { first, next, columns }: { readonly first: string; readonly next: string; readonly columns: number },
): string[] {
  const lines = fold(text, Math.max(10, columns - next.length))
  const rows = lines.slice(0, ROWS)
  if (lines.length > ROWS) rows[ROWS - 1] = cutTo(`${rows[ROWS - 1]} …`, columns - next.length)
  return rows.map((line, i) => `${i === 0 ? first : next}${line}`)
}
