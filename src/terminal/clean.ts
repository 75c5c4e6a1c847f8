/** Text that somebody else chose, made safe to show: it must not drive the terminal or read as something else. */

/** Text from a host, on one line. */
export function printable(text: string): string {
  return cut(text)
    .replace(ESCAPE_SEQUENCE, '')
    .replace(/[\t\n\r]+/g, ' ')
    .replace(UNSAFE, '')
}

/** A path, in double quotes with C escapes where it would not show as it is; see core.quotePath in git-config(1). */
export function quoted(path: string): string {
  if (!NEEDS_QUOTES.test(path)) return path
  return `"${path.replace(/["\\]/g, '\\$&').replace(UNSAFE, escaped)}"`
}

/** Text that the operator chose: what would not show, or would drive the terminal, is there as a C escape. */
export function visible(text: string): string {
  return text.replace(UNSAFE, char => (char === '\t' ? char : escaped(char)))
}

/** More than anybody reads on one line, in characters; a host may send 16 MiB of what is slow to clean. */
const LONGEST = 8192

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

// ECMA-48: CSI and OSC with their parameters, the other string controls, and the two-byte escapes.
const ESCAPE_SEQUENCE =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/g

// C0, DEL, C1, and what reorders or hides text: bidirectional controls, zero-width characters, line separators.
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
const NEEDS_QUOTES = new RegExp(`["\\\\]|${UNSAFE.source}`)

const LETTERS: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
}

function escaped(char: string): string {
  return LETTERS[char] ?? [...new TextEncoder().encode(char)].map(octal).join('')
}

function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, '0')}`
}
