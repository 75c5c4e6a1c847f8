/** A rollout while it runs: a block that is redrawn in place on a terminal that can, plain lines elsewhere. */
import type { HostName } from '../plan/names.ts'
import { type HostEnd, isEnd, type ProgressKind, type RolloutEvent } from '../rollout/events.ts'
import { layout } from './layout.ts'
import type { Live } from './live.ts'
import type { Colors, Terminal } from './terminal.ts'
import { causeLines } from './text/cause-lines.ts'
import { type Cause, causeKey, causesOf } from './text/causes.ts'
import { explain } from './text/ends.ts'
import { eventLines, seconds } from './text/events.ts'
import { HostProgress } from './text/host-progress.ts'
import { recordLines } from './text/record.ts'

export interface Progress {
  event(event: RolloutEvent): void
  /** Leaves a record of how it ended, each cause explained once. Also after a rollout that broke off. */
  end(): void
}

interface ProgressOptions {
  /** Lines even where a block could be drawn. */
  readonly plain: boolean
  readonly ticks: () => number
}

export function makeProgress(
  terminal: Terminal,
  colors: Colors,
  hosts: readonly HostName[],
  { plain, ticks }: ProgressOptions,
): Progress {
  const { live } = terminal
  return plain || live === null
    ? makeLines(terminal, colors)
    : makeBlock({ terminal, live, colors, hosts, ticks })
}

function makeLines(terminal: Terminal, colors: Colors): Progress {
  const ends = new Map<HostName, HostEnd>()
  const told = new Set<string>()
  return {
    event(event) {
      const lines = eventLines(event, colors)
      const explanation = isEnd(event) ? explain(event, event.host) : null
      if (isEnd(event)) ends.set(event.host, event)
      const key = explanation && causeKey(event.host, explanation)
      // What explains it was told when it happened the first time.
      for (const line of key !== null && told.has(key) ? lines.slice(0, 1) : lines) terminal.note(line)
      if (key !== null) told.add(key)
    },
    end() {
      for (const cause of causesOf(ends))
        if (cause.hosts.length > 1)
          for (const line of causeLines(withoutLog(cause), null, colors)) terminal.note(line)
    },
  }
}

/** The log was shown with the first of the hosts. */
function withoutLog(cause: Cause): Cause {
  return { ...cause, body: cause.body.filter(({ kind }) => kind !== 'log') }
}

interface Block {
  readonly terminal: Terminal
  readonly live: Live
  readonly colors: Colors
  readonly hosts: readonly HostName[]
  readonly ticks: () => number
}

function makeBlock({ terminal, live, colors, hosts, ticks }: Block): Progress {
  const states = new Map(hosts.map(host => [host, new HostProgress(host)]))
  const all = [...states.values()]
  const started = ticks()
  const draw = () => {
    const now = ticks() - started
    live.draw(
      layout(
        all.map(host => host.row(now)),
        live,
        colors,
      ),
    )
  }
  const timer = setInterval(draw, FRAME_MS)
  // The second Ctrl-C ends the program at once, and must find the cursor visible.
  const release = terminal.onStop(() => {
    release()
    live.releaseCursor()
  })
  draw()
  return {
    event(event) {
      states.get(event.host)?.take(event)
      // What one would want to read again later.
      if (isRemarkable(event)) for (const line of remarkLines(event, colors)) terminal.note(line)
    },
    end() {
      clearInterval(timer)
      release()
      live.erase()
      for (const line of recordLines(all, colors)) terminal.note(line)
      const ends = all.flatMap(({ host, end }) => (end ? [[host, end] as const] : []))
      for (const cause of causesOf(ends))
        for (const line of causeLines(cause, live.columns, colors)) terminal.note(line)
    },
  }
}

/** Often enough to look alive; drawing 16 lines takes well under a millisecond. */
const FRAME_MS = 100

const REMARKABLE: { readonly [K in ProgressKind]: boolean } = {
  connecting: false,
  installing: false,
  connected: false,
  installed: false,
  recovered: true,
  staged: true,
  wave: false,
  step: false,
  restarted: true,
  watching: false,
  queued: false,
  proving: false,
  unproven: false,
  waiting: false,
  confirming: false,
  withdrawing: false,
  reconnecting: true,
}

function isRemarkable(event: RolloutEvent): boolean {
  return !isEnd(event) && REMARKABLE[event.kind]
}

function remarkLines(event: RolloutEvent, colors: Colors): string[] {
  const lines = eventLines(event, colors)
  if (event.kind !== 'staged') return lines
  return lines.slice(1).map(line => `${seconds(event.ms)}  ${event.host}  ${line.trimStart()}`)
}
