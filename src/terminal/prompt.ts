/** The one question of a deployment: y, n, or d to read the whole diff first. */
import type { Readable } from 'node:stream'
import { Fatal } from '../errors.ts'
import type { Terminal } from './terminal.ts'
import { wrap } from './wrap.ts'

/**
 * Asks until the answer is one. End of input and Ctrl-C mean no. `showDiff` has the terminal to itself. Throws Fatal
 * where nobody can be asked.
 */
export async function ask(
  question: string,
  showDiff: () => Promise<unknown>,
  terminal: Terminal,
): Promise<'yes' | 'no'> {
  const input = inputOf(terminal)
  // One for each reading: Ctrl-C in the diff's pager is the pager's.
  let reading = new AbortController()
  const release = terminal.onInterrupt(() => reading.abort())
  try {
    for (;;) {
      // The last column stays free for the answer.
      terminal.prompt(`${wrap([...question.split(' '), '[y/N/d]'], terminal.columns - 2).join('\n')} `)
      reading = new AbortController()
      const line = await readLine(input, reading.signal)
      if (line === null) terminal.note('')
      const answer = ANSWERS[line?.trim().toLowerCase() ?? 'n']
      if (answer === 'yes' || answer === 'no') return answer
      if (answer === 'diff') await showDiff()
      else terminal.note('y - deploy\nn, q - do not deploy\nd - show the full diff, then ask again')
    }
  } finally {
    release()
  }
}

/** Where the answer will come from. Throws Fatal where there is nobody to ask. */
export function inputOf({ input }: Terminal): Readable {
  if (input) return input
  throw new Fatal('cannot ask for confirmation: not a terminal', {
    hint: 'use --yes to deploy without being asked, or --dry-run to see the plan',
  })
}

const ANSWERS: Readonly<Record<string, 'yes' | 'no' | 'diff'>> = {
  y: 'yes',
  yes: 'yes',
  n: 'no',
  no: 'no',
  q: 'no',
  quit: 'no',
  '': 'no',
  d: 'diff',
  diff: 'diff',
}

/**
 * A line without its end; null where there is none. The terminal stays in its own line mode, so none has to be
 * restored.
 */
export function readLine(input: Readable, signal: AbortSignal): Promise<string | null> {
  return new Promise(resolve => {
    let text = ''
    const finish = (line: string | null) => {
      input.pause()
      input.off('data', onData)
      for (const event of ENDS) input.off(event, onEnd)
      signal.removeEventListener('abort', onEnd)
      resolve(line)
    }
    const onEnd = () => finish(null)
    const onData = (chunk: Buffer | string) => {
      text += chunk
      // What follows was typed before the next question was seen, and is no answer to it.
      if (text.includes('\n')) finish(text.slice(0, text.indexOf('\n')))
    }
    if (input.readableEnded || input.destroyed) return onEnd()
    for (const event of ENDS) input.on(event, onEnd)
    signal.addEventListener('abort', onEnd)
    input.on('data', onData).resume()
  })
}

const ENDS = ['end', 'error', 'close'] as const
