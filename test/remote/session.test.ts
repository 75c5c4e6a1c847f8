import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import { hostName, must } from '../../src/plan/names.ts'
import type { Request } from '../../src/protocol/messages.ts'
import { connectLocal } from '../../src/remote/local.ts'
import { openSession } from '../../src/remote/session.ts'
import type { Connection, HostError } from '../../src/remote/transport.ts'
import { type FakeAgent, fakeAgents } from './fake-agent.ts'
import { temporaryDirectory } from './temporary.ts'

const ID = '20261123T074502-3f9a1c0b7e' as DeploymentId
const host = must(hostName, 'web1')

function embedded(t: TestContext, agent: FakeAgent = {}): Connection {
  const directory = temporaryDirectory(t)
  mkdirSync(join(directory, 'root'))
  const agents = fakeAgents(join(directory, 'agents'), agent)
  const address = { kind: 'local', host, root: join(directory, 'root') } as const
  const connection = { ...connectLocal(address, agents, process.env), now: () => new Date() }
  t.after(() => connection.close())
  return connection
}

test('the flight is answered without waiting for the greeting', async t => {
  const session = await openSession(embedded(t), { flight: () => [{ type: 'ask', id: ID }] })
  assert.equal(session.installed, false)
  assert.equal((await session.next(5000)).type, 'outcome')
  await session.send({ type: 'ask', id: ID })
  assert.equal((await session.next(5000)).type, 'outcome')
  session.close()
  await assert.rejects(session.next(5000), {
    kind: 'lost',
    message: 'the agent ended unexpectedly, exit code 0',
  })
})

test('an agent of another build is installed anew, once', async t => {
  let installs = 0
  const connection = { ...embedded(t, { build: 'other' }), installAgent: async () => void installs++ }
  await assert.rejects(openSession(connection), {
    kind: 'install',
    message: "cannot start the newly installed agent: it is of the wrong build, 'other'",
  })
  assert.equal(installs, 1)
})

test('a frame that is not MessagePack', async t => {
  const session = await openSession(embedded(t))
  await session.send({ type: 'undo', id: ID, why: 'garbage' })
  await assert.rejects(session.next(5000), { kind: 'protocol', message: /^cannot understand the agent/ })
})

test('a frame over the limit', async t => {
  const session = await openSession(embedded(t))
  await session.send({ type: 'undo', id: ID, why: 'flood' })
  await assert.rejects(session.next(5000), { kind: 'protocol', message: /over the limit/ })
})

test('an agent that dies leaves its last words, cleaned', async t => {
  const session = await openSession(embedded(t))
  await session.send({ type: 'undo', id: ID, why: 'die' })
  await assert.rejects(session.next(5000), {
    message: 'the agent ended unexpectedly, exit code 3: last ?[31mwords',
  })
})

test('no answer in time; one that comes later is not lost', async t => {
  const session = await openSession(embedded(t))
  await assert.rejects(session.next(50), { kind: 'lost', message: 'the agent did not answer in time' })
  await session.send({ type: 'ask', id: ID })
  assert.equal((await session.next(5000)).type, 'outcome')
})

test('an agent that never greets', async t => {
  const connection = embedded(t, { instead: 'setTimeout(() => {}, 5000)' })
  await assert.rejects(openSession(connection, { helloMs: 300 }), { kind: 'lost' })
})

test('noise without a line end is noise too', async t => {
  await assert.rejects(openSession(embedded(t, { noise: 'x'.repeat(200) })), (error: HostError) => {
    assert.equal(error.kind, 'noise')
    assert.equal(error.message, `the login shell of 'root' prints to stdout: '${'x'.repeat(79)}…'`)
    return true
  })
})

test('what goes wrong while objects are read is what the caller gets to see', async t => {
  // biome-ignore lint/correctness/useYield: it fails before its first request
  async function* flight(): AsyncGenerator<Request> {
    throw new Error('git fell over')
  }
  await assert.rejects(
    async () => {
      const session = await openSession(embedded(t), { flight })
      await session.next(5000)
    },
    { message: 'git fell over' },
  )
})

test('that it went wrong outranks what the agent says to it', async t => {
  async function* flight(): AsyncGenerator<Request> {
    yield { type: 'ask', id: ID }
    throw new Error('git fell over')
  }
  const session = await openSession(embedded(t), { flight })
  await assert.rejects(session.next(5000), { message: 'git fell over' })
})

test('an embedded host that is not there', t => {
  const agents = fakeAgents(temporaryDirectory(t))
  assert.throws(() => connectLocal({ kind: 'local', host, root: '/no/such' }, agents, {}), {
    kind: 'unreachable',
    hint: "run 'mkdir -p /no/such'",
  })
})
