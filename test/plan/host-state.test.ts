import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conflicts } from '../../src/plan/conflicts.ts'
import { MissingObject, readHosts } from '../../src/plan/host-state.ts'
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

test('a manifest that a reader would take for another than the parser does', () => {
  const of = (text: string) => problems({ 'a/x': '', 'a/manifest.json': text })
  assert.deepEqual(of('\ufeff{}'), ['a/manifest.json: the file begins with a byte order mark'])
  assert.deepEqual(of('{"systemd": {"settle_ms": 1}, "symlinks": {}, "systemd": {}}'), [
    "a/manifest.json: duplicate key 'systemd'",
  ])
  assert.deepEqual(of('{"symlinks": {"/etc/a": "x", "/etc/\\u0061": "x"}}'), [
    "a/manifest.json: duplicate key '/etc/a'",
  ])
  const alike =
    '{"systemd": {}, "validate": [["true", "a\\": ", "systemd"]], "symlinks": {"/etc/systemd": "x"}}'
  assert.deepEqual(of(alike), [])
  assert.deepEqual(
    of('{"checks": [{"tcp": "[::1]:80"}, {"tcp": "[::1]:81"}], "files": {"x": {"mode": "0600"}}}'),
    [],
  )
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
      "a/abs: the symbolic link points outside its app, to '/etc/passwd'",
      "a/d/e/up: the symbolic link points outside its app, to '../../../etc/passwd'",
      "a/empty: the symbolic link points outside its app, to ''",
      "a/sneaky: the symbolic link points outside its app, to 'd/e/../../..'",
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
      "a/.git: cannot be deployed: Git cannot track a '.git'",
      'a/odd: cannot be deployed: its mode 100600 is not supported',
      'a/sub: cannot be deployed: it is a submodule or another repository',
      'a/x\\x0ay: cannot be deployed: its name is not a safe file name',
    ],
  )
})

