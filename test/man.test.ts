import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { flagsOf } from '../src/cli.ts'
import { EXIT } from '../src/errors.ts'

const path = fileURLToPath(new URL('../man/git-deploy.1', import.meta.url))
const page = readFileSync(path, 'utf8')

const section = (name: string) => page.split(/^\.Sh /m).find(text => text.startsWith(`${name}\n`)) ?? ''

/** The flags that head an entry: `.It Fl n , Fl Fl dry-run`. */
const documented = new Set(
  [...section('OPTIONS').matchAll(/^\.It (.*)$/gm)].flatMap(([, line]) =>
    [...line!.matchAll(/Fl (Fl )?(\S+)/g)].map(([, long, word]) => (long ? `--${word}` : `-${word}`)),
  ),
)

for (const [verb, flags] of Object.entries(flagsOf()))
  test(`the man page has every option of ${verb}`, () => {
    assert.deepEqual(
      flags.filter(flag => !documented.has(flag)),
      [],
    )
    if (verb !== 'deploy') assert.match(section('COMMANDS'), new RegExp(`^\\.It Cm ${verb}$`, 'm'))
  })

test('the man page has no option that does not exist', () => {
  const known = Object.values(flagsOf()).flat()
  assert.deepEqual(
    [...documented].filter(flag => !known.includes(flag)),
    [],
  )
})

test('the man page has every exit code', () => {
  const codes = [...section('EXIT STATUS').matchAll(/^\.It (\d+)$/gm)].map(([, code]) => Number(code))
  assert.deepEqual(codes, Object.values(EXIT))
})

test('mandoc finds nothing to complain about', t => {
  const lint = spawnSync('mandoc', ['-Tlint', '-W', 'warning', path], { encoding: 'utf8' })
  if (lint.error) return t.skip('mandoc is not installed')
  assert.equal(lint.stdout + lint.stderr, '')
})
