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
    ...columns(options.map(({ flags, meaning }) => [flags, meaning])),
    '',
    'examples:',
    ...columns(examples),
  ].join('\n')
}

export function synopsis(usage: readonly string[]): string {
  return usage.map((line, i) => `${i === 0 ? 'usage:' : '   or:'} git deploy ${line}`).join('\n')
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `    ${left.padEnd(width)}  ${right}`)
}
