/** The ```console blocks of a page: what is typed, and what the terminal then shows. */

export interface Typed {
  /** With the lines of a here-document. */
  readonly command: string
  /** Empty where the page leaves it out. */
  readonly shown: string
}

/** A page in pieces: text that is not a block, and blocks as what was typed in them. */
export type Piece = string | readonly Typed[]

export function parsePage(page: string): Piece[] {
  return page
    .split(/^(```console\n[\s\S]*?^```\n)/m)
    .map((piece, i) => (i % 2 === 0 ? piece : parseBlock(piece)))
}

export function printPage(pieces: readonly Piece[]): string {
  return pieces
    .map(piece => (typeof piece === 'string' ? piece : `\`\`\`console\n${piece.map(print).join('')}\`\`\`\n`))
    .join('')
}

function parseBlock(block: string): Typed[] {
  const typed: { command: string; shown: string }[] = []
  let until: string | undefined
  for (const line of block.split('\n').slice(1, -2)) {
    const last = typed.at(-1)
    if (until !== undefined && last) {
      last.command += `\n${line}`
      if (line === until) until = undefined
    } else if (line.startsWith('$ ')) {
      typed.push({ command: line.slice(2), shown: '' })
      until = /<<'(\w+)'/.exec(line)?.[1]
    } else if (last) last.shown += `${line}\n`
  }
  return typed
}

function print({ command, shown }: Typed): string {
  return `$ ${command}\n${shown}`
}
