/** Counting what is in MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) without unpacking it. */

/** Whether the bytes hold at most `limit` items: every key, value, array and map is one. */
export function hasAtMost(limit: number, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  for (let items = 0; at < bytes.length; items++) {
    if (items === limit) return false
    at += 1 + bodyLength(view, at)
  }
  return true
}

/** How many bytes of an item follow its first one, without the items in it. Too many where the frame is cut off. */
function bodyLength(view: DataView, at: number): number {
  const first = view.getUint8(at)
  // fixstr: its length is in the first byte.
  if (first >= 0xa0 && first <= 0xbf) return first & 0x1f
  const { bytes = 0, length = 0 } = HEADS[first] ?? {}
  if (at + length >= view.byteLength) return view.byteLength
  return length + bytes + announced(view, at + 1, length, first)
}

/** Of strings, bytes and extensions: how long they say they are. Arrays and maps say how many items follow. */
function announced(view: DataView, at: number, length: number, first: number): number {
  if (first >= 0xdc && first <= 0xdf) return 0
  if (length === 4) return view.getUint32(at)
  if (length === 2) return view.getUint16(at)
  return length === 1 ? view.getUint8(at) : 0
}

interface Head {
  /** Bytes of the value itself. */
  readonly bytes?: number
  /** Bytes of its length. */
  readonly length?: number
}

/** By the first byte, 0xc4 (bin 8) to 0xdf (map 32). All others are a value by themselves, or a map or an array. */
const HEADS: Readonly<Record<number, Head>> = {
  196: { length: 1 },
  197: { length: 2 },
  198: { length: 4 },
  199: { length: 1, bytes: 1 },
  200: { length: 2, bytes: 1 },
  201: { length: 4, bytes: 1 },
  202: { bytes: 4 },
  203: { bytes: 8 },
  204: { bytes: 1 },
  205: { bytes: 2 },
  206: { bytes: 4 },
  207: { bytes: 8 },
  208: { bytes: 1 },
  209: { bytes: 2 },
  210: { bytes: 4 },
  211: { bytes: 8 },
  212: { bytes: 2 },
  213: { bytes: 3 },
  214: { bytes: 5 },
  215: { bytes: 9 },
  216: { bytes: 17 },
  217: { length: 1 },
  218: { length: 2 },
  219: { length: 4 },
  220: { length: 2 },
  221: { length: 4 },
  222: { length: 2 },
  223: { length: 4 },
}
