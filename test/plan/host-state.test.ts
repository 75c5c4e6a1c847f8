import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MissingObject, readHosts } from '../../src/plan/host-state.ts'
import { conflicts } from '../../src/plan/links.ts'
import { readAll } from '../../src/plan/reading.ts'
import { buildTree, stateOf, type Tree } from '../support/tree-builder.ts'

const problems = (files: Tree) => {
  const state = stateOf(files)
  return [...state.problems, ...conflicts(state)].map(({ file, what }) => `${file}: ${what}`)
}
const manifest = (value: unknown) => ({ 'a/x': '', 'a/manifest.json': JSON.stringify(value) })

test('apps and files come in a fixed order, modes as git has them', () => {
  const state = stateOf({
    'b/run.sh': { mode: '100755', text: '#!' },
    'a/z': '',
    'a/d/y': '',
    'b/link': { mode: '120000', text: 'run.sh' },
    'README.md': 'a plain file beside the apps is none',
  })
  assert.deepEqual(
    state.apps.map(app => [app.name, ...app.files.map(file => `${file.mode} ${file.path}`)]),
    [
      ['a', '100644 d/y', '100644 z'],
      ['b', '120000 link', '100755 run.sh'],
    ],
  )
  assert.deepEqual(state.problems, [])
})

test('links that can only lead inside the app are taken, all others refused by name', () => {
  const link = (text: string) => ({ mode: '120000', text })
  assert.deepEqual(
    problems({
      'a/d/ok': link('../x'),
      'a/ok2': link('./d/./y'),
      'a/d/e/up': link('../../../etc/passwd'),
      'a/abs': link('/etc/passwd'),
      'a/empty': link(''),
      'a/sneaky': link('d/e/../../..'),
    }),
    [
      "a/abs: the symbolic link leaves the app: it points at '/etc/passwd'",
      "a/d/e/up: the symbolic link leaves the app: it points at '../../../etc/passwd'",
      "a/empty: the symbolic link leaves the app: it points at ''",
      "a/sneaky: the symbolic link leaves the app: it points at 'd/e/../../..'",
    ],
  )
})

test('what git can hold and a host must not be given is refused', () => {
  assert.deepEqual(
    problems({
      'a/sub': { mode: '160000', text: '' },
      'a/.git': 'x',
      'a/odd': { mode: '100600', text: '' },
      'a/x\ny': '',
    }),
    [
      "a/.git: it cannot be deployed: git does not track a '.git'",
      'a/odd: it cannot be deployed: its mode is 100600',
      'a/sub: it cannot be deployed: it is a submodule or a repository of its own',
      'a/x\\x0ay: it cannot be deployed: its name is not safe to create',
    ],
  )
})

test('every problem of a manifest is reported, and where', () => {
  const state = stateOf(
    manifest({
      sytemd: {},
      systemd: {
        units_enabled: ['nginx', 7, 'a.service', 'a.service'],
        units_reload: ['b.service'],
        settle_ms: -1,
      },
      symlinks: {
        'etc/x': 'x',
        '/etc/../x': 'x',
        '/etc/y': '../x',
        '/etc/systemd/system/q.service': 'x',
        '/etc/z': 3,
      },
    }),
  )
  assert.deepEqual(
    state.problems.map(({ at, what, hint }) => [at, what, hint].filter(part => part !== undefined)),
    [
      [['sytemd'], "unknown key 'sytemd'", "did you mean 'systemd'?"],
      [
        ['systemd', 'units_enabled', 0],
        "'nginx' is not a unit name",
        "a unit name ends in its type, as in 'nginx.service'",
      ],
      [
        ['systemd', 'units_enabled', 1],
        'expected a unit name, found a number',
        "a unit name ends in its type, as in 'nginx.service'",
      ],
      [['systemd', 'units_enabled', 3], "'a.service' is listed twice"],
      [
        ['systemd', 'units_reload', 0],
        "'b.service' is not in units_enabled",
        'only an enabled unit can be reloaded instead of restarted',
      ],
      [['systemd', 'settle_ms'], 'expected a whole number of milliseconds from 0 to 60000'],
      [['symlinks', 'etc/x'], "'etc/x' is not an absolute path without '.', '..' or a trailing '/'"],
      [['symlinks', '/etc/../x'], "'/etc/../x' is not an absolute path without '.', '..' or a trailing '/'"],
      [['symlinks', '/etc/y'], "'../x' is not a path inside the app"],
      [
        ['symlinks', '/etc/systemd/system/q.service'],
        "'/etc/systemd/system/q.service' is in '/etc/systemd/system', which is managed by git-deploy",
        "units and drop-ins go into the app's 'systemd' directory",
      ],
      [['symlinks', '/etc/z'], 'a number is not a path inside the app'],
    ],
  )
})

for (const [what, value] of Object.entries({ 'a list': [], null: null, 'a string': 'x' }))
  test(`a manifest that is ${what} is a problem, not a crash`, () => {
    assert.deepEqual(problems(manifest(value)), [`a/manifest.json: expected an object, found ${what}`])
  })

test('symlinks that are no object are a problem, not a crash', () => {
  assert.deepEqual(problems(manifest({ symlinks: null, systemd: [] })), [
    'a/manifest.json: expected an object, found a list',
    'a/manifest.json: expected an object, found null',
  ])
})

test('two apps cannot claim one link, one unit, or a place inside a link', () => {
  const both = JSON.stringify({
    systemd: { units_enabled: ['x.service'] },
    symlinks: { '/etc/x': 'conf' },
  })
  assert.deepEqual(
    problems({
      'a/conf/f': '',
      'a/manifest.json': both,
      'a/systemd/u.service': '',
      'b/conf': '',
      'b/manifest.json': both,
      'b/systemd/u.service': '',
      'c/f': '',
      'c/manifest.json': JSON.stringify({ symlinks: { '/etc/x/f': 'f', '/etc/q': 'nowhere' } }),
    }),
    [
      "b/systemd/u.service: '/etc/systemd/system/u.service' is also claimed by 'a/systemd/u.service'",
      "b/manifest.json: '/etc/x' is also claimed by 'a/conf'",
      "c/manifest.json: '/etc/x/f' is inside '/etc/x', a link of 'a'",
      "b/manifest.json: 'x.service' is also enabled by 'a'",
      "c/manifest.json: there is no 'nowhere' in the app",
    ],
  )
})

test('an object that nobody has is named', () => {
  const { root, objects } = buildTree({ 'a/x': '1' })
  const without = new Map([...objects].filter(([oid]) => oid === root))
  assert.throws(() => readAll(readHosts([root]), () => without), MissingObject)
})
