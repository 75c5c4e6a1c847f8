/** What is kept does not grow without end: on the host, and in the clone. test/e2e/soak.test.ts counts the rest. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const DAY_MS = 24 * 60 * 60 * 1000

test('what a killed command has left in the clone goes a day later', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n', 'web2/a/x': '1\n' })
  const own = join(world.repo, '.git/deptool')
  const left = ['incoming-killed', 'objects-killed', 'stat/.draft-killed']
  const young = ['incoming-atwork', 'objects-atwork', 'stat/.draft-atwork']
  for (const name of [...left, ...young]) {
    mkdirSync(join(own, name), { recursive: true })
    writeFileSync(join(own, name, '0'), 'half a file')
  }
  const old = new Date(Date.now() - DAY_MS - 1000)
  for (const name of left) utimesSync(join(own, name), old, old)
  await world.run('plan', 'prod').stdout(anything)
  await world.deploy()
  await world.run('sync', 'prod').stdout(anything)
  assert.deepEqual(
    [...left, ...young].filter(name => existsSync(join(own, name))),
    young,
  )
})

test('of how deployments ended a clone knows the newest half a megabyte for each host', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '0\n' })
  await world.deploy()
  const file = join(world.repo, '.git/deptool/log/web1')
  const [known] = readFileSync(file, 'utf8').trim().split('\n')
  // Of 2020, so that they are the oldest.
  const fill = (round: number) =>
    Array.from({ length: 700 }, (_, i) => `20200101T00000${round}-${String(i).padStart(10, '0')}`)
      .map((id, i) => JSON.stringify({ ...JSON.parse(known!), id, at: round * 1000 + i }))
      .join('\n')
  for (let round = 1; round <= 4; round++) {
    writeFileSync(file, `${existsSync(file) ? readFileSync(file, 'utf8') : ''}${fill(round)}\n`)
    world.write({ 'web1/a/x': `${round}\n` })
    await world.deploy()
  }
  const sizes = ['log', 'log-older'].map(name => {
    const path = join(world.repo, '.git/deptool', name, 'web1')
    return existsSync(path) ? statSync(path).size : 0
  })
  assert.ok(sizes[0]! + sizes[1]! > 256 * 1024 && sizes[0]! + sizes[1]! < 600 * 1024, String(sizes))
  const { stdout } = await world.run('log', 'web1').stdout(anything)
  const id = '--format=%(trailers:key=Deptool-Deployment,valueonly)'
  const newest = (await world.git('log', '-1', id, 'refs/deptool/web1')).trim()
  assert.ok(newest !== '' && stdout.includes(newest))
})

test('a host keeps the backups of its last 20 deployments, and those of none that was undone', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' })
  const web1 = world.host('web1')
  const backups = join(web1.directory, 'var/lib/deptool/backup')
  for (let i = 10; i < 40; i++) {
    mkdirSync(join(backups, `202601${i}T000000-0000000000/etc`), { recursive: true })
    writeFileSync(join(backups, `202601${i}T000000-0000000000/etc/x`), 'replaced\n')
  }
  writeFileSync(join(web1.directory, 'etc/x'), 'foreign\n')
  world.write({ 'web1/a/manifest.json': JSON.stringify({ symlinks: { '/etc/x': 'x' } }) })
  await world.deploy('--adopt')
  const kept = readdirSync(backups).sort()
  assert.equal(kept.length, 20)
  assert.equal(readFileSync(join(backups, kept.at(-1)!, 'etc/x'), 'utf8'), 'foreign\n')
  assert.equal(kept[0], '20260121T000000-0000000000')
})

test('what an operator who hung up had sent is gone with the session', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' })
  await world.deploy()
  const store = join(world.host('web1').directory, 'var/lib/deptool/store')
  const objects = () => readdirSync(join(store, 'objects'), { recursive: true }).length
  const before = objects()
  world.write({ 'web1/a/x': '2\n', 'web1/a/manifest.json': JSON.stringify({ symlinks: { '/etc/x': 'x' } }) })
  writeFileSync(join(world.host('web1').directory, 'etc/x'), 'in the way\n')
  for (let round = 0; round < 3; round++)
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(/'\/etc\/x' exists and differs/)
  assert.equal(existsSync(join(store, 'quarantine')), false)
  // What was refused is in the store already, once: the commits of each attempt differ.
  t.diagnostic(`${objects() - before} paths for three attempts`)
})

test(
  'a rollback that left a hundred things behind is not forgotten, and its record is one that can be read',
  realHosts,
  async t => {
    const directory = `/opt/${'a-long-name-'.repeat(5)}`
    const paths = Array.from({ length: 100 }, (_, i) => `${directory}${i}`)
    const tree = {
      'web1/a/x': '1\n',
      'web1/a/manifest.json': JSON.stringify({
        symlinks: Object.fromEntries(paths.map(path => [path, 'x'])),
      }),
    }
    const world = await makeWorld(t, tree, { hosts: 'real' })
    await world.deploy()
    // No link can be put back where a directory stands.
    const spoil = `/bin/sh -c 'mkdir -p $(seq -f ${directory}%%g 0 99); exit 1'`
    world.write({
      'web1/a/systemd/a.service': `[Service]\nExecStart=${spoil}\n`,
      'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
    })
    await world.run('prod', '--yes').exits(4).stdout(anything).stderr(anything)
    world.remove('web1/a/systemd/a.service')
    world.write(tree)
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(/rolled back\s+incompletely/)
      .stderr(anything)
    const logs = [
      readFileSync(join(world.repo, '.git/deptool/log/web1'), 'utf8'),
      world.host('web1').read('/var/lib/deptool/log'),
    ]
    for (const log of logs) {
      const { outcome, why } = JSON.parse(log.trim().split('\n').at(-1)!)
      assert.equal(outcome, 'damaged')
      assert.ok(why.length <= 2000 && why.endsWith('…'), String(why.length))
    }
  },
)
