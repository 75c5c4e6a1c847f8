/** Where links lead on a host that other users have a part of: what is refused, what is left alone, and in which words. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Deploy, Reply } from '../../src/protocol/messages.ts'
import { Driver, deployTo, makeRoot, NOTHING, type Prepared, prepare } from '../support/agent-driver.ts'
import { asRoot } from '../support/as-root.ts'
import type { Tree } from '../support/tree-builder.ts'

const BASE = 'var/lib/deptool'
const APP = 4242

function linked(...paths: string[]): Tree {
  const symlinks = Object.fromEntries(paths.map(path => [path, 'x']))
  return { 'a/x': 'one\n', 'a/manifest.json': JSON.stringify({ symlinks }) }
}

/** A host with a user, whose directory it is. */
function makeHost(t: TestContext): { readonly host: string; readonly conf: string } {
  const host = makeRoot(t)
  chmodSync(host, 0o755)
  writeFileSync(
    join(host, 'etc/passwd'),
    `root:x:0:0::/root:/bin/sh\napp:x:${APP}:${APP}::/home/app:/bin/sh\n`,
  )
  writeFileSync(join(host, 'etc/group'), `root:x:0:\napp:x:${APP}:\n`)
  for (const path of ['etc/cron.daily', 'home', 'home/app', 'home/app/conf', 'run', 'srv', 'data'])
    mkdirSync(join(host, path))
  const conf = join(host, 'home/app/conf')
  for (const path of [join(host, 'home/app'), conf]) chownSync(path, APP, APP)
  return { host, conf }
}

/** What the user does. */
function leadTo(conf: string, target: string): void {
  renameSync(conf, `${conf}.was`)
  symlinkSync(target, conf)
  lchownSync(conf, APP, APP)
}

function last(said: readonly (Reply | 'end')[]): Exclude<Reply, { type: 'hello' }> {
  const reply = said.at(-1)!
  assert.ok(reply !== 'end' && reply.type !== 'hello')
  return reply
}

async function deployed(host: string, version: Prepared): Promise<readonly string[]> {
  const said = await deployTo(host, version)
  assert.deepEqual(last(said), {
    type: 'outcome',
    id: (version.requests[0] as Deploy).id,
    outcome: 'held',
    why: '',
  })
  const staged = said[1]!
  assert.ok(staged !== 'end' && staged.type === 'staged')
  return staged.notes
}

async function refusal(host: string, version: Prepared) {
  const reply = last(await deployTo(host, version))
  assert.ok(reply.type === 'refused' && reply.refusal.kind === 'preflight', JSON.stringify(reply))
  return reply.refusal.problems
}

const CONFIG = '/home/app/conf/config'

test("a directory that its user has made a link to root's gets no link", asRoot, async t => {
  const { host, conf } = makeHost(t)
  leadTo(conf, '/etc/cron.daily')
  assert.deepEqual(await refusal(host, prepare(NOTHING, linked(CONFIG))), [
    {
      what: `the link '${CONFIG}' is not safe: '/home/app/conf' is a symbolic link to '/etc/cron.daily', and the user 'app' can change where it leads`,
      hint: 'choose the path to which it should lead, or put a directory in the place of the link',
    },
  ])
  assert.deepEqual(readdirSync(join(host, 'etc/cron.daily')), [])
})

test("the user's own directory gets its link", asRoot, async t => {
  const { host, conf } = makeHost(t)
  assert.deepEqual(await deployed(host, prepare(NOTHING, linked(CONFIG))), [])
  assert.equal(readlinkSync(join(conf, 'config')), `/${BASE}/apps/a/current/x`)
})

test(
  'a link whose path has become unsafe is not taken away, which is said, and refuses nothing',
  asRoot,
  async t => {
    const { host, conf } = makeHost(t)
    const first = prepare(NOTHING, linked(CONFIG))
    await deployed(host, first)
    leadTo(conf, '/etc/cron.daily')
    symlinkSync(`/${BASE}/apps/a/current/x`, join(host, 'etc/cron.daily/config'))
    assert.deepEqual(await deployed(host, prepare(first, { 'a/x': 'one\n' })), [
      `'${CONFIG}' is left as it is: '/home/app/conf' is a symbolic link to '/etc/cron.daily', and the user 'app' can change where it leads`,
    ])
    assert.deepEqual(readdirSync(join(host, 'etc/cron.daily')), ['config'])
    assert.deepEqual(readdirSync(`${conf}.was`), ['config'])
  },
)

