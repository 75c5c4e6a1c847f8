/** How much room text takes on a terminal, which is not its length. For text that was cleaned: no escapes in it. */

/** In columns: two for what is wide in East Asia and for pictures, none for what combines. */
export function widthOf(text: string): number {
  let width = 0
  for (const char of text) width += charWidth(char)
  return width
}

/** At most `columns` of the text, with an ellipsis where something is missing. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const char of text) {
    width += charWidth(char)
    if (width > columns - 1) break
    kept += char
  }
  return columns > 0 ? `${kept.trimEnd()}…` : ''
}

export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

/** The text in lines of at most `columns`, broken between words where there are any. */
export function fold(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<=\S)(?=\s)/)) {
    if (line !== '' && widthOf(line) + widthOf(word) > columns) {
      lines.push(line)
      line = word.trimStart()
    } else line += word
    while (widthOf(line) > columns && columns >= 2) {
      const head = take(line, columns)
      lines.push(head)
      line = line.slice(head.length)
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line]
}

function take(text: string, columns: number): string {
  let end = 0
  let width = 0
  for (const char of text) {
    width += charWidth(char)
    if (width > columns) break
    end += char.length
  }
  return text.slice(0, end)
}

function charWidth(char: string): number {
  const point = char.codePointAt(0)!
  if (point < 0x300) return 1
  // Here, and not above: reading what Unicode has of these takes a while.
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(char)) return 0
  return /^\p{Emoji_Presentation}$/u.test(char) || WIDE.some(([from, to]) => point >= from && point <= to)
    ? 2
    : 1
}

/** East_Asian_Width W and F, Unicode 15: https://www.unicode.org/Public/15.0.0/ucd/EastAsianWidth.txt */
const WIDE: readonly (readonly [from: number, to: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x20000, 0x3fffd],
]
