import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hostKeyAlgorithms } from '../../../src/remote/ssh/host-key.ts'
import { addKnownKey, knownKeys } from '../../../src/remote/ssh/known-hosts.ts'
import { temporaryDirectory } from '../temporary.ts'

const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIGUqZ2dTI0sz6dW2iP3ywtlNkAVqvGZ8vX9YqyX1S2Sa'

function file(t: TestContext, text: string): string {
  const path = join(temporaryDirectory(t), 'known_hosts')
  writeFileSync(path, text)
  return path
}

const cases: readonly (readonly [line: string, name: string, found: boolean])[] = [
  ['web1', 'web1', true],
  ['web1', 'web10', false],
  ['web1,10.0.0.1', '10.0.0.1', true],
  ['web1', '[web1]:2222', false],
  ['[web1]:2222', '[web1]:2222', true],
  ['web?', 'web7', true],
  ['*.example.org', 'a.b.example.org', true],
  ['*.example.org', 'example.org', false],
  ['*,!web1', 'web2', true],
  ['*,!web1', 'web1', false],
  ['!web1', 'web2', false],
  ['WEB1', 'web1', true],
  ['web.', 'webx', false],
  // ssh-keygen -H of 'web1'
  ['|1|F1E1KeoE/eEWhi10WpGuv4wHy/w=|8Hw9Ui0xo8X6qXAxPCh3ZXAcVyI=', 'web2', false],
]

for (const [patterns, name, found] of cases) {
  test(`'${patterns}' ${found ? 'names' : 'does not name'} ${name}`, t => {
    const path = file(t, `# a comment\n\n${patterns} ssh-ed25519 ${KEY} a comment\n`)
    assert.deepEqual(
      knownKeys(name, [path]).map(key => key.line),
      found ? [3] : [],
    )
  })
}

test('what ssh-keygen hashed is found', t => {
  const path = file(t, `web1 ssh-ed25519 ${KEY}\n`)
  execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' })
  assert.match(readFileSync(path, 'utf8'), /^\|1\|/)
  assert.equal(knownKeys('web1', [path]).length, 1)
  assert.equal(knownKeys('web2', [path]).length, 0)
})

test('markers are kept apart', t => {
  const path = file(t, `@revoked web1 ssh-ed25519 ${KEY}\n@cert-authority * ssh-ed25519 ${KEY}\n`)
  assert.deepEqual(
    knownKeys('web1', [path]).map(key => key.marker),
    ['revoked', 'cert-authority'],
  )
})

test('lines that say nothing are passed over', t => {
  const path = file(t, `web1\nweb1 ssh-ed25519\n\0\n@odd web1 ssh-ed25519 ${KEY}\nweb1 1024 35 1234`)
  assert.deepEqual(knownKeys('web1', [path, '/nowhere']), [])
})

test('an added key is found by us and by ssh-keygen', t => {
  for (const hash of [false, true]) {
    const path = join(temporaryDirectory(t), 'new', 'known_hosts')
    addKnownKey(path, '[web1]:2222', Buffer.from(KEY, 'base64'), { hash })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(knownKeys('[web1]:2222', [path]).length, 1)
    assert.match(
      execFileSync('ssh-keygen', ['-F', '[web1]:2222', '-f', path], { encoding: 'utf8' }),
      /ssh-ed25519/,
    )
  }
})

test('a key is added on a line of its own', t => {
  const path = file(t, `web1 ssh-ed25519 ${KEY}`)
  addKnownKey(path, 'web2', Buffer.from(KEY, 'base64'), { hash: false })
  assert.equal(readFileSync(path, 'utf8'), `web1 ssh-ed25519 ${KEY}\nweb2 ssh-ed25519 ${KEY}\n`)
})

test('the types of known keys come first', () => {
  const known = { marker: 'none', type: 'ssh-rsa', blob: Buffer.alloc(0), file: '', line: 1 } as const
  const order = hostKeyAlgorithms([known], ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'])
  assert.deepEqual(order, ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519'])
})