test("root's links are followed, and the real place is said", async t => {
  const { host } = makeHost(t)
  symlinkSync('../run', join(host, 'var-run'))
  const notes = await deployed(host, prepare(NOTHING, linked('/var-run/x', '/srv/x')))
  assert.deepEqual(notes, ["'/var-run/x' is '/run/x' on this host"])
  assert.ok(lstatSync(join(host, 'run/x')).isSymbolicLink())
})

test('two links of a tree that are one place are refused', async t => {
  const { host } = makeHost(t)
  symlinkSync('run', join(host, 'var-run'))
  assert.deepEqual(await refusal(host, prepare(NOTHING, linked('/run/x', '/var-run/x'))), [
    { what: "'/run/x' and '/var-run/x' are one place on this host", hint: 'declare one of them' },
  ])
})

test('a link that is declared by the other name of its place stays there', async t => {
  const { host } = makeHost(t)
  symlinkSync('run', join(host, 'var-run'))
  const first = prepare(NOTHING, linked('/var-run/x'))
  await deployed(host, first)
  await deployed(host, prepare(first, linked('/run/x')))
  assert.ok(lstatSync(join(host, 'run/x')).isSymbolicLink())
})

test("git-deploy's directory may be a link of root's to another disk, and is closed by every name", async t => {
  const { host } = makeHost(t)
  mkdirSync(join(host, 'var/lib'), { recursive: true })
  mkdirSync(join(host, 'data/deptool'))
  symlinkSync('/data/deptool', join(host, BASE))
  symlinkSync('data/deptool/apps', join(host, 'elsewhere'))
  const first = prepare(NOTHING, linked('/srv/x'))
  // Absolute links count from the host's own '/': the embedded host's system does not follow them there.
  rmSync(join(host, BASE))
  symlinkSync('../../data/deptool', join(host, BASE))
  await deployed(host, first)
  assert.equal(readFileSync(join(host, 'data/deptool/apps/a/current/x'), 'utf8'), 'one\n')
  const inside = ['/data/deptool/x', '/data/deptool/apps/a/x', '/elsewhere/x']
  assert.deepEqual(
    (await refusal(host, prepare(first, linked('/srv/x', ...inside)))).map(({ what }) => what),
    inside.sort().map(path => {
      const parent = path.slice(0, path.lastIndexOf('/'))
      return `the link '${path}' would be made inside '/${BASE}', because '${parent}' leads there`
    }),
  )
})

test("a place for git-deploy's directory that others can change stops everything", asRoot, async t => {
  const { host } = makeHost(t)
  mkdirSync(join(host, 'var/lib'), { recursive: true })
  symlinkSync('../../home/app/conf', join(host, BASE))
  const reply = last(await deployTo(host, prepare(NOTHING, linked('/srv/x'))))
  assert.ok(reply.type === 'refused' && reply.refusal.kind === 'error')
  assert.match(reply.refusal.message, /the user 'app' can change what is in '\/home\/app\/conf'$/)
})

/** A deployment that was killed once it was activated. */
async function killed(host: string, version: Prepared): Promise<void> {
  const driver = new Driver(host).say(...version.requests)
  await driver.next()
  await driver.next()
  driver.say({ type: 'activate' })
  await driver.next()
  driver.child.kill('SIGKILL')
  await driver.end()
}

async function recovered(
  host: string,
): Promise<{ readonly outcome: string | undefined; readonly why: string }> {
  const driver = new Driver(host).say({ type: 'ping' })
  const hello = await driver.next()
  await driver.end()
  assert.ok(hello !== 'end' && hello.type === 'hello')
  const log = readFileSync(join(host, BASE, 'log'), 'utf8')
    .trimEnd()
    .split('\n')
  return { outcome: hello.recovered?.outcome, why: JSON.parse(log.at(-1)!).why }
}

