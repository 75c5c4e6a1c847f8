import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { makeSteps } from '../../src/plan/deployment-steps.ts'
import { digest } from '../../src/plan/digest.ts'
import { EMPTY_HOST, type HostState } from '../../src/plan/host-state.ts'
import type { Oid } from '../../src/plan/names.ts'
import { buildTree, stateOf, type Tree } from '../support/tree-builder.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function digestOf(files: Tree, old: HostState = EMPTY_HOST): string {
  return digest(
    { fromTree: null, toTree: buildTree(files).root as Oid, steps: makeSteps(old, stateOf(files)) },
    sha256,
  )
}

test('a plan has one digest, and any other plan another', () => {
  const files = { 'a/x': '1', 'a/systemd/a.service': '' }
  assert.equal(digestOf(files), digestOf({ ...files }))
  assert.notEqual(digestOf(files), digestOf({ ...files, 'a/x': '2' }))
  assert.notEqual(digestOf(files), digestOf({ ...files, 'a/x': { mode: '100755', text: '1' } }))
  assert.notEqual(digestOf(files), digestOf(files, stateOf({ 'b/y': '' })))
})
