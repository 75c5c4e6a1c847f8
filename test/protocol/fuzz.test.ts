/** Hostile bytes at both decoders: whatever comes, it is a message or a ProtocolError, and soon. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeReplyBytes, decodeRequestBytes } from '../../src/protocol/codec.ts'
import { ProtocolError } from '../../src/protocol/decoders.ts'
import { FrameReader } from '../../src/protocol/frame.ts'
import { mutate } from '../support/mutate.ts'
import { Random } from '../support/random.ts'
import { REPLIES, REQUESTS } from '../support/samples.ts'

const ROUNDS = 4000 * Number(process.env['GIT_DEPLOY_FUZZ'] ?? 1)

for (const [name, samples, decode] of [
  ['requests', REQUESTS, decodeRequestBytes],
  ['replies', REPLIES, decodeReplyBytes],
] as const)
  test(`${name}, ${ROUNDS} conversations spoilt at random`, t => {
    const seen = { messages: 0, refused: 0 }
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = new Random(seed)
      const bytes = mutate(samples, random)
      try {
        for (const frame of read(bytes, random)) {
          decode(frame)
          seen.messages++
        }
      } catch (error) {
        assert(
          error instanceof ProtocolError,
          `seed ${seed}: ${error instanceof Error ? error.stack : error}`,
        )
        assert(error.message.length < 500, `seed ${seed}: ${error.message.length} characters`)
        seen.refused++
      }
    }
    assert.equal(({} as { type?: unknown }).type, undefined, 'nobody got at Object.prototype')
    assert(seen.messages > ROUNDS && seen.refused > ROUNDS / 8, JSON.stringify(seen))
    t.diagnostic(JSON.stringify(seen))
  })

/** In pieces as a network makes them. */
function* read(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  const reader = new FrameReader()
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + random.below(random.one([3, 100, 1_000_000]))
    yield* reader.push(bytes.subarray(at, next))
    at = next
  }
}
