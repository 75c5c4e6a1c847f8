import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { HostName, Oid } from '../../src/plan/names.ts'
import { decodeSavedPlan, encodeSavedPlan, type SavedPlan } from '../../src/planning/saved-plan.ts'

const oid = (digit: string) => digit.repeat(40) as Oid

const PLAN: SavedPlan = {
  format: 'git-deploy-plan/1',
  id: '20261123T074502-3f9a1c0b7e' as DeploymentId,
  at: '2026-11-23T07:45:02Z',
  by: 'Ada <ada@example.com>',
  version: '0.1.0',
  cluster: 'config/prod',
  source: { kind: 'worktree', commit: oid('c'), branch: 'main', dirty: false },
  hosts: [{ host: 'web1' as HostName, from: oid('a'), toTree: oid('b'), digest: 'd'.repeat(64) }],
  leaving: ['web9' as HostName],
}

function why(content: string): string {
  const decoded = decodeSavedPlan(content)
  return decoded.kind === 'malformed' ? decoded.why : 'it is a plan'
}

const changed = (change: object) => why(JSON.stringify({ ...PLAN, ...change }))
const host = (change: object) => changed({ hosts: [{ ...PLAN.hosts[0], ...change }] })

test('a plan that is written is the plan that is read', () => {
  const revision: SavedPlan = { ...PLAN, by: null, source: { kind: 'revision', rev: 'v1', commit: oid('c') } }
  for (const plan of [PLAN, revision, { ...PLAN, hosts: [] }])
    assert.deepEqual(decodeSavedPlan(encodeSavedPlan(plan)), { kind: 'plan', plan })
})

test('anything else is refused with the reason', () => {
  for (const other of ['', '{', 'null', '[]', '"text"', '{}', '{"format": 1}', '{"format": "x"}'])
    assert.equal(why(other), 'it is not a saved plan')
  assert.equal(
    changed({ format: 'git-deploy-plan/2' }),
    "its format is 'git-deploy-plan/2', but this version of git-deploy reads 'git-deploy-plan/1'",
  )
  assert.equal(changed({ id: '1' }), 'plan.id is not a deployment id')
  assert.equal(changed({ at: 'yesterday' }), 'plan.at is not a time like 2026-11-23T07:45:02Z')
  assert.equal(changed({ hosts: {} }), 'plan.hosts is not a list')
  assert.equal(changed({ source: { kind: 'air' } }), 'plan.source is not a known kind')
  assert.equal(changed({ by: undefined }), 'plan.by is not a string')
  assert.equal(host({ host: '../web1' }), 'plan.hosts[0].host is not a host name')
  assert.equal(host({ from: undefined }), 'plan.hosts[0].from is not an object name')
  assert.equal(host({ toTree: 'HEAD' }), 'plan.hosts[0].toTree is not an object name')
  assert.equal(host({ digest: '' }), 'plan.hosts[0].digest is not a digest')
})

test('a cluster outside of the repository is none', () => {
  for (const cluster of ['/etc', '..', '../x', 'a/../../x', '.', 'a/.', ''])
    assert.equal(changed({ cluster }), 'plan.cluster is not a path inside the repository', cluster)
  assert.equal(changed({ cluster: 'a/..b/c' }), 'it is a plan')
})
