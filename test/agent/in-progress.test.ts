/** A deployment that waits for its confirmation, as others see it; and whose clock that goes by. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from '../../agent/host/machine.ts'
import { serve } from '../../agent/session.ts'
import type { Deploy, Reply, Request } from '../../src/protocol/messages.ts'
import { Driver, makeRoot, NOTHING, prepare } from '../support/agent-driver.ts'
import { Conversation } from '../support/conversation.ts'
import { nodeMachine } from '../support/node-machine.ts'

const HOUR = 3_600_000

/** A deployment that has settled, and the session that waits for its confirmation. */
async function settled(t: TestContext, change: Partial<Deploy> = {}) {
  const root = makeRoot(t)
  const version = prepare(NOTHING, { 'a/x': 'one' }, change)
  const [{ id }] = version.requests as [Deploy]
  const driver = new Driver(root).say(...version.requests)
  t.after(() => driver.child.kill('SIGKILL'))
  assert.equal(typeOf(await driver.next()), 'hello')
  assert.equal(typeOf(await driver.next()), 'staged')
  driver.say({ type: 'activate' })
  assert.equal(typeOf(await driver.next()), 'settled')
  return { root, id, driver }
}

const typeOf = (reply: Reply | 'end') => (reply === 'end' ? reply : reply.type)

/** What a session of this process says, on a machine that is not quite the real one. */
function said(machine: Machine, requests: readonly Request[]): readonly Reply[] {
  const { read, write, replies } = new Conversation(requests)
  serve({ ...machine, write, input: { read } }, { version: '0', build: 'test' })
  return replies
}

test('whose it is, and how long it yet waiting: in the greeting and to who verifies', async t => {
  const { root, id, driver } = await settled(t)
  const [hello, verified] = said(nodeMachine({ root }), [{ type: 'verify' }])
  assert(hello?.type === 'hello' && verified?.type === 'verified')
  for (const { pending } of [hello, verified]) {
    assert.deepEqual([pending?.holder, pending?.id], ['Test <t@t>', id])
    assert.ok(pending!.msLeft! > 3000 && pending!.msLeft! <= 5000, `${pending!.msLeft} ms left`)
  }
  assert.deepEqual(verified.findings, [])
  driver.say({ type: 'confirm', id })
  assert.equal(typeOf(await driver.next()), 'outcome')
  await driver.end()
  const [after] = said(nodeMachine({ root }), [{ type: 'ping' }])
  assert(after?.type === 'hello')
  assert.equal(after.pending, null)
})

test('a clock that is set meanwhile makes the time neither longer nor shorter', async t => {
  const { root } = await settled(t)
  for (const jump of [-HOUR, HOUR]) {
    const machine = nodeMachine({ root })
    const [hello] = said({ ...machine, now: () => Date.now() + jump }, [{ type: 'ping' }])
    assert(hello?.type === 'hello')
    const { msLeft } = hello.pending!
    assert.ok(msLeft! > 3000 && msLeft! <= 5000, `${msLeft} ms left`)
  }
})

test('a clock that runs away on the host does not undo before its time', t => {
  const machine = nodeMachine({ root: makeRoot(t) })
  let now = Date.now()
  const runaway: Machine = {
    ...machine,
    now: () => {
      now += HOUR
      return now
    },
  }
  const { requests } = prepare(NOTHING, { 'a/x': 'one' }, { confirmMs: 400 })
  const started = performance.now()
  const replies = said(runaway, [...requests, { type: 'activate' }])
  assert.ok(performance.now() - started >= 400)
  const last = replies.at(-1)
  assert(last?.type === 'undone')
  assert.equal(last.failure.message, 'not confirmed within 0.4 s')
})

