/** What a file exports is used by another: else it is not exported, and the compiler says whether it is used at all. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const TOP = fileURLToPath(new URL('..', import.meta.url))

/** What is exported for a test alone, and so is not dead. */
const FOR_TESTS = [
  'agent/store/read-journal.ts: befores',
  'agent/systemd/unit-log.ts: lastWords',
  'src/cli/command-line.ts: flagsOf',
  'src/git/hooks.ts: feedsHooks',
  'src/git/outcomes.ts: Ending',
  'src/plan/manifest.ts: MANIFEST_KEYS',
  'src/protocol/decode.ts: steps',
  'src/protocol/frame.ts: MAX_FRAME',
  'src/remote/connect.ts: ConnectOptions',
  'src/remote/connect.ts: Settings',
  'src/terminal/terminal.ts: wantsColor',
]

/** src/start.ts reads it from the bundle. */
const BY_THE_BUNDLE = ['src/main.ts: ran']

const sources = ['src', 'agent'].flatMap(sourcesIn)
const exported = sources.flatMap(exportsOf)
const used = new Set(sources.flatMap(importsOf))

test('every export is used by another file', () => {
  const unused = exported.filter(name => !used.has(name))
  assert.deepEqual(unused.sort(), [...FOR_TESTS, ...BY_THE_BUNDLE].sort())
})

test('what is exported for a test is used by one', () => {
  const byTests = new Set(sourcesIn('test').flatMap(importsOf))
  assert.deepEqual(
    FOR_TESTS.filter(name => !byTests.has(name)),
    [],
  )
})

/** As '<file>: <name>'. */
function exportsOf(file: string): string[] {
  const pattern = /^export (?:declare )?(?:async )?(?:function\*?|const|let|class|interface|type) (\w+)/gm
  return [...textOf(file).matchAll(pattern)].map(([, name]) => `${file}: ${name}`)
}

/** Of `import { a, type b as c } from './x.ts'`, `(await import('./x.ts')).a` and `const { a } = await import('./x.ts')`. */
function importsOf(file: string): string[] {
  const text = textOf(file)
  const found = [
    ...[...text.matchAll(/\bimport (?:type )?\{([^}]*)\} from '(\.[^']+)'/g)].map(([, names, from]) => [
      names,
      from,
    ]),
    ...[...text.matchAll(/\(await import\('(\.[^']+)'\)\)\.(\w+)/g)].map(([, from, name]) => [name, from]),
    ...[...text.matchAll(/\{([^{}]*)\} = await import\('(\.[^']+)'\)/g)].map(([, names, from]) => [
      names,
      from,
    ]),
  ]
  return found.flatMap(([names = '', from = '']) =>
    names.split(',').map(name => {
      const [, imported] = /^\s*(?:type )?(\w+)/.exec(name) ?? []
      return `${join(dirname(file), from)}: ${imported}`
    }),
  )
}

function textOf(file: string): string {
  return readFileSync(join(TOP, file), 'utf8')
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(TOP, folder), { recursive: true, withFileTypes: true })
    .map(entry => relative(TOP, join(entry.parentPath, entry.name)))
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort()
}
