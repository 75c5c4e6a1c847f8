import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifest } from '../../src/plan/manifest.ts'
import type { Problem } from '../../src/plan/problem.ts'
import { renderProblems } from '../../src/terminal/problems.ts'

async function complaints(text: string): Promise<string[]> {
  const problems: Problem[] = []
  parseManifest('nginx/manifest.json', text, problems)
  const lines = await renderProblems(problems.map(problem => ({ ...problem, shown: 'manifest.json', text })))
  return lines.map(line => line.replace('error: manifest.json', ''))
}

test('an unknown key is where the key is', async () => {
  assert.deepEqual(
    await complaints('{\n  "systemd": {\n    "units_enabled": [],\n    "unit_reload": []\n  }\n}\n'),
    [":4:5: unknown key 'unit_reload'", "hint: did you mean 'units_reload'?"],
  )
})

test('an item of a list is where the item is', async () => {
  assert.deepEqual(await complaints('{"systemd": {"units_enabled": ["a.service",\n "b"]}}'), [
    ":2:2: 'b' is not a unit name",
    "hint: a unit name ends in its type, as in 'nginx.service'",
  ])
})

test('a whole file that is of the wrong type is where it begins', async () => {
  assert.deepEqual(await complaints('\n []'), [':2:2: expected an object, found a list'])
})

test('what does not parse is where the parser stumbles, and says over what', async () => {
  assert.deepEqual(await complaints('{\n  "systemd": {}\n  "symlinks": {}\n}'), [
    ':3:3: it is not valid JSON: comma expected',
  ])
  assert.deepEqual(await complaints('{ // why\n}'), [':1:3: it is not valid JSON: invalid comment token'])
  assert.deepEqual(await complaints('{"systemd": {},}'), [
    ':1:16: it is not valid JSON: property name expected',
  ])
  assert.deepEqual(await complaints(''), [':1:1: it is not valid JSON: value expected'])
})

test('a problem without a place in its file is told by the file alone, and safely', async () => {
  const problem = { file: 'x', shown: 'prod/a\x1b[2J', text: null, what: 'it is\x1b[2J a socket' }
  assert.deepEqual(await renderProblems([problem]), ['error: "prod/a\\033[2J": it is a socket'])
})
