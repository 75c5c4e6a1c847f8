import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { HostName, Oid } from '../../src/plan/names.ts'
import { decodeReplyBytes, decodeRequestBytes, encodeMessage } from '../../src/protocol/codec.ts'
import { decodeReply, decodeRequest } from '../../src/protocol/decode.ts'
import { ProtocolError } from '../../src/protocol/decoders.ts'
import { encodeFrame, FrameReader, MAX_FRAME } from '../../src/protocol/frame.ts'
import type { Reply, Request } from '../../src/protocol/messages.ts'

const ID = '20261123T074502-3f9a1c0b7e' as DeploymentId
const OID = 'a'.repeat(40) as Oid

const requests: Request[] = [
  {
    type: 'deploy',
    id: ID,
    host: 'web1' as HostName,
    operator: 'Ada Łovelace <ada@example.org>',
    from: null,
    to: OID,
    digest: 'd',
    confirmMs: 30000,
    adopt: false,
    reconnect: false,
    repair: null,
  },
  { type: 'objects', objects: [{ oid: OID, bytes: Buffer.of(0, 1, 255), last: true }] },
  { type: 'stage' },
  { type: 'activate' },
  { type: 'wait', id: ID },
  { type: 'undo', id: ID, why: 'because' },
]

const replies: Reply[] = [
  {
    type: 'hello',
    version: '1',
    build: '2',
    hostname: 'web1',
    current: OID,
    recovered: { id: ID, outcome: 'undone' },
    pending: { holder: 'Ada', since: 1795420000000, id: ID, msLeft: null },
    now: 1_796_083_200_000,
  },
  {
    type: 'refused',
    refusal: { kind: 'plan', steps: [{ kind: 'settle', units: [], ms: 3 }, { kind: 'daemonReload' }] },
  },
  {
    type: 'refused',
    refusal: {
      kind: 'busy',
      holder: 'Ada',
      since: 1795420000000,
      id: ID,
      msLeft: 17000,
    },
  },
  { type: 'undone', failure: { step: 3, message: 'x', units: [] }, leftovers: ['y'] },
]

test('messages survive the way through bytes', () => {
  for (const request of requests) assert.deepEqual(decodeRequestBytes(encodeMessage(request)), request)
  for (const reply of replies) assert.deepEqual(decodeReplyBytes(encodeMessage(reply)), reply)
})

test('frames come out whole however the bytes are cut', () => {
  const bodies = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(70_000, 7), Buffer.from('end')]
  const stream = Buffer.concat(bodies.map(encodeFrame))
  for (const size of [1, 2, 3, 4, 5, 4096, stream.length]) {
    const reader = new FrameReader()
    const got: Buffer[] = []
    for (let at = 0; at < stream.length; at += size)
      for (const frame of reader.push(stream.subarray(at, at + size))) got.push(Buffer.from(frame))
    assert.deepEqual(got, bodies)
    assert.equal(reader.partial, false)
  }
})

test('a frame that is too long is refused by its header', () => {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(MAX_FRAME + 1)
  assert.throws(() => new FrameReader().push(header), ProtocolError)
})

test('every way to spoil a field is a protocol error that names it', () => {
  const spoil = (value: object, decode: (value: unknown) => unknown) => {
    for (const key of Object.keys(value))
      for (const bad of [undefined, 1.5, -1, {}, [], '\0', Number.NaN, [{}]])
        if (!accepts(value, key, bad))
          assert.throws(
            () => decode({ ...value, [key]: bad }),
            (error: Error) => {
              assert.ok(error instanceof ProtocolError, `${key}: ${error}`)
              return error.message.includes(key) || key === 'type'
            },
          )
  }
  for (const request of requests) spoil(request, decodeRequest)
  for (const reply of replies) spoil(reply, decodeReply)
})

/** The few spoilt values that are proper ones for their field. */
function accepts(value: object, key: string, bad: unknown): boolean {
  const type = (value as { type: string }).type
  if (Array.isArray(bad) && bad.length === 0)
    return ['objects', 'adopted', 'notes', 'leftovers'].includes(key)
  if (bad === '\0') return ['operator', 'digest', 'why', 'version', 'build', 'hostname'].includes(key)
  return type === 'hello' && key === 'now' && bad === undefined
}

test('bytes that are no message at all are a protocol error', () => {
  for (const bytes of [
    [],
    [0xc1],
    [0x91],
    [0xdf, 255, 255, 255, 255],
    [0xc7, 4, 0x69, 1, 2, 3, 4],
    [0xd4, 0x72, 0x40],
  ])
    for (const decode of [decodeRequestBytes, decodeReplyBytes])
      assert.throws(() => decode(Uint8Array.from(bytes)), ProtocolError)
  const deep = Buffer.concat([Buffer.alloc(200_000, 0x91), Buffer.from([0xc0])])
  assert.throws(() => decodeRequestBytes(deep), ProtocolError)
})
