import { stripVTControlCharacters } from 'node:util'
import { widthOf } from './width.ts'

/**
 * A line of words for a screen, broken between words and with what follows further in. What is in single quotes, and a
 * command to type, stays in one piece: the terminal wraps that in a way that can be copied. Colours take no room.
 */
export function foldLine(line: string, columns: number): string[] {
  if (room(line) <= columns || COMMAND.test(line)) return [line]
  const margin = `${/^ */.exec(line)![0]}  `
  const lines: string[] = []
  let last = ''
  for (const word of line.match(WORD) ?? []) {
    if (last !== '' && room(last) + room(word) > columns) {
      lines.push(last)
      last = margin + word.trimStart()
    } else last += word
  }
  return [...lines, last]
}

const COMMAND = /^(hint: git |usage: | {3}or: )/
/** With the space before it. */
const WORD = /\s*(?:'[^']*'\S*|\S+)/g

function room(text: string): number {
  return widthOf(text.includes('\x1b') ? stripVTControlCharacters(text) : text)
}
