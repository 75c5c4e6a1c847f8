import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { VERBS } from '../src/verb-names.ts'

const TOP = fileURLToPath(new URL('..', import.meta.url))

/**
 * Which parts a part may import besides itself. A part is a folder of src, or the agent. The files right in src are the
 * part `shared`, which all of src but its pure folders may use, except for those with a line of their own here.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  plan: [],
  protocol: ['plan'],
  shared: ['plan', 'protocol'],
  git: ['plan', 'protocol', 'shared'],
  remote: ['plan', 'protocol', 'shared'],
  terminal: ['plan', 'protocol', 'shared'],
  rollout: ['plan', 'protocol', 'shared', 'remote'],
  planning: ['plan', 'protocol', 'shared', 'git', 'terminal', 'context'],
  delivery: ['plan', 'protocol', 'shared', 'git', 'remote', 'terminal', 'rollout', 'planning', 'context'],
  commands: [
    'plan',
    'protocol',
    'shared',
    'git',
    'remote',
    'terminal',
    'rollout',
    'planning',
    'delivery',
    'context',
  ],
  cli: ['plan', 'shared', 'terminal'],
  context: ['shared', 'terminal'],
  main: ['shared', 'terminal', 'commands', 'cli', 'context'],
  start: [],
  agent: ['plan', 'protocol'],
}

/** Files that say nothing but what two parts tell each other, wherever they are: they belong to `shared`. */
const SHARED_FILES = ['src/rollout/events.ts']

/** The only files that may import something from outside. */
const DOORS: readonly (readonly [module: RegExp, door: RegExp])[] = [
  [/^yargs/, /^src\/cli\/grammar\/parse\.ts$/],
  [/^ssh2$/, /^src\/remote\/ssh\/ssh2\.ts$/],
  [/^msgpackr/, /^src\/protocol\/codec\.ts$/],
  [/^fflate$/, /^agent\//],
  [/^picocolors$/, /^src\/terminal\//],
  [/^node:fs/, /^src\/(start|git\/.+|remote\/.+|planning\/.+|commands\/(apply|init|plan))\.ts$/],
  [/^node:child_process$/, /^src\/(git\/(git|batch|content|hooks|pager)|remote\/.+)\.ts$/],
  [/^(std|os|native)$/, /^agent\/host\/qjs\.ts$/],
]

/** Parts that know neither Node nor any package, but for those that have a door in them. */
const PURE = ['plan', 'protocol', 'agent']

const files = ['src', 'agent'].flatMap(folder => sources(folder))
const imports = new Map(files.map(file => [file, importsOf(readFileSync(join(TOP, file), 'utf8'))]))

test('every file imports only what its part may', () => {
  const wrong = files.flatMap(file =>
    imports
      .get(file)!
      .filter(name => !(name.startsWith('.') ? mayImport(file, name) : mayUse(file, name)))
      .map(name => `${file}: ${partOf(file)} may not import '${name}'`),
  )
  assert.deepEqual(wrong, [])
})

test('no file imports itself by way of others', () => {
  assert.deepEqual(cycles(), [])
})

test('no command can do more to hosts than it says', () => {
  const beyond = { offline: /^src\/remote\//, asks: /^src\/rollout\/rollout\.ts$/, deploys: /^(?!)/ }
  const wrong = Object.entries(VERBS).flatMap(([verb, does]) =>
    [...reachedFrom(`src/commands/${verb}.ts`)]
      .filter(file => beyond[does].test(file))
      .map(file => `'${verb}' ${does}, and leads to ${file}`),
  )
  assert.deepEqual(wrong, [])
})

test('only src/main.ts, and src/start.ts before it, touch process', () => {
  const touching = files.filter(file => /(?<![\w.])process\.[a-z]|'node:process'/.test(code(file)))
  assert.deepEqual(
    touching.filter(file => !['src/main.ts', 'src/start.ts'].includes(file)),
    [],
  )
})

test('what time it is, and what is random, comes in through main', () => {
  const asking = files.filter(file =>
    /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\brandom(Bytes|UUID|Int)\(/.test(
      code(file),
    ),
  )
  assert.deepEqual(
    // The salt of a line in known_hosts decides nothing here.
    asking.filter(file => !['src/main.ts', 'src/remote/ssh/known-hosts.ts'].includes(file)),
    [],
  )
})

test('no barrels, no utils', () => {
  const named = [...files, ...sources('test')].filter(file =>
    /(^|\/)(index\.|utils?\b|helpers?\b)/.test(file),
  )
  assert.deepEqual(named, [])
})

function mayImport(file: string, name: string): boolean {
  const [from, to] = [partOf(file), partOf(resolved(file, name))]
  return from === to || (ALLOWED[from] ?? []).includes(to)
}

function mayUse(file: string, name: string): boolean {
  const door = DOORS.find(([module]) => module.test(name))
  return door === undefined ? !PURE.includes(partOf(file)) : door[1].test(file)
}

/** 'plan' for src/plan/tree.ts, 'main' for src/main.ts, 'shared' for src/errors.ts, 'agent' for agent/store/store.ts. */
function partOf(file: string): string {
  if (SHARED_FILES.includes(file)) return 'shared'
  const [top = '', part = ''] = file.split('/')
  if (top !== 'src') return top
  const name = part.replace(/\.ts$/, '')
  return name in ALLOWED ? name : 'shared'
}

function cycles(): string[] {
  const done = new Set<string>()
  return files.flatMap(file => cyclesFrom(file, [], done))
}

function cyclesFrom(file: string, path: readonly string[], done: Set<string>): string[] {
  if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' -> ')]
  if (done.has(file)) return []
  const inner = imports.get(file) ?? []
  const found = inner
    .filter(name => name.startsWith('.'))
    .flatMap(name => cyclesFrom(resolved(file, name), [...path, file], done))
  done.add(file)
  return found
}

/** The file and all that it imports, by way of others too. */
function reachedFrom(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const inner = imports.get(file) ?? []
  for (const name of inner.filter(name => name.startsWith('.'))) reachedFrom(resolved(file, name), seen)
  return seen
}

function resolved(file: string, name: string): string {
  return join(dirname(file), name)
}

/** Static and dynamic imports, re-exports, and types from `import('…')`. */
function importsOf(source: string): string[] {
  const patterns = [
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*\(?\s*['"]([^'"]+)['"]/g,
  ]
  const text = withoutComments(source)
  return patterns.flatMap(pattern => [...text.matchAll(pattern)].map(match => match[1]!))
}

/** Without the lines that are comments: what remains beside code names no import. */
function withoutComments(source: string): string {
  return source
    .split('\n')
    .filter(line => !/^\s*(\/\/|\/\*|\*)/.test(line))
    .join('\n')
}

function code(file: string): string {
  return withoutComments(readFileSync(join(TOP, file), 'utf8'))
}

function sources(folder: string): string[] {
  return readdirSync(join(TOP, folder), { recursive: true, withFileTypes: true })
    .map(entry => relative(TOP, join(entry.parentPath, entry.name)))
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort()
}