test('every problem of a manifest is reported, and where', () => {
  const state = stateOf(
    manifest({
      sytemd: {},
      systemd: {
        units_enabled: ['nginx', 7, 'a.service', 'a.service', 't@.service'],
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
        ['systemd', 'units_enabled', 4],
        "'t@.service' is a template, not a unit",
        "list its instances, as in 't@one.service'",
      ],
      [
        ['systemd', 'units_reload', 0],
        "'b.service' is not in 'units_enabled'",
        "add it to 'units_enabled': only enabled units are reloaded or restarted",
      ],
      [['systemd', 'settle_ms'], 'expected a whole number of milliseconds from 0 to 60000'],
      [['symlinks', 'etc/x'], "'etc/x' is not an absolute path without '.', '..' or a trailing '/'"],
      [['symlinks', '/etc/../x'], "'/etc/../x' is not an absolute path without '.', '..' or a trailing '/'"],
      [['symlinks', '/etc/y'], "'../x' is not a path inside the app"],
      [
        ['symlinks', '/etc/systemd/system/q.service'],
        "'/etc/systemd/system/q.service' is in '/etc/systemd/system', which is managed by git-deploy",
        "put units and drop-ins into the app's 'systemd' directory",
      ],
      [['symlinks', '/etc/z'], 'a number is not a path inside the app'],
    ],
  )
})

test('every problem of files, validate and checks is reported, and where', () => {
  const state = stateOf(
    manifest({
      files: {
        '../x': { mode: '0640' },
        x: { mode: '640', owner: 'root' },
        y: { mode: '4755', owner: 'ro ot', group: 7, user: 'x' },
        z: { mode: 420 },
        empty: {},
        odd: 'r',
      },
      validate: [['true'], 'nginx -t', [], ['', 'x'], ['a', 1]],
      checks: [
        { tcp: '127.0.0.1:80' },
        { tcp: 'example.org:80' },
        { tcp: '127.0.0.1:70000', status: 200 },
        { tcp: '256.0.0.1:1' },
        { unix: 'run/x' },
        { http: 'https://127.0.0.1/' },
        { http: 'http://[::1]:8080/a b', status: 99 },
        { http: 'http://127.0.0.1', host: 'a\r\nb', within_ms: 0 },
        { tcp: '[::1]:1', unix: '/run/x' },
        { udp: '127.0.0.1:53' },
        {},
        3,
      ],
    }),
  )
  assert.deepEqual(
    state.problems.map(({ at, what, hint }) => [`${at}`, what, hint].filter(part => part !== undefined)),
    [
      ['files,../x', "'../x' is not a path inside the app"],
      ['files,y,user', "unknown key 'user'", "expected one of 'mode', 'owner', 'group'"],
      ['files,y,mode', "'4755' is not a mode", MODE_HINT],
      ['files,y,owner', "'ro ot' is not a valid user name"],
      ['files,y,group', 'a number is not a valid group name'],
      ['files,z,mode', 'a number is not a mode', MODE_HINT],
      ['files,empty', 'no attribute is set', "set at least one of 'mode', 'owner' and 'group'"],
      ['files,odd', 'expected an object, found a string'],
      ['validate,1', "'nginx -t' is not a command", COMMAND_HINT],
      ['validate,2', 'a list is not a command', COMMAND_HINT],
      ['validate,3', 'a list is not a command', COMMAND_HINT],
      ['validate,4', 'a list is not a command', COMMAND_HINT],
      ['checks,1,tcp', "'example.org:80' is not an address with a port", TCP_HINT],
      ['checks,2,status', "'status' can be used only with 'http'"],
      ['checks,2,tcp', "'127.0.0.1:70000' is not an address with a port", TCP_HINT],
      ['checks,3,tcp', "'256.0.0.1:1' is not an address with a port", TCP_HINT],
      ['checks,4,unix', "'run/x' is not an absolute path of at most 107 characters"],
      [
        'checks,5,http',
        "'https://127.0.0.1/' is not a URL that can be checked",
        "https is not supported: use 'tcp'",
      ],
      ['checks,6,status', 'expected an HTTP status from 100 to 599'],
      ['checks,6,http', "'http://[::1]:8080/a b' is not a URL that can be checked", HTTP_HINT],
      ['checks,7,within_ms', 'expected a whole number of milliseconds from 1 to 60000'],
      ['checks,7,host', "'a\r\nb' is not a host name"],
      ['checks,8', "expected exactly one of 'tcp', 'unix' and 'http'"],
      ['checks,9,udp', "unknown key 'udp'", CHECK_KEYS],
      ['checks,9', "expected exactly one of 'tcp', 'unix' and 'http'"],
      ['checks,10', "expected exactly one of 'tcp', 'unix' and 'http'"],
      ['checks,11', 'expected an object, found a number'],
    ],
  )
})

const MODE_HINT = "a mode is a string of octal digits from '0000' to '0777', as in '0640'"
const COMMAND_HINT = 'a command is a list of a program and its arguments, as in ["nginx", "-t"]'
const CHECK_KEYS = "expected one of 'tcp', 'unix', 'http', 'status', 'host', 'within_ms'"
const TCP_HINT = "write it as in '127.0.0.1:80' or '[::1]:80'"
const HTTP_HINT = "write it as in 'http://127.0.0.1:8080/healthz'"

test('what a manifest says about files must fit the files', () => {
  const set = { mode: '0600' }
  assert.deepEqual(
    problems({
      'a/d/key': '',
      'a/l': { mode: '120000', text: 'd/key' },
      'a/manifest.json': JSON.stringify({ files: { 'd/key': set, d: set, l: set, nowhere: set } }),
    }),
    [
      "a/manifest.json: 'd' is a directory",
      "a/manifest.json: 'l' is a symbolic link, which cannot have attributes of its own",
      "a/manifest.json: there is no 'nowhere' in the app",
    ],
  )
})

test('two apps cannot have the same tmpfiles, sysusers or quadlet, nor two files make one service', () => {
  assert.deepEqual(
    problems({
      'a/tmpfiles/x.conf': '',
      'b/tmpfiles/x.conf': '',
      'a/sysusers/x.conf': '',
      'b/sysusers/x.conf': '',
      'a/quadlets/x.container': '',
      'b/quadlets/x.container': '',
      'c/quadlets/y.kube': '',
      'c/systemd/y.service': '',
      'd/tmpfiles/sub/x.conf': 'not linked, and no conflict',
    }),
    [
      "b/quadlets/x.container: '/etc/containers/systemd/x.container' is also claimed by 'a/quadlets/x.container'",
      "b/sysusers/x.conf: '/etc/sysusers.d/x.conf' is also claimed by 'a/sysusers/x.conf'",
      "b/tmpfiles/x.conf: '/etc/tmpfiles.d/x.conf' is also claimed by 'a/tmpfiles/x.conf'",
      "b/quadlets/x.container: its service 'x.service' is also defined by 'a/quadlets/x.container'",
      "c/quadlets/y.kube: its service 'y.service' is also defined by 'c/systemd/y.service'",
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

test('a host may have 50,000 files and directories, and not one more', () => {
  // The app, 99 directories in it, and 49,900 files; what stands beside the apps does not count.
  const files = Array.from({ length: 49_900 }, (_, i) => [`a/d${i % 99}/f${i}`, ''] as const)
  const most = { 'README.md': '', ...Object.fromEntries(files) }
  const state = stateOf(most)
  assert.deepEqual(state.problems, [])
  assert.equal(state.apps[0]?.files.length, 49_900)
  assert.deepEqual(problems({ ...most, 'a/e': '' }), [
    'a/d98/f9998: a host can have at most 50000 files and directories',
  ])
})

test('an object that nobody has is named', () => {
  const { root, objects } = buildTree({ 'a/x': '1' })
  const without = new Map([...objects].filter(([oid]) => oid === root))
  assert.throws(() => readAll(readHosts([root]), () => without), MissingObject)
})