test('a clock that is set back meanwhile leaves a record of how it ended', t => {
  const root = makeRoot(t)
  const machine = nodeMachine({ root })
  let now = Date.now()
  const { requests } = prepare(NOTHING, { 'a/x': 'one' }, { confirmMs: 100 })
  const [{ id }] = requests as [Deploy]
  const backwards: Machine = {
    ...machine,
    now: () => {
      now -= HOUR
      return now
    },
  }
  said(backwards, [...requests, { type: 'activate' }])
  machine.exit()
  const [, outcome] = said(nodeMachine({ root }), [{ type: 'ask', id }])
  const why = 'not confirmed within 0.1 s'
  assert.deepEqual(outcome, { type: 'outcome', id, outcome: 'undone', why })
})

test('a word that comes after the time is over, because the host stood still, is too late', async t => {
  const { id, driver } = await settled(t, { confirmMs: 300 })
  driver.child.kill('SIGSTOP')
  driver.say({ type: 'confirm', id })
  // Past its time to be confirmed.
  await sleep(500)
  driver.child.kill('SIGCONT')
  assert.equal(typeOf(await driver.next()), 'undone')
})

test('a lock that somebody has written to holds nobody up', async t => {
  const { root, driver } = await settled(t)
  const lock = join(root, 'var/lib/deptool/lock')
  const [holder = ''] = readFileSync(lock, 'utf8').split('\n')
  for (const lines of [
    ['null', 'null'],
    ['{"operator":"Ada","id":"\u001b[2J","since":-1}'],
    [holder, '{"until":"soon"}'],
    [holder, 'null'],
    [holder, '[]'],
  ]) {
    writeFileSync(lock, `${lines.join('\n')}\n`)
    const [hello] = said(nodeMachine({ root }), [{ type: 'ping' }])
    assert(hello?.type === 'hello')
    assert.equal(hello.pending?.msLeft, null)
  }
  await driver.end()
})

test('how it ended is known to who asks while the next one takes the lock', t => {
  const root = makeRoot(t)
  const first = prepare(NOTHING, { 'a/x': 'one' }, { confirmMs: 100 })
  const [{ id }] = first.requests as [Deploy]
  const machine = nodeMachine({ root })
  // Between two looks of the one who asks, the deployment ends and another has the lock.
  let asked = 0
  const asking: Machine = {
    ...machine,
    lock: () => {
      if (asked++ === 0) {
        said(nodeMachine({ root }), [...first.requests, { type: 'activate' }])
        writeFileSync(join(root, 'var/lib/deptool/lock'), '{"operator":"Bob","id":"another","since":1}\n')
      }
      return false
    },
  }
  const [, answer] = said(asking, [{ type: 'ask', id }])
  assert(answer?.type === 'outcome')
  assert.equal(answer.outcome, 'undone')
  assert.equal(existsSync(join(root, 'var/lib/deptool/journal')), false)
})

test('an agent that was told to end while it staged does not begin, whatever it is told then', async t => {
  const root = makeRoot(t)
  const version = prepare(NOTHING, { 'app/x': 'one' })
  const driver = new Driver(root)
  assert.equal(typeOf(await driver.next()), 'hello')
  driver.child.kill('SIGSTOP')
  driver.say(...version.requests, { type: 'activate' })
  for (const signal of ['SIGTERM', 'SIGCONT'] as const) driver.child.kill(signal)
  assert.deepEqual([await driver.next(), await driver.next()].map(typeOf), ['staged', 'refused'])
  await driver.end()
  assert.deepEqual(readdirSync(join(root, 'var/lib/deptool/apps')), [])
  assert.equal(existsSync(join(root, 'var/lib/deptool/log')), false)
})

test('an agent that is told to end while it waits takes back what it waits for', async t => {
  const { root, driver } = await settled(t)
  driver.child.kill('SIGTERM')
  const reply = await driver.next()
  assert(reply !== 'end' && reply.type === 'undone')
  assert.equal(reply.failure.message, 'the agent was terminated')
  assert.equal(existsSync(join(root, 'var/lib/deptool/journal')), false)
})
