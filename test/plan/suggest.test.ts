import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../src/plan/suggest.ts'

const VERBS = ['plan', 'apply', 'status', 'verify', 'rollback']

test('a word with a slip of the fingers is recognised', () => {
  const slips = {
    plna: 'plan',
    lpan: 'plan',
    stauts: 'status',
    verfy: 'verify',
    APPLY: 'apply',
    rolback: 'rollback',
  }
  for (const [word, meant] of Object.entries(slips)) assert.equal(nearest(word, VERBS), meant)
})

test('another word is not', () => {
  for (const word of ['nalp', 'prod', 'x', '']) assert.equal(nearest(word, VERBS), undefined)
})
