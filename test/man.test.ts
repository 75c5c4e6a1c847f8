import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { flagsOf } from '../src/cli/command-line.ts'
import { EXIT } from '../src/errors.ts'
import { MANIFEST_KEYS, parseManifest } from '../src/plan/manifest.ts'
import { PLACES, SPECIAL_ROLES } from '../src/plan/places.ts'
import type { Problem } from '../src/plan/problem.ts'
import { SPECIAL } from '../src/plan/special-directories.ts'
import { VERB_NAMES } from '../src/verb-names.ts'
import { needs } from './support/needs.ts'

const path = fileURLToPath(new URL('../man/git-deploy.1', import.meta.url))
const page = readFileSync(path, 'utf8')
const packaged = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  man: string[]
}

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
    assert.match(section('COMMANDS'), new RegExp(`^\\.It Cm ${verb}$`, 'm'))
  })

test('the commands are in the order in which they are offered, and each entry ends with whether it needs the network', () => {
  const [, ...entries] = section('COMMANDS').split(/^\.It Cm /m)
  const names = entries.map(entry => /^[a-z]+/.exec(entry)?.[0])
  assert.deepEqual(
    names.filter(name => name !== 'help'),
    [...VERB_NAMES],
  )
  for (const entry of entries) assert.match(entry, /\n(?:Works offline|Contacts the hosts)\.\n(?:\.El\n)?$/)
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

test("the config tree's page describes every key of the manifest, and its example is one", () => {
  const tree = readFileSync(new URL('../man/gitdeploy-tree.5', import.meta.url), 'utf8')
  const manifest = tree.split('.Sh MANIFEST\n')[1]!.split(/^\.Sh /m)[0]!
  const described = [...manifest.matchAll(/^\.Ss (.*)$/gm)].map(([, key]) => key)
  assert.deepEqual(described, [...MANIFEST_KEYS.keys()])
  for (const [key, inner] of MANIFEST_KEYS) {
    const entries = [
      ...manifest
        .split(`.Ss ${key}\n`)[1]!
        .split('.Ss ')[0]!
        .matchAll(/^\.It Cm (.*)$/gm),
    ]
    const names = entries.flatMap(([, names]) => names!.split(' , '))
    if (inner.length > 0) assert.deepEqual(names, inner)
  }
  const examples = [...tree.matchAll(/^\{[^$]*?^\}$|^\{ .* \}$/gm)].map(([text]) => text)
  assert.equal(examples.length, 3)
  for (const example of examples) {
    const problems: Problem[] = []
    parseManifest('manifest.json', example, problems)
    assert.deepEqual(problems, [], example)
  }
  assert.deepEqual(Object.keys(JSON.parse(examples[0]!)), described)
})

test("the config tree's page describes every special directory", () => {
  const tree = readFileSync(new URL('../man/gitdeploy-tree.5', import.meta.url), 'utf8')
  const special = tree.split('.Ss Special directories\n')[1]!.split(/^\.S[sh] /m)[0]!
  const described = [...special.matchAll(/^\.It Pa (.*)\/$/gm)].map(([, directory]) => directory)
  const known = SPECIAL_ROLES.map(role => [SPECIAL[role].directory, PLACES[role]] as const)
  assert.deepEqual(
    described,
    known.map(([directory]) => directory),
  )
  for (const [, place] of known) assert.match(special, new RegExp(`^\\.Pa ${place}\\b`, 'm'))
})

for (const page of packaged.man)
  test(`mandoc finds nothing to complain about in ${page}`, needs('mandoc'), () => {
    const path = fileURLToPath(new URL(`../${page}`, import.meta.url))
    const lint = spawnSync('mandoc', ['-Tlint', '-W', 'warning', path], { encoding: 'utf8' })
    assert.equal(lint.stdout + lint.stderr, '')
  })
