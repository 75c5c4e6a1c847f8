/** Bytes to text and back, for both engines: QuickJS has neither TextDecoder nor Buffer. */

/** undefined if the bytes are not UTF-8 (RFC 3629: no overlong forms, no surrogates). */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  let text = ''
  let chunk: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at++]!
    let point = first
    if (first >= 0x80) {
      const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
      if (first < 0xc2 || first > 0xf4 || at + more > bytes.length) return undefined
      point = first & (0x3f >> more)
      for (let i = 0; i < more; i++) {
        const next = bytes[at++]!
        if ((next & 0xc0) !== 0x80) return undefined
        point = (point << 6) | (next & 0x3f)
      }
      const least = more === 1 ? 0x80 : more === 2 ? 0x800 : 0x10000
      if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined
    }
    chunk.push(point)
    // Few enough arguments for a call on the smaller of the two engines' stacks.
    if (chunk.length === 4096) {
      text += String.fromCodePoint(...chunk)
      chunk = []
    }
  }
  return text + String.fromCodePoint(...chunk)
}

/** A lone surrogate becomes U+FFFD, as in the Encoding Standard. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (const char of text) {
    let point = char.codePointAt(0)!
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
    if (point < 0x80) bytes.push(point)
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f))
    else if (point < 0x10000)
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f))
    else
      bytes.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 0x3f),
        0x80 | ((point >> 6) & 0x3f),
        0x80 | (point & 0x3f),
      )
  }
  return Uint8Array.from(bytes)
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function toHex(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = ''
  for (let at = from; at < to; at++) text += DIGITS[bytes[at]!]
  return text
}
