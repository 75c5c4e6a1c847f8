/** Recovery: whatever happens to the files that the agent keeps, a session repairs it or says what to do. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'

const TREE = { 'web1/a/x': 'one\n', 'web1/a/big': 'same\n'.repeat(500), 'web1/b/y': 'b\n' }
const BASE = 'var/lib/deptool'

async function deployed(t: TestContext) {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  const host = world.host('web1')
  const at = (path: string) => join(host.root(), BASE, path)
  const object = (oid: string) => at(`store/objects/${oid.slice(0, 2)}/${oid.slice(2)}`)
  const oidOf = (path: string) => world.git('rev-parse', `refs/deptool/web1${path}`)
  const overwrite = (path: string, text: string) => {
    chmodSync(path, 0o600)
    writeFileSync(path, text)
  }
  return { world, host, at, object, oidOf, overwrite }
}

const REPAIR = "run 'git deploy --repair' to restore what your repository has deployed to the host"
const HEALED =
  /^prod as last deployed, to repair its hosts\n\nweb1\n {4}repair the host's record\n\ndeployed to 1 host/

for (const [what, path] of [
  ['the commit', ''],
  ["the host's tree", ':'],
  ["an app's tree", ':a'],
  ['a file that does not change', ':b/y'],
] as const)
  for (const [how, damage] of [
    ['is missing', (file: string) => unlinkSync(file)],
    ['is truncated', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 12))],
    ['is empty', (file: string) => writeFileSync(file, '')],
  ] as const)
    test(`the store: ${what} ${how}`, async t => {
      const { world, host, object, oidOf } = await deployed(t)
      const file = object(await oidOf(path))
      chmodSync(file, 0o600)
      damage(file)
      await world
        .run('verify', 'prod')
        .exits(2)
        .stdout(/^web1 {2}object <oid> is missing or damaged in the host's store\n$/)
      if (what !== 'a file that does not change') {
        world.write({ 'web1/a/x': 'two\n' })
        await world
          .run('prod', '--yes')
          .exits(1)
          .stdout(anything)
          .stderr(new RegExp(`refused: .*\\n +hint: ${REPAIR}`))
      }
      await world.run('prod', '--repair', '--yes').stdout(HEALED).stderr(anything)
      await world.run('verify', 'prod').stdout('web1  ok\n')
      world.write({ 'web1/a/x': 'three\n' })
      await world.deploy()
      assert.equal(host.read('/var/lib/deptool/apps/a/current/x'), 'three\n')
      await world.git('--git-dir', join(host.root(), BASE, 'store'), 'fsck', '--strict')
    })

test('a file of other content than the store says is never deployed', async t => {
  const { world, host, object, oidOf, overwrite } = await deployed(t)
  const [old, other] = [object(await oidOf(':b/y')), object(await oidOf(':a/x'))]
  chmodSync(old, 0o600)
  writeFileSync(old, readFileSync(other))
  overwrite(
    join(host.root(), BASE, 'apps/b', readdirSync(join(host.root(), BASE, 'apps/b'))[0]!, 'y'),
    'edited\n',
  )
  world.write({ 'web1/b/z': 'z\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/the host's store is damaged: object <oid> hashes to <oid>\n +hint: run 'git deploy --repair'/)
  await world.deploy('--repair')
  await world.deploy()
  assert.equal(host.read('/var/lib/deptool/apps/b/current/y'), 'b\n')
})

for (const [how, text] of [
  ['is empty', ''],
  ['is garbage', '\x00\xff garbage'],
] as const)
  test(`the ref ${how}: its reflog tells what it was`, async t => {
    const { world, at } = await deployed(t)
    writeFileSync(at('store/refs/deptool/current'), text)
    await world.run('verify', 'prod').stdout('web1  ok\n')
    world.write({ 'web1/a/x': 'two\n' })
    await world.deploy()
    assert.equal(
      readFileSync(at('store/refs/deptool/current'), 'utf8').trim(),
      await world.git('rev-parse', 'refs/deptool/web1'),
    )
  })

test('the ref points nowhere', async t => {
  const { world, at, host } = await deployed(t)
  writeFileSync(at('store/refs/deptool/current'), `${'1'.repeat(40)}\n`)
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(/^web1 {2}runs (?:1111111|<oid>), but this repository has recorded <oid>\n/)
  world.write({ 'web1/a/x': 'two\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      new RegExp(`the host's record of what it runs is damaged: commit <oid> is missing\n +hint: ${REPAIR}`),
    )
  assert.equal(host.read('/var/lib/deptool/apps/a/current/x'), 'one\n')
  await world.deploy('--repair')
  await world.deploy()
  assert.equal(host.read('/var/lib/deptool/apps/a/current/x'), 'two\n')
})

for (const [how, text] of [
  ['garbage', 'no journal\n'],
  ['of other JSON', '{"id": "../../../etc", "to": 5}\n[]\n'],
  ['not UTF-8', '\xff\xfe\n'],
] as const)
  test(`a journal that is ${how} stops everybody but a repair`, async t => {
    const { world, at } = await deployed(t)
    writeFileSync(at('journal'), text, 'latin1')
    await world
      .run('verify', 'prod')
      .exits(2)
      .stdout('web1  a deployment was interrupted, and its journal cannot be read\n')
    world.write({ 'web1/a/x': 'two\n' })
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(new RegExp(`a deployment was interrupted, and its journal cannot be read\n +hint: ${REPAIR}`))
    await world.deploy('--repair')
    await world.run('verify', 'prod').stdout('web1  ok\n')
    await world.deploy()
    assert.ok(!readdirSync(at('')).some(name => name.startsWith('journal')))
  })

test('a journal that was emptied while a deployment was being activated is no empty journal', async t => {
  const { world, at } = await deployed(t)
  appendFileSync(at('log'), '{"tried":"20261123T000000-ffffffffff","subject":"v"}\n')
  writeFileSync(at('journal'), '')
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(/its journal cannot be read\n$/)
  await world.deploy('--repair')
  writeFileSync(at('journal'), '')
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

for (const of of ['refs/deptool/web1', 'refs/deptool/web1:a'] as const)
  test(`an agent was killed once it held, and the store has lost '${of}': nothing is collected`, async t => {
    const { world, at, host, object, oidOf } = await deployed(t)
    const current = await world.git('rev-parse', 'refs/deptool/web1')
    const header = { id: '20261123T000000-ffffffffff', operator: 'Ada', from: null, to: current }
    writeFileSync(at('journal'), `${JSON.stringify({ ...header, started: 0, bootId: 'other' })}\n[]\n`)
    rmSync(object(of === 'refs/deptool/web1' ? current : await oidOf(':a')))
    world.write({ 'web1/a/x': 'two\n' })
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(new RegExp(`hint: ${REPAIR}`))
    assert.equal(host.read('/var/lib/deptool/apps/a/current/x'), 'one\n')
    await world.deploy('--repair')
    await world.run('verify', 'prod').stdout('web1  ok\n')
  })

test('lock, log, verdict and inventory that are garbage', async t => {
  const { world, at, host } = await deployed(t)
  for (const [i, text] of ['', 'null\n', '5\n', '{"id": 5}\n', '\x00\xff\n', '[]\n', '"x"\n'].entries()) {
    for (const name of ['lock', 'log', 'verdict', 'inventory']) writeFileSync(at(name), text, 'latin1')
    await world.run('verify', 'prod').stdout('web1  ok\n')
    world.write({ 'web1/a/x': `${i}\n` })
    await world.deploy()
    assert.equal(host.read('/var/lib/deptool/apps/a/current/x'), `${i}\n`)
  }
})

test('a `current` that somebody moved, and a version directory that somebody removed', async t => {
  const { world, at, host } = await deployed(t)
  unlinkSync(at('apps/a/current'))
  symlinkSync('/etc', at('apps/a/current'))
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout("web1  a is broken: its link 'current' points to '/etc'\n")
  world.write({ 'web1/a/x': 'two\n' })
  await world.deploy()
  assert.equal(host.read('/var/lib/deptool/apps/a/current/big'), TREE['web1/a/big'])
  rmSync(at(`apps/a/${readdirSync(at('apps/a')).find(name => /^[0-9a-f]{10}$/.test(name))}`), {
    recursive: true,
  })
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(/^web1 {2}a is broken: its link 'current' points to '<oid>'\n$/)
  world.write({ 'web1/a/x': 'three\n' })
  await world.deploy()
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('a file in the place of a directory of ours', async t => {
  const { world, at } = await deployed(t)
  renameSync(at('apps'), at('elsewhere'))
  writeFileSync(at('apps'), '')
  world.write({ 'web1/a/x': 'two\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/refused: '\/var\/lib\/deptool\/apps' is not a directory\n/)
})

test("a link in the place of an app's directory is never followed", async t => {
  const { world, at, host } = await deployed(t)
  const away = join(host.root(), 'srv/away')
  mkdirSync(dirname(away))
  renameSync(at('apps/a'), away)
  symlinkSync('../../../../srv/away', at('apps/a'))
  const before = host.tree('/srv/away')
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(/^web1 {2}a is broken/)
  world.write({ 'web1/a/x': 'two\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /'\/var\/lib\/deptool\/apps\/a' is not a directory \(symlink\), and git-deploy did not make it\n +hint: move it away/,
    )
  world.write({ 'web1/a/x': 'one\n', 'web1/b/y': 'new\n' })
  await world.deploy()
  world.remove('web1/a')
  await world.deploy()
  assert.deepEqual(
    host.tree('/srv/away').filter(line => !/current|previous/.test(line)),
    before.filter(line => !/current|previous/.test(line)),
  )
})

test(
  'a host whose disk is full, read-only or of a few inodes is told of in words, and left as it was',
  realHosts,
  async t => {
    const world = await makeWorld(t, { 'web1/a/x': 'one\n' }, { hosts: 'real' })
    const web1 = world.host('web1')
    await web1.output('mkdir -p /var/lib/deptool; mount -t tmpfs -o size=16m,mode=755 none /var/lib/deptool')
    await world.deploy()
    const before = web1.tree('/var/lib/deptool/apps')
    world.write({ 'web1/a/x': 'two\n' })
    const refused = (what: RegExp) =>
      world
        .run('prod', '--yes')
        .exits(1)
        .stdout(anything)
        .stderr(
          new RegExp(
            `web1  refused: ${what.source}\n +hint: remove files from its file system\nfatal: cannot deploy 'prod': no host was changed\n$`,
          ),
        )

    await web1.output(
      'head -c 9m /dev/zero > /var/lib/deptool/fill; mount -o remount,size=12m /var/lib/deptool',
    )
    await refused(/not enough space for '\/var\/lib\/deptool': [0-2]\.\d MiB free, 4\.\d MiB needed/)
    await web1.output('rm /var/lib/deptool/fill')
    const inUse = Number(await web1.output('df --output=iused /var/lib/deptool | tail -n 1'))
    await web1.output(`mount -o remount,nr_inodes=${inUse + 40} /var/lib/deptool`)
    await refused(/not enough inodes for '\/var\/lib\/deptool': [23]\d free, 65 needed/)
    assert.deepEqual(web1.tree('/var/lib/deptool/apps'), before)
    await web1.output('mount -o remount,nr_inodes=100000 /var/lib/deptool')

    await web1.sh('cat /dev/zero > /var/lib/deptool/fill')
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(/refused: cannot write below '\/var\/lib\/deptool': no space left on the device\n/)
    assert.deepEqual(web1.tree('/var/lib/deptool/apps'), before)
    await web1.output('rm /var/lib/deptool/fill')
    await world.run('verify', 'prod').stdout('web1  ok\n')

    await web1.output('mount -o remount,ro /var/lib/deptool')
    await world.run('verify', 'prod').stdout('web1  ok\n')
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(/web1 {2}refused: .*the file system is read-only\n/)
    await web1.output('mount -o remount,rw /var/lib/deptool')
    await world.deploy()
    assert.equal(web1.read('/var/lib/deptool/apps/a/current/x'), 'two\n')
    assert.equal((await web1.output('stat -c %a /var/lib/deptool/store')).trim(), '700')
  },
)

test(
  'what somebody mounted in a version directory is left alone, and stops no deployment',
  realHosts,
  async t => {
    const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web1/a/data/x': 'x\n' }, { hosts: 'real' })
    const host = world.host('web1')
    await world.deploy()
    await host.output('mkdir /srv/data && echo precious >/srv/data/file')
    await host.output('mount --bind /srv/data /var/lib/deptool/apps/a/current/data')
    for (const text of ['two\n', 'three\n', 'four\n']) {
      world.write({ 'web1/a/x': text })
      await world.deploy()
    }
    assert.equal(host.read('/srv/data/file'), 'precious\n')
    await host.output("umount $(grep -o '/var/lib/deptool[^ ]*' /proc/mounts)")
    world.write({ 'web1/a/x': 'five\n' })
    await world.deploy()
    assert.equal(await host.output('ls /var/lib/deptool/apps/a | wc -l'), '4\n')
  },
)

test('a restart that a killed run still owed is done by the next session', realHosts, async t => {
  const unit = (text: string) => `[Service]\nEnvironment=TEXT=${text}\nExecStart=/bin/sleep infinity\n`
  const tree = (text: string) => ({
    'web1/a/systemd/a.service': unit(text),
    'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"], "settle_ms": 5000}}',
  })
  const world = await makeWorld(t, tree('old'), { hosts: 'real' })
  await world.deploy()
  const web1 = world.host('web1')
  const running = async () =>
    web1.output('tr "\\0" "\\n" < /proc/$(systemctl show -P MainPID a)/environ | grep TEXT')
  world.write(tree('new'))
  const { outcome } = world.start('prod', '--yes')
  const ended = outcome.exits(4).stdout(anything).stderr(anything)
  await waitFor('the new version to run', async () => (await running().catch(() => '')) === 'TEXT=new\n')
  await web1.output(
    'for p in /proc/[0-9]*; do readlink $p/exe | grep -q deptool/bin && kill -9 $(basename $p); done; true',
  )
  await ended
  await world.run('verify', 'prod').stdout(/^web1 {2}ok\n/)
  assert.equal(await running(), 'TEXT=old\n')
})
