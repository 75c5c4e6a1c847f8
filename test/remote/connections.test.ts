/** Connections that are made while the operator reads the plan. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { HostName } from '../../src/plan/names.ts'
import { type Connect, Connections } from '../../src/remote/connections.ts'
import type { Connection } from '../../src/remote/transport.ts'

const HOSTS = ['a', 'b', 'c', 'd', 'e'] as HostName[]

/** Hosts that answer when they are told to. */
function makeHosts() {
  const called: HostName[] = []
  const closed: HostName[] = []
  const waiting = new Map<HostName, PromiseWithResolversOf<Connection>>()
  const connect: Connect = host => {
    called.push(host)
    return new Promise((resolve, reject) => waiting.set(host, { resolve, reject }))
  }
  const settle = async (host: string, how: 'answers' | 'fails') => {
    const { resolve, reject } = waiting.get(host as HostName)!
    if (how === 'fails') reject(new Error('nobody there'))
    else resolve({ host, close: () => closed.push(host as HostName) } as unknown as Connection)
    await setImmediate()
  }
  return { called, closed, connect, settle }
}

interface PromiseWithResolversOf<T> {
  resolve(value: T): void
  reject(error: Error): void
}

test('so many at a time, also where some fail', async () => {
  const { called, connect, settle } = makeHosts()
  const connections = new Connections(connect)
  connections.warm(HOSTS, 2)
  assert.equal(called.join(''), 'ab')
  await settle('b', 'fails')
  assert.equal(called.join(''), 'abc')
  await settle('a', 'answers')
  assert.equal(called.join(''), 'abcd')
})

test('who takes connections says how many at a time from then on', async () => {
  const { called, connect, settle } = makeHosts()
  const connections = new Connections(connect)
  connections.warm(HOSTS, 2)
  const [first, last] = [connections.take('a' as HostName), connections.take('e' as HostName)]
  assert.equal(called.join(''), 'abe')
  await settle('a', 'answers')
  await settle('e', 'answers')
  assert.deepEqual([(await first).host, (await last).host], ['a', 'e'])
  assert.equal(called.join(''), 'abe', 'the next ones are for whoever takes them')
})

test('what nobody took is closed, and nobody else is called', async () => {
  const { called, closed, connect, settle } = makeHosts()
  const connections = new Connections(connect)
  connections.warm(HOSTS, 2)
  await settle('a', 'answers')
  connections.close()
  await settle('b', 'answers')
  assert.deepEqual([called.join(''), [...new Set(closed)].join('')], ['abc', 'ab'])
})
