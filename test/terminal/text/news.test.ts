import assert from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import type { HostCommit } from '../../../src/host-commit.ts'
import { deploymentId } from '../../../src/plan/deployment-id.ts'
import { type HostName, must, oid } from '../../../src/plan/names.ts'
import { whoDeployed } from '../../../src/terminal/text/news.ts'

const commit = (n: number): HostCommit => ({
  commit: must(oid, `${n}`.padStart(40, '0')),
  tree: must(oid, 'f'.repeat(40)),
  parents: [],
  deployment: must(deploymentId, `20260101T0000${n}-0123456789`),
  cluster: null,
  source: '',
  author: 'Ada <ada@example.com>',
  who: 'Ada',
  date: new Date(n * 1000),
  at: new Date(n * 1000).toISOString(),
  when: 'long ago',
  subject: `web1: update ${n}`,
})

const told = (count: number) => {
  const commits = Array.from({ length: count }, (_, i) => commit(10 + i))
  const news = { kind: 'new', from: null, to: commits[0]!.commit, tree: commits[0]!.tree, commits } as const
  return whoDeployed(new Map([['web1' as HostName, news]]), {
    colors: picocolors.createColors(false),
    timeZone: undefined,
  })
}

test('who deployed before us is told of the newest, and where the others stand', () => {
  const lines = told(13)
  assert.equal(lines[0], 'deployment 20260101T000022-0123456789')
  assert.equal(lines.filter(line => line.startsWith('deployment ')).length, 10)
  assert.deepEqual(lines.slice(-3), ['    web1: update 13', '', '… and 3 more: git log refs/deptool'])
})

test('as many as a screen holds are told of all', () => {
  assert.equal(told(10).at(-1), '    web1: update 10')
})
