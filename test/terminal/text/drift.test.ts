import assert from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import { isSound } from '../../../src/inspected.ts'
import { deploymentId } from '../../../src/plan/deployment-id.ts'
import { hostName, must, type Oid } from '../../../src/plan/names.ts'
import { decodeReply } from '../../../src/protocol/decode.ts'
import { ProtocolError } from '../../../src/protocol/decoders.ts'
import type { Verified } from '../../../src/protocol/messages.ts'
import { driftLines } from '../../../src/terminal/text/drift.ts'

const ID = must(deploymentId, '20261123T074502-3f9a1c0b7e')
const OID = 'a'.repeat(40) as Oid
const plain = picocolors.createColors(false)
const host = must(hostName, 'web1')
const asked = { kind: 'asked', aheadMs: 0, host, hello: { current: OID, recovered: null } } as const
const EVIL = '\x1b[2J\x1b]0;owned\x07\u202etxt\r\n'

function verified(fields: object): Verified {
  const reply = decodeReply({ type: 'verified', findings: [], pending: null, last: null, ...fields })
  assert(reply.type === 'verified')
  return reply
}

test('what a hostile host says of itself drives no terminal', () => {
  const answer = {
    ...asked,
    verified: verified({
      findings: [
        { kind: 'unit', unit: 'a.service', state: EVIL },
        { kind: 'current', app: 'a', found: EVIL },
        { kind: 'damaged', id: ID, why: EVIL.repeat(10_000) },
      ],
      last: { id: ID, outcome: 'undone', why: EVIL },
    }),
  }
  const lines = driftLines(answer, OID, plain)
  assert.equal(lines.length, 4)
  for (const line of lines) assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u202e]/)
  assert.equal(isSound(answer, OID), false)
  assert.throws(() => verified({ last: { id: EVIL, outcome: 'undone', why: '' } }), ProtocolError)
})

test('a deployment under way, or rolled back, is no drift', () => {
  const pending = { holder: 'Ada', since: 1, id: ID, msLeft: 1200 }
  const underWay = { ...asked, verified: verified({ pending }) }
  assert.deepEqual(driftLines(underWay, OID, plain), [
    `web1  deployment in progress: locked by Ada since 1970-01-01T00:00:00.001Z (deployment ${ID}; waiting for confirmation, 2 s left)`,
  ])
  const undone = {
    ...asked,
    verified: verified({ last: { id: ID, outcome: 'undone', why: 'a failed' } }),
  }
  assert.deepEqual(driftLines(undone, OID, plain), [
    'web1  ok',
    `web1  the last deployment, ${ID}, was rolled back: a failed`,
  ])
  assert.ok(isSound(underWay, OID) && isSound(undone, OID))
})

test('of 90,000 findings there are as many as somebody reads, and the number of the others', () => {
  const findings = Array.from({ length: 90_000 }, (_, i) => ({
    kind: 'leftoverLink',
    path: `/etc/l${i}`,
    target: '/x',
  }))
  const lines = driftLines({ ...asked, verified: verified({ findings }) }, OID, plain)
  assert.equal(lines.length, 201)
  assert.equal(lines.at(-1), 'web1  … and 89800 more')
})

test('how a deployment ended that had been cut off is told in words', () => {
  const told = (['held', 'undone', 'damaged', 'unknown'] as const).flatMap(outcome =>
    driftLines(
      { ...asked, hello: { current: OID, recovered: { id: ID, outcome } }, verified: verified({}) },
      OID,
      plain,
    ),
  )
  assert.deepEqual(
    told.filter(line => line !== 'web1  ok'),
    [
      `web1  an earlier deployment was interrupted: ${ID} succeeded`,
      `web1  an earlier deployment was interrupted: ${ID} was rolled back`,
      `web1  an earlier deployment was interrupted: ${ID} was rolled back incompletely`,
      `web1  an earlier deployment was interrupted: ${ID} has an unknown outcome`,
    ],
  )
})
