import { type Figure, median, type Table } from './figure.ts'

/** The table as text, its columns aligned. */
export function renderTable({ title, notes, figures }: Table): string {
  const rows = [HEAD, ...figures.map(cells)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  return [`== ${title}`, ...notes.map(note => `   ${note}`), ...lines.map(line => `  ${line}`)].join('\n')
}

const HEAD = ['', 'median', 'min', 'max', 'ratio', 'aim', '']

function cells({ name, unit, samples, ratio, atMost }: Figure): string[] {
  const show = (value: number) => `${value.toFixed(value < 100 && unit !== 'bytes' ? 1 : 0)} ${unit}`.trim()
  const judged = ratio?.atMost === undefined ? median(samples) : median(ratio.samples)
  const aim = ratio?.atMost ?? atMost
  return [
    name,
    show(median(samples)),
    show(Math.min(...samples)),
    show(Math.max(...samples)),
    ratio ? `${median(ratio.samples).toFixed(2)} x` : '',
    aim === undefined ? '' : `<= ${aim}`,
    aim === undefined ? '' : judged <= aim ? 'met' : 'MISSED',
  ]
}
