/** How many cells were run, by each of two of their dimensions. */
import type { Cell } from './cells.ts'

export function tableOf(cells: readonly Cell[], row: (cell: Cell) => string): string[] {
  const faults = [...new Set(cells.map(({ fault }) => fault))]
  const rows = new Map<string, number[]>([['', []]])
  for (const cell of cells) {
    const counts = rows.get(row(cell)) ?? faults.map(() => 0)
    counts[faults.indexOf(cell.fault)]!++
    rows.set(row(cell), counts)
  }
  const width = Math.max(...[...rows.keys()].map(name => name.length))
  const line = (name: string, values: readonly (string | number)[]) =>
    [name.padEnd(width), ...values.map((value, i) => String(value).padStart(faults[i]!.length))].join('  ')
  const body = [...rows].filter(([name]) => name !== '').map(([name, counts]) => line(name, counts))
  return [line('', faults), ...body]
}
