/** Text from a host, made fit for a terminal before anybody gets to see it. */

/** One line: controls, escapes and what reorders or hides text become '?', white space becomes a blank. */
export function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '?')
}

/** The first line that says something, at most `width` characters of it. '' where there is none. */
export function firstLine(text: string, width = 80): string {
  return cut(lines(text)[0] ?? '', width)
}

/** The last line that says something, at most `width` characters of it. '' where there is none. */
export function lastLine(text: string, width = 200): string {
  return cut(lines(text).at(-1) ?? '', width)
}

function lines(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map(line => printable(line).trim())
    .filter(line => line !== '')
}

function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line
}
