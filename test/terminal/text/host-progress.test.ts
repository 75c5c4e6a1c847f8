import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeploymentId } from '../../../src/plan/deployment-id.ts'
import type { HostName, UnitName } from '../../../src/plan/names.ts'
import type { RolloutEvent } from '../../../src/rollout/events.ts'
import { HostProgress } from '../../../src/terminal/text/host-progress.ts'

const host = 'web3' as HostName
const daemonReload = { kind: 'step', step: { kind: 'daemonReload' } } as const

type Told<K = RolloutEvent['kind']> = K extends unknown
  ? Omit<Extract<RolloutEvent, { kind: K }>, 'host' | 'ms'>
  : never

test('a host waits for its wave: dim, without a time, and what it waited does not count', () => {
  const progress = new HostProgress(host)
  const at = (ms: number, event: Told) => progress.take({ ...event, host, ms } as RolloutEvent)
  at(0, { kind: 'connecting' })
  at(300, { kind: 'staged', adopted: [], notes: [] })
  at(400, { kind: 'wave', wave: 3, waves: 3 })
  assert.deepEqual(progress.row(9000), {
    host,
    standing: 'waiting',
    text: 'staged, wave 3 of 3',
    ms: null,
    progress: 3,
  })
  at(10_400, daemonReload)
  assert.deepEqual(progress.row(10_500), {
    host,
    standing: 'running',
    text: 'daemon-reload',
    ms: 500,
    progress: 4,
  })
  at(11_000, { kind: 'held' })
  assert.equal(progress.ms, 1000)
})

test('what is watched, and for how long', () => {
  const progress = new HostProgress(host)
  progress.take({ kind: 'watching', units: ['a.service' as UnitName], forMs: 5000, host, ms: 400 })
  assert.equal(progress.row(2500).text, 'watching a.service, 2.1 of 5 s')
  assert.equal(progress.row(9000).text, 'watching a.service, 5.0 of 5 s')
})

test('a host whose wave never came', () => {
  const progress = new HostProgress(host)
  progress.take({ kind: 'connecting', host, ms: 0 })
  progress.take({ kind: 'wave', wave: 2, waves: 2, host, ms: 400 })
  progress.take({ kind: 'withdrawn', host, ms: 5400 })
  assert.equal(progress.ms, 400)
  assert.equal(progress.row(6000).text, 'nothing changed')
})

test('who queues is told behind whom', () => {
  const progress = new HostProgress(host)
  const behind = (holder: string) => {
    const pending = { holder, since: 0, id: '' as DeploymentId, msLeft: null }
    progress.take({ kind: 'queued', behind: pending, host, ms: 0 })
    return progress.row(0).text
  }
  assert.equal(behind('Bob <bob@example.com>'), 'queued behind Bob')
  assert.equal(behind(''), 'queued behind another deployment')
})