for (const boot of ['this', 'another'] as const)
  test(`a directory that was exchanged before the recovery, in ${boot} boot`, asRoot, async t => {
    const { host, conf } = makeHost(t)
    writeFileSync(join(conf, 'config'), 'foreign\n')
    const version = prepare(NOTHING, linked(CONFIG), { adopt: true })
    await killed(host, version)
    renameSync(conf, `${conf}.was`)
    mkdirSync(conf)
    chownSync(conf, APP, APP)
    const journal = join(host, BASE, 'journal')
    if (boot === 'another')
      writeFileSync(journal, readFileSync(journal, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"other"'))
    const { outcome, why } = await recovered(host)
    if (boot === 'another') {
      assert.equal(outcome, 'undone')
      assert.equal(readFileSync(join(conf, 'config'), 'utf8'), 'foreign\n')
      return
    }
    assert.equal(outcome, 'damaged')
    const backup = `/${BASE}/backup/${(version.requests[0] as Deploy).id}${CONFIG}`
    assert.ok(
      why.includes(
        `'${CONFIG}' was left as it is, and the file that was there is kept as '${backup}': '/home/app/conf' is another directory than it was`,
      ),
      why,
    )
    assert.equal(readFileSync(join(host, backup), 'utf8'), 'foreign\n')
    assert.deepEqual(readdirSync(conf), [])
  })

test(
  "what is taken over in a user's directory is copied, and no other name of the same file",
  asRoot,
  async t => {
    const { host, conf } = makeHost(t)
    const at = join(conf, 'config')
    writeFileSync(at, 'one\n')
    chownSync(at, APP, APP)
    chmodSync(at, 0o640)
    const before = lstatSync(at)
    const version = prepare(NOTHING, linked(CONFIG), { adopt: true })
    await deployed(host, version)
    const backup = lstatSync(join(host, BASE, 'backup', (version.requests[0] as Deploy).id, CONFIG))
    assert.notEqual(backup.ino, before.ino)
    assert.deepEqual([backup.nlink, backup.uid, backup.gid, backup.mode], [1, APP, APP, before.mode])
  },
)

test(
  'a program that runs as its owner is not taken over from where its user could exchange it',
  asRoot,
  async t => {
    const { host, conf } = makeHost(t)
    writeFileSync(join(conf, 'config'), 'one\n')
    chmodSync(join(conf, 'config'), 0o4755)
    const [problem] = await refusal(host, prepare(NOTHING, linked(CONFIG), { adopt: true }))
    assert.deepEqual(problem, {
      what: `'${CONFIG}' runs as its owner or group (chmod u-s, g-s)`,
      hint: 'move it away',
    })
  },
)

/** As setfacl(1) does: the user may do all. */
function admit(path: string, user: number): void {
  const [none, all] = [0xffffffff, 7]
  const entries = [
    [0x01, all, none],
    [0x02, all, user],
    [0x04, 5, none],
    [0x10, all, none],
    [0x20, 5, none],
  ]
  const list = Buffer.concat([
    Buffer.from([2, 0, 0, 0]),
    ...entries.map(([tag, permissions, id]) => {
      const entry = Buffer.alloc(8)
      entry.writeUInt16LE(tag!)
      entry.writeUInt16LE(permissions!, 2)
      entry.writeUInt32LE(id!, 4)
      return entry
    }),
  ])
  const call =
    'require "syscall.ph"; my ($path, $list) = @ARGV; $list = pack("H*", $list); my $name = "system.posix_acl_access";'
  const set = 'syscall(&SYS_setxattr, $path, $name, $list, length($list), 0) and die $!'
  execFileSync('perl', ['-e', `${call} ${set}`, path, list.toString('hex')])
}

test(
  "a directory of root's that an access control list opens to a user is that user's too",
  asRoot,
  async t => {
    const { host } = makeHost(t)
    mkdirSync(join(host, 'srv/inner'))
    admit(join(host, 'srv'), APP)
    const [problem] = await refusal(host, prepare(NOTHING, linked('/srv/inner/x')))
    assert.equal(
      problem!.what,
      "the link '/srv/inner/x' is not safe: '/srv/inner' belongs to 'root', and a user or group in its access control list can put something else in its place",
    )
  },
)
