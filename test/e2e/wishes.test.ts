/** What users of other tools of this kind keep asking theirs for. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { peakOf } from '../bench/peak-memory.ts'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'
import { sleeper } from './trees.ts'

const APPS = '/var/lib/deptool/apps'
const systemd = (settings: object) => JSON.stringify({ systemd: settings })
const unit = (command: string, more = '') => `[Service]\nExecStart=/bin/sh -c '${command}'\n${more}`

test('questions about host keys come one after the other, and none is asked twice', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n', 'web2/a/x': '1\n' }, { hosts: 'real' })
  const knownHosts = join(world.home, '.ssh/known_hosts')
  writeFileSync(knownHosts, '')
  const { stdout } = await world
    .runInTerminal(
      ['prod', '--yes', '--no-progress'],
      [
        [/fingerprint\]\)/, 'yes\n'],
        [/fingerprint\]\)/, 'yes\n'],
      ],
    )
    .stdout(/deployed to 2 hosts/)
  const question =
    /The authenticity of host '(web\d)' \(.*\) cannot be established\.\n.* key fingerprint is SHA256:.*\nTrust this key.* yes\n/g
  assert.deepEqual([...stdout.matchAll(question)].map(([, host]) => host).sort(), ['web1', 'web2'])
  assert.equal(readFileSync(knownHosts, 'utf8').trim().split('\n').length, 2)

  world.write({ 'web1/a/x': '2\n', 'web2/a/x': '2\n' })
  await world.deploy()
})

test('a unit may take longer to start than the operator has to confirm', realHosts, async t => {
  const slow = unit('exec sleep infinity', 'ExecStartPre=/bin/sleep 2\n')
  const tree = {
    'web1/a/systemd/a.service': slow,
    'web1/a/manifest.json': systemd({ units_enabled: ['a.service'] }),
  }
  const world = await makeWorld(t, tree, { hosts: 'real' })
  await world.git('config', 'deptool.confirmTimeout', '1')
  await world.deploy()
  assert.equal((await world.host('web1').unit('a.service')).active, 'active')
})

test(
  'the whole candidate is validated: a broken include, by nginx itself, and nothing was touched',
  realHosts,
  async t => {
    const tree = (include: string) => ({
      'web1/nginx/nginx.conf': 'pid /run/other.pid;\nevents {}\nhttp { include sites/*.conf; }\n',
      'web1/nginx/sites/one.conf': include,
      'web1/nginx/manifest.json': '{"validate": [["nginx", "-t", "-q", "-p", ".", "-c", "nginx.conf"]]}',
    })
    const world = await makeWorld(t, tree('server { listen 127.0.0.1:8099; }\n'), { hosts: 'real' })
    const web1 = world.host('web1')
    await world.deploy()
    const before = web1.tree(APPS)
    world.write(tree('server { nonsense; }\n'))
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(/'nginx' is not valid(.|\n)*unknown directive "nonsense" in (.|\n)*sites\/one\.conf:1/)
    assert.deepEqual(web1.tree(APPS), before)
  },
)

test('a unit that has failed for good is not watched to the end', realHosts, async t => {
  const tree = {
    'web1/a/systemd/a.service': unit('sleep 0.5; exit 1'),
    'web1/a/manifest.json': systemd({ units_enabled: ['a.service'], settle_ms: 60_000 }),
  }
  const world = await makeWorld(t, tree, { hosts: 'real' })
  const started = performance.now()
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back: a\.service exited with 1/)
  assert.ok(performance.now() - started < 45_000)
})

test('a unit that is reloading itself, or still activating, has not failed', realHosts, async t => {
  const notify = (words: string) => unit(`${words}; exec sleep infinity`, 'Type=notify\nNotifyAccess=all\n')
  const tree = {
    'web1/a/systemd/again.service': notify('systemd-notify --ready; systemd-notify RELOADING=1'),
    'web1/a/systemd/late.service': notify('sleep 1; systemd-notify --ready'),
    'web1/a/manifest.json': systemd({ units_enabled: ['again.service', 'late.service'] }),
  }
  const world = await makeWorld(t, tree, { hosts: 'real' })
  await world.deploy()
  const [again, late] = await Promise.all(
    ['again', 'late'].map(name => world.host('web1').unit(`${name}.service`)),
  )
  assert.deepEqual([again!.active, late!.active], ['reloading', 'active'])
})

test('units are restarted in the order that systemd knows, whatever their names', realHosts, async t => {
  const logs = (name: string, more = '') =>
    `[Unit]\n${more}[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'sleep 0.2; echo ${name} >>/run/order'\nExecStop=/bin/sh -c 'echo no-${name} >>/run/order'\n`
  const tree = (version: string) => ({
    'web1/a/x': version,
    'web1/a/systemd/a.service': logs('a', 'Requires=z.service\nAfter=z.service\n'),
    'web1/a/systemd/z.service': logs('z'),
    'web1/a/manifest.json': systemd({ units_enabled: ['a.service', 'z.service'] }),
  })
  const world = await makeWorld(t, tree('1'), { hosts: 'real' })
  await world.deploy()
  world.write(tree('2'))
  await world.deploy()
  assert.equal(world.host('web1').read('/run/order'), 'z\na\nno-a\nno-z\nz\na\n')
})

test(
  'a removed unit runs again, and is enabled, when what came with its removal fails',
  realHosts,
  async t => {
    const world = await makeWorld(t, sleeper('web1', 'leaves'), { hosts: 'real' })
    const web1 = world.host('web1')
    await world.deploy()
    const before = web1.tree('/etc/systemd/system')
    world.remove('web1/leaves')
    world.write({
      'web1/comes/systemd/comes.service': unit('exit 1'),
      'web1/comes/manifest.json': systemd({ units_enabled: ['comes.service'] }),
    })
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(/stop leaves\.service\n *disable leaves\.service/)
      .stderr(/it is as it was before/)
    const { active, enabled } = await web1.unit('leaves.service')
    assert.deepEqual([active, enabled, web1.tree('/etc/systemd/system')], ['active', 'enabled', before])
  },
)

test(
  'however many deployments fail, the last good version stays, and rollback goes to the one before',
  realHosts,
  async t => {
    const version = (body: string) => ({ 'web1/a/x': body, ...sleeper('web1', 'a') })
    const world = await makeWorld(t, version('good 1\n'), { hosts: 'real' })
    const web1 = world.host('web1')
    const running = () => web1.read(`${APPS}/a/current/x`)
    await world.deploy()
    world.write(version('good 2\n'))
    await world.deploy()
    const kept = web1.tree(`${APPS}/a`)
    for (let round = 0; round < 4; round++) {
      world.write({ 'web1/a/x': `bad ${round}\n`, 'web1/a/systemd/a.service': unit('exit 1') })
      await world
        .run('prod', '--yes')
        .exits(4)
        .stdout(anything)
        .stderr(/it is as it was before/)
    }
    assert.deepEqual([running(), web1.tree(`${APPS}/a`)], ['good 2\n', kept])
    await world
      .run('rollback', '--yes')
      .stdout(/update a\n/)
      .stderr(anything)
    assert.equal(running(), 'good 1\n')
  },
)

test('a file of 64 MiB costs neither side the memory', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' }, { hosts: 'real' })
  await world.deploy()
  const piece = randomBytes(1 << 20)
  const file = join(world.repo, 'prod/web1/a/big')
  for (let i = 0; i < 64; i++) writeFileSync(file, piece.fill(i, 0, 8), { flag: 'a' })
  const peaks = { operator: 0, agent: 0 }
  const watch = setInterval(() => {
    for (const { pid, comm } of processes(world.repo, realpathSync(world.host('web1').root()))) {
      const side = comm.startsWith('deptool') ? 'agent' : 'operator'
      peaks[side] = Math.max(peaks[side], peakOf(pid) ?? 0)
    }
  }, 20)
  await world
    .run('prod', '--yes')
    .stdout(/\+ big\n/)
    .stderr(anything)
    .finally(() => clearInterval(watch))
  t.diagnostic(`peaks in KiB: ${JSON.stringify(peaks)}`)
  assert.equal(await world.host('web1').output(`wc -c <${APPS}/a/current/big`), `${64 << 20}\n`)
  assert.ok(peaks.operator > 0 && peaks.operator < 160 * 1024, `the operator's side: ${peaks.operator} KiB`)
  assert.ok(peaks.agent > 0 && peaks.agent < 32 * 1024, `the agent: ${peaks.agent} KiB`)
})

/** Node in the repository, and agents on the host. */
function processes(cwd: string, root: string): { readonly pid: number; readonly comm: string }[] {
  return readdirSync('/proc').flatMap(name => {
    try {
      const comm = readFileSync(`/proc/${name}/comm`, 'utf8').trim()
      const ours = comm === 'node' && readlinkSync(`/proc/${name}/cwd`) === cwd
      const agent = comm.startsWith('deptool') && readlinkSync(`/proc/${name}/root`) === root
      return /^\d+$/.test(name) && (ours || agent) ? [{ pid: Number(name), comm }] : []
    } catch {
      return [] // it is gone
    }
  })
}
