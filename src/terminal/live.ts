/** The last lines of a terminal, redrawn in place. What else is written goes above them. */
import { widthOf } from './width.ts'

export interface Live {
  readonly columns: number
  readonly rows: number
  /** Replaces the lines. Each fits the screen; `painted` is how it is shown. Nothing happens while it is held. */
  draw(lines: readonly LiveLine[]): void
  /** Takes the lines away, and gives the cursor back. */
  erase(): void
  /** Gives the cursor back and leaves the lines where they are: somebody else may have written below them by now. */
  abandon(): void
  /** Gives the cursor back for good: from now on the program may be ended at any time. */
  releaseCursor(): void
  /** The screen is the caller's until it is done: for questions, and other programs. */
  hold<T>(act: () => Promise<T>): Promise<T>
}

export interface LiveLine {
  readonly text: string
  /** The same with colours. */
  readonly painted: string
}

interface Screen {
  write(text: string): unknown
  readonly columns?: number
  readonly rows?: number
}

export function makeLive(screen: Screen): Live {
  let shown: readonly LiveLine[] = []
  let held = 0
  let cursor: 'shown' | 'hidden' | 'released' = 'shown'
  const width = () => screen.columns || 80
  const abandon = () => {
    shown = []
    if (cursor !== 'hidden') return
    screen.write(SHOW)
    cursor = 'shown'
  }
  const erase = () => {
    if (shown.length > 0) screen.write(`${upOver(shown, width())}${CLEAR}`)
    abandon()
  }
  return {
    get columns() {
      return width()
    },
    get rows() {
      return screen.rows || 24
    },
    draw(lines) {
      if (held > 0) return
      const hide = cursor === 'shown' ? HIDE : ''
      if (hide) cursor = 'hidden'
      const body = lines.map(({ painted }) => `${painted}${TO_END}\n`).join('')
      // One write, and clearing behind the text instead of before it: nothing flickers.
      screen.write(`${hide}${upOver(shown, width())}${body}${CLEAR}`)
      shown = lines
    },
    erase,
    abandon,
    releaseCursor() {
      if (cursor === 'hidden') screen.write(SHOW)
      cursor = 'released'
    },
    async hold(act) {
      erase()
      held++
      try {
        return await act()
      } finally {
        held--
      }
    },
  }
}

// ECMA-48, and DEC's private mode for the cursor (DECTCEM).
const TO_END = '\x1b[K'
const CLEAR = '\x1b[J'
const HIDE = '\x1b[?25l'
const SHOW = '\x1b[?25h'

/** To the beginning of the lines. A terminal that has become narrower since has wrapped them. */
function upOver(lines: readonly LiveLine[], columns: number): string {
  const rows = lines.reduce((sum, { text }) => sum + Math.max(1, Math.ceil(widthOf(text) / columns)), 0)
  return rows > 0 ? `\r\x1b[${rows}A` : ''
}
