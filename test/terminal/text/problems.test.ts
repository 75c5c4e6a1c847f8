import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifest } from '../../../src/plan/manifest.ts'
import type { Problem } from '../../../src/plan/problem.ts'
import { placeProblems, renderProblems } from '../../../src/terminal/text/problems.ts'

async function complaints(text: string): Promise<string[]> {
  const problems: Problem[] = []
  parseManifest('nginx/manifest.json', text, problems)
  const located = problems.map(problem => ({ ...problem, shown: 'manifest.json', text }))
  return renderProblems(await placeProblems(located, 'error')).map(line =>
    line.replace('error: manifest.json', ''),
  )
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

test('what is wrong in files, validate and checks is where it is written', async () => {
  assert.deepEqual(
    await complaints(`{
  "files": {
    "key.pem": { "mode": "rw", "ownr": "root" }
  },
  "validate": [
    ["true"], "nginx -t"
  ],
  "checks": [
    { "tcp": "127.0.0.1" },
    { "http": "http://127.0.0.1/", "within_ms": "2 s" }
  ]
}
`),
    [
      ":3:32: unknown key 'ownr'",
      "hint: did you mean 'owner'?",
      ":3:18: 'rw' is not a mode",
      "hint: a mode is a string of octal digits from '0000' to '0777', as in '0640'",
      ":6:15: 'nginx -t' is not a command",
      'hint: a command is a list of a program and its arguments, as in ["nginx", "-t"]',
      ":9:7: '127.0.0.1' is not an address with a port",
      "hint: write it as in '127.0.0.1:80' or '[::1]:80'",
      ':10:36: expected a whole number of milliseconds from 1 to 60000',
    ],
  )
})

test('a reload that is not enabled is where it is listed, whatever the order', async () => {
  const text = '{"systemd": {"units_enabled": ["b.service"],\n"units_reload": ["z.service",\n"a.service"]}}'
  assert.deepEqual(
    (await complaints(text)).filter(line => !line.startsWith('hint')),
    [":3:1: 'a.service' is not in 'units_enabled'", ":2:18: 'z.service' is not in 'units_enabled'"],
  )
})

test('a whole file that is of the wrong type is where it begins', async () => {
  assert.deepEqual(await complaints('\n []'), [':2:2: expected an object, found a list'])
})

test('what does not parse is where the parser stumbles, and says over what', async () => {
  assert.deepEqual(await complaints('{\n  "systemd": {}\n  "symlinks": {}\n}'), [
    ':3:3: the file is not valid JSON: comma expected',
  ])
  assert.deepEqual(await complaints('{ // why\n}'), [
    ':1:3: the file is not valid JSON: invalid comment token',
  ])
  assert.deepEqual(await complaints('{"systemd": {},}'), [
    ':1:16: the file is not valid JSON: property name expected',
  ])
  assert.deepEqual(await complaints(''), [':1:1: the file is not valid JSON: value expected'])
})

test('a problem without a place in its file is told by the file alone, and safely', async () => {
  const problem = { file: 'x', shown: 'prod/a\x1b[2J', text: null, what: 'it is\x1b[2J a socket' }
  assert.deepEqual(renderProblems(await placeProblems([problem], 'error')), [
    'error: "prod/a\\033[2J": it is\\033[2J a socket',
  ])
})
