/** What explains a failure, as lines below its headline. */

import { cutTo, fold } from '../width.ts'
import type { Detail } from './ends.ts'

/** For a screen of so many columns; null for a pipe, where nothing is broken or left out. */
export function detailLines(body: readonly Detail[], columns: number | null): string[] {
  return body.flatMap(({ kind, text }) => {
    if (kind === 'hint') return [`hint: ${text}`]
    const [first, next] = kind === 'log' ? ['  ', '    '] : ['', '  ']
    return columns === null ? [`${first}${text}`] : folded(text, { first, next, columns })
  })
}

/** A program may say a whole page in one line: as much of it as three rows of 80 columns hold. */
const MOST = 240

/** `text` between two margins, on a few rows. */
function folded(
  text: string,
  { first, next, columns }: { readonly first: string; readonly next: string; readonly columns: number },
): string[] {
  const lines = fold(text, Math.max(10, columns - next.length))
  const most = Math.ceil(MOST / columns)
  const rows = lines.slice(0, most)
  if (lines.length > most) rows[most - 1] = cutTo(`${rows[most - 1]} …`, columns - next.length)
  return rows.map((line, i) => `${i === 0 ? first : next}${line}`)
}
