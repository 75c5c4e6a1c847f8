/** Where every host of a rollout stands, on a screen of any size. Pure. */
import type { HostName } from '../plan/names.ts'
import type { LiveLine } from './live.ts'
import type { Colors } from './terminal.ts'
import { cutTo, padTo, widthOf } from './width.ts'

export interface HostRow {
  readonly host: HostName
  readonly standing: Standing
  /** What it does, or how it ended; without escapes. */
  readonly text: string
  /** Since it was begun with; null where it was not yet. */
  readonly ms: number | null
  /** How far it is: those that are least far are what one waits for. */
  readonly progress: number
}

type Standing = 'waiting' | 'running' | 'done' | 'failed'

interface Space {
  readonly columns: number
  readonly rows: number
}

/** A line for each host where there is room; else who runs, who failed, and how many the others are. */
export function layout(rows: readonly HostRow[], space: Space, colors: Colors): LiveLine[] {
  // One row for the cursor below, one for the line above that says what this is about.
  const room = Math.max(1, Math.min(MOST, space.rows - 2))
  return rows.length <= room
    ? hostLines(rows, space, colors)
    : [...collapsed(rows, room - 1, space, colors), countLine(rows, space)]
}

/** As many hosts as the eye takes in, however high the screen. */
const MOST = 16

function collapsed(rows: readonly HostRow[], room: number, space: Space, colors: Colors): LiveLine[] {
  const failed = rows.filter(({ standing }) => standing === 'failed')
  const running = rows
    .filter(({ standing }) => standing === 'running')
    .sort((a, b) => a.progress - b.progress)
  // Failures stay, but those that run are never without a line.
  const forFailed = Math.min(failed.length, Math.max(room - running.length, Math.floor(room / 2)))
  const forRunning = Math.min(running.length, room - forFailed)
  return hostLines([...running.slice(0, forRunning), ...failed.slice(0, forFailed)], space, colors)
}

function hostLines(rows: readonly HostRow[], { columns }: Space, colors: Colors): LiveLine[] {
  const longest = Math.max(0, ...rows.map(({ host }) => widthOf(host)))
  const name = Math.min(longest, Math.max(8, Math.floor((columns - AHEAD) / 2)))
  // The last column stays empty: some terminals wrap as soon as it is written to.
  const rest = columns - 1 - AHEAD - name - 2
  return rows.map(({ host, standing, text, ms }) => {
    const left = `${elapsed(ms)}  ${padTo(cutTo(host, name), name)}  `
    const right = cutTo(text, rest)
    if (rest < 1) return plain(cutTo(left.trimEnd(), columns - 1))
    return { text: left + right, painted: left + paint(right, standing, colors) }
  })
}

/** How wide '  12.3 s  ' is. */
const AHEAD = 10

function elapsed(ms: number | null): string {
  return ms === null ? ' '.repeat(AHEAD - 2) : `${(ms / 1000).toFixed(1).padStart(6)} s`
}

function paint(text: string, standing: Standing, colors: Colors): string {
  const look = { waiting: colors.dim, running: String, done: colors.green, failed: colors.red }
  return look[standing](text)
}

function countLine(rows: readonly HostRow[], { columns }: Space): LiveLine {
  const count = (standing: Standing) => rows.filter(row => row.standing === standing).length
  const parts = (['done', 'failed', 'running', 'waiting'] as const)
    .map(standing => ({ standing, number: count(standing) }))
    .filter(({ number }) => number > 0)
  const ended = count('done') + count('failed')
  const said = parts.map(({ standing, number }) => `${number} ${standing}`).join(', ')
  return plain(cutTo(`${ended} of ${rows.length} hosts: ${said}`, columns - 1))
}

function plain(text: string): LiveLine {
  return { text, painted: text }
}
