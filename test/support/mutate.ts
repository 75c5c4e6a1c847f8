/** Ways to spoil a conversation: its bytes, its frames, and what the frames say. */
import { Packr } from 'msgpackr'
import { encodeFrame } from '../../src/protocol/frame.ts'
import type { Random } from './random.ts'

/** The bytes of a conversation of messages, spoilt in one or a few ways. */
export function mutate(messages: readonly unknown[], random: Random): Uint8Array {
  const said = [...messages]
  for (let i = random.below(3); i > 0; i--)
    said.splice(random.below(said.length + 1), 0, random.one(messages))
  if (random.below(3) === 0) said.splice(random.below(said.length), 1)
  if (random.below(2) === 0) {
    const at = random.below(said.length)
    if (said.length > 0) said[at] = spoil(structuredClone(said[at]), random)
  }
  let bytes = Buffer.concat(said.map(message => encodeFrame(packr.pack(message))))
  if (random.below(20) === 0) bytes = Buffer.concat([bytes, encodeFrame(random.one(BODIES))])
  for (let i = random.below(3); i > 0 && bytes.length > 0; i--) bytes = onBytes(bytes, random)
  return bytes
}

const packr = new Packr({ useRecords: false })

/** One value somewhere inside, replaced. */
function spoil(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || random.below(4) === 0)
    return random.one(ODD)
  const key = random.one([...Object.keys(value), 'more'])
  const inside = value as Record<string, unknown>
  if (random.below(6) === 0) delete inside[key]
  else inside[key] = spoil(inside[key], random)
  return value
}

const deep = Array.from({ length: 300 }).reduce(value => [value], [] as unknown)

const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  '',
  '../../../../etc/passwd',
  '/etc/passwd',
  'a\0b',
  '\ud800',
  'x'.repeat(100_000),
  [],
  {},
  { __proto__: null, constructor: 1 },
  JSON.parse('{"__proto__": {"type": "deploy"}}'),
  new Uint8Array(0),
  new Uint8Array(70_000),
  new Date(0),
  deep,
  10n ** 18n,
]

/** Bodies that no packer writes: arrays in arrays, a map and a string of four billion, nothing. */
const BODIES: readonly Uint8Array[] = [
  Buffer.alloc(100_000, 0x91),
  Buffer.alloc(1000, 0x81),
  Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff, 0x00]),
  Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 0x41]),
  Buffer.from([0xc9, 0xff, 0xff, 0xff, 0xff, 0x74]),
  Buffer.from([]),
]

function onBytes(bytes: Buffer<ArrayBuffer>, random: Random): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length)
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      bytes[at] = random.below(256)
      return bytes
    case 2:
      bytes[at]! ^= 1 << random.below(8)
      return bytes
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff, 0xff, 0xff, 0xff]), bytes.subarray(at)])
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64))])
    default:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(bytes.length))])
  }
}
