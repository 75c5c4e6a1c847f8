/** Files that somebody else may be writing to, or has made as large as he likes. */
import assert from 'node:assert/strict'
import { appendFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyFile, hashIfSized } from '../../agent/host/contents.ts'
import { type Machine, READ_MAX, type Stat } from '../../agent/host/machine.ts'
import { serve } from '../../agent/session.ts'
import { decodeReplyBytes, encodeMessage } from '../../src/protocol/codec.ts'
import { encodeFrame, FrameReader, MAGIC } from '../../src/protocol/frame.ts'
import type { Reply, Request } from '../../src/protocol/messages.ts'
import { deployTo, makeRoot, NOTHING, prepare } from '../support/agent-driver.ts'
import { nodeMachine } from '../support/node-machine.ts'

const MIB = 1024 * 1024
const PIECES = 16

function hostWith(t: TestContext, size: number) {
  const root = makeRoot(t)
  writeFileSync(join(root, 'etc/x'), '')
  truncateSync(join(root, 'etc/x'), size)
  return { root, machine: nodeMachine({ root }), x: join(root, 'etc/x') }
}

/** Acts once some pieces have been read. */
function afterPieces(machine: Machine, count: number, act: () => void) {
  let read = 0
  const files = {
    ...machine.files,
    readPieces: (path: string, each: (piece: Uint8Array) => unknown): Stat | undefined =>
      machine.files.readPieces(path, piece => {
        if (++read === count) act()
        return each(piece)
      }),
  }
  return { machine: { ...machine, files }, read: () => read }
}

test('a file is hashed if it has the size, whatever it says', t => {
  const { machine, x } = hostWith(t, MIB)
  const file = { names: machine.files, name: '/etc/x' }
  const hash = (size: number) => hashIfSized(file, size, machine.hasher('sha256'), () => true)
  assert.deepEqual([hash(MIB), hash(MIB - 1), hash(MIB + 1)], [true, false, false])
  const growing = afterPieces(machine, 1, () => appendFileSync(x, Buffer.alloc(8 * MIB)))
  const names = growing.machine.files
  assert.equal(
    hashIfSized({ names, name: '/etc/x' }, MIB, machine.hasher('sha256'), () => true),
    false,
  )
  assert.ok(growing.read() <= 5, 'no more is read than there should be')
})

test('hashing and copying end when nobody wants them any more', t => {
  const { machine } = hostWith(t, 8 * MIB)
  const file = { names: machine.files, name: '/etc/x' }
  let asked = 0
  const wanted = () => ++asked < 3
  assert.throws(() => hashIfSized(file, 8 * MIB, machine.hasher('sha256'), wanted), /interrupted/)
  assert.equal(asked, 3)
  assert.throws(() => copyFile(file, { names: machine.files, name: '/etc/y' }, wanted), /interrupted/)
})

test('a file that changes while it is copied is not taken for a whole one', t => {
  const { machine, root, x } = hostWith(t, MIB)
  const { files } = afterPieces(machine, 2, () => appendFileSync(x, 'more')).machine
  const copy = () => copyFile({ names: files, name: '/etc/x' }, { names: files, name: '/etc/y' }, () => true)
  assert.throws(copy, /'\/etc\/x' changed while it was copied/)
  assert.ok(statSync(join(root, 'etc/y')).size <= MIB)
})

test('what is read into memory has a limit', t => {
  const { machine } = hostWith(t, READ_MAX + 1)
  assert.throws(() => machine.files.read('/etc/x'), /EFBIG/)
})

for (const how of ['the operator gives up', 'the agent is terminated'] as const)
  for (const what of ['a deployment', 'verify'] as const)
    test(`${what} ends in the middle of a file when ${how}`, async t => {
      const root = makeRoot(t)
      const big = '\0'.repeat((PIECES * MIB) / 4)
      const first = prepare(NOTHING, { 'a/x': big })
      await deployTo(root, first)
      let gone = false
      const { machine, read } = afterPieces(nodeMachine({ root }), 0, () => {})
      const requests =
        what === 'verify'
          ? [{ type: 'verify' } as const]
          : prepare(first, { 'a/x': big, 'a/y': 'two' }).requests
      const replies = session(
        {
          ...machine,
          files: {
            ...machine.files,
            readPieces: (path, each) =>
              machine.files.readPieces(path, piece => {
                if (path.startsWith('/var/lib/deptool/apps')) gone = true
                return each(piece)
              }),
          },
          terminated: () => gone && how === 'the agent is terminated',
        },
        requests,
        () => gone && how === 'the operator gives up',
      )
      assert.ok(gone)
      assert.ok(read() < PIECES, `${read()} pieces of ${PIECES}`)
      const last = replies.at(-1)!
      if (what === 'verify' || how === 'the agent is terminated') assert.equal(last.type, 'refused')
      else assert.deepEqual([last.type, last.type === 'outcome' && last.outcome], ['outcome', 'undone'])
    })

function session(machine: Machine, requests: readonly Request[], hangsUp: () => boolean): Reply[] {
  const replies: Reply[] = []
  const reader = new FrameReader()
  const waiting = [...requests]
  let noise = MAGIC.length
  serve(
    {
      ...machine,
      lock: () => true,
      write: bytes => {
        for (const frame of reader.push(bytes.subarray(Math.min(noise, bytes.length))))
          replies.push(decodeReplyBytes(frame))
        noise -= Math.min(noise, bytes.length)
        return true
      },
      input: {
        read: () => {
          const next = waiting.shift()
          if (next !== undefined) return encodeFrame(encodeMessage(next))
          return hangsUp() ? 'end' : 'timeout'
        },
      },
    },
    { version: '0', build: 'test' },
  )
  return replies
}
