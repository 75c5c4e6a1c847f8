/** A cause as lines: the hosts, what went wrong there, what explains it, what to do. */

import type { Colors } from '../terminal.ts'
import { fold } from '../width.ts'
import type { Cause } from './causes.ts'
import { detailLines } from './details.ts'
import type { Detail } from './ends.ts'
import { names } from './names.ts'

/** For a screen of so many columns; null for a pipe. */
export function causeLines(
  { hosts, headline, body }: Cause,
  columns: number | null,
  colors: Colors,
): string[] {
  const heading = `${names(hosts, MANY)}: ${headline}`
  const lines = columns === null ? [heading] : fold(heading, columns - 2)
  return [
    ...lines.map((line, i) => colors.red(i === 0 ? line : `  ${line}`)),
    ...detailLines(hosts.length > 1 ? attributed(body, hosts[0]!) : body, columns),
  ]
}

/** As many as a plan names. */
const MANY = 20

/** A program's words are those of one host, whatever they stand for. */
function attributed(body: readonly Detail[], host: string): Detail[] {
  const first = body.findIndex(({ kind }) => kind === 'log')
  if (first < 0) return [...body]
  return [...body.slice(0, first), { kind: 'fact', text: `on ${host}:` }, ...body.slice(first)]
}
