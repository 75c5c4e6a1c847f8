/** What -h prints, and the short form that follows an error: laid out as git's own. */

interface Described {
  readonly flags: string
  readonly meaning: string
}

export function helpText(
  usage: readonly string[],
  options: readonly Described[],
  examples: readonly (readonly [line: string, meaning: string])[],
): string {
  return [
    synopsis(usage),
    '',
    ...columns(
      options.map(({ flags, meaning }) => [flags, meaning]),
      OPTIONS_WIDTH,
    ),
    '',
    'examples:',
    ...columns(examples, EXAMPLES_WIDTH),
  ].join('\n')
}

export function synopsis(usage: readonly string[]): string {
  return usage.map((line, i) => `${i === 0 ? 'usage:' : '   or:'} git deploy ${line}`).join('\n')
}

/** As far as a column goes; who is wider has the line to itself. Git's own are 22 wide. */
const OPTIONS_WIDTH = 22
const EXAMPLES_WIDTH = 38

function columns(rows: readonly (readonly [left: string, right: string])[], most: number): string[] {
  const width = Math.max(...rows.map(([left]) => left.length).filter(length => length <= most))
  const pad = (text: string) => `    ${text.padEnd(width)}`
  return rows.flatMap(([left, right]) =>
    left.length > width ? [`    ${left}`, `${pad('')}  ${right}`] : [`${pad(left)}  ${right}`],
  )
}
