/** The main job on real hosts, as an operator at a terminal sees it. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { nginx, sleeper } from './trees.ts'

const CURRENT = '/var/lib/deptool/apps'

/** What the host's nginx answers; '' while it does not. */
async function ask(host: TestHost): Promise<string> {
  const answer = await fetch(`http://${host.address}:8080/`).catch(() => undefined)
  return answer ? (await answer.text()).trim() : ''
}

/** Everything of ours outside of our own directory: links into it, and links that enable. */
async function traces(host: TestHost): Promise<string> {
  return host.output(
    "find /etc -lname '*deptool*' -o -name 'web.service' -o -name 'a.service' | sort; ls /var/lib/deptool/apps",
  )
}

test(
  'two hosts are deployed to, agent included, and one of them again when a file changes',
  realHosts,
  async t => {
    const world = await makeWorld(
      t,
      at => ({ ...nginx('web1', at('web1'), 'one'), 'dns1/zones/example.org.zone': 'v1\n' }),
      { hosts: 'real' },
    )
    const web1 = world.host('web1')
    await world
      .run('prod', '--yes')
      .stdout(
        `prod from the working tree (main <oid>)

dns1 (new host)
    add zones
        + example.org.zone

web1 (new host)
    add nginx
        + manifest.json
        + nginx.conf
        + systemd/web.service
        link /etc/systemd/system/web.service
        daemon-reload
        enable web.service
        restart web.service

deployed to 2 hosts in 'prod' in <time> (<id>)
`,
      )
      .stderr(/web1 {2}agent installed\n(.|\n)*web1 {2}restart web.service\n(.|\n)*web1 {2}deployed\n/)
    assert.equal(await ask(web1), 'one')
    const unit = await web1.unit('web.service')
    assert.equal(`${unit.active} ${unit.enabled} ${unit.needsReload}`, 'active enabled no')
    assert.equal(
      web1.readlink('/etc/systemd/system/multi-user.target.wants/web.service'),
      '/etc/systemd/system/web.service',
    )
    await world.run('prod').stdout('prod is up to date (2 hosts)\n')

    world.write(nginx('web1', web1.address, 'two'))
    await world
      .run('prod', '--yes')
      .stdout(
        `prod from the working tree (main <oid>, with uncommitted changes)

web1
    update nginx
        ~ nginx.conf
        restart web.service

deployed to 1 host in 'prod' in <time> (<id>)
`,
      )
      .stderr('  <time>  web1  staged\n  <time>  web1  restart web.service\n  <time>  web1  deployed\n')
    assert.equal(await ask(web1), 'two')
    assert.equal((await web1.unit('web.service')).needsReload, 'no')
    assert.equal(
      await world.git('log', '--first-parent', '--format=%s', 'refs/deptool'),
      'prod: deploy to web1\nprod: deploy to dns1, web1\nbegin the history of the fleet',
    )
    await world.commit()
    assert.equal(
      await world.git('diff', 'refs/deptool', 'HEAD:prod'),
      '',
      'what is deployed is what is committed',
    )
    // git finds its way out of no directory below /proc.
    const store = join(world.home, 'store')
    cpSync(`${web1.root()}/var/lib/deptool/store`, store, { recursive: true })
    await world.git('-C', store, 'fsck', '--strict')
    const log = (...args: string[]) => world.git('-C', store, 'log', ...args, 'refs/deptool/current')
    assert.equal(await log('--format=%s'), 'web1: update nginx\nweb1: add nginx')
    const names = await log('--name-only', '--format=')
    assert.match(names, /nginx.conf/)
    assert.doesNotMatch(names, /zone/, "the host's store holds nothing of other hosts")
  },
)

test('after a reboot the unit starts again, from the version that was deployed last', realHosts, async t => {
  const world = await makeWorld(t, at => nginx('web1', at('web1'), 'one'), { hosts: 'real' })
  const web1 = world.host('web1')
  await world.deploy()
  world.write(nginx('web1', web1.address, 'two'))
  await world.deploy()
  await web1.reboot()
  await waitFor('nginx to answer', async () => (await ask(web1)) !== '')
  assert.equal(await ask(web1), 'two')
})

test(
  'a syntax error is rolled back, and nginx answers all the time except while it restarts',
  realHosts,
  async t => {
    const world = await makeWorld(t, at => nginx('web1', at('web1'), 'one'), { hosts: 'real' })
    const web1 = world.host('web1')
    await world.deploy()
    const before = web1.tree(`${CURRENT}/nginx`)

    world.write({ 'web1/nginx/nginx.conf': 'events {}\nhttp { nonsense; }\n' })
    const gaps = watchAnswers(web1)
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(/update nginx/)
      .stderr(
        /rolled back: web.service exited with 1\n(.|\n)*unknown directive "nonsense"(.|\n)*\nfatal: rolled back on web1: it is as it was before\n/,
      )
    const { answers, longestGapMs } = await gaps()
    assert.ok(answers > 10, `${answers} answers`)
    assert.ok(longestGapMs < 15_000, `silent for ${longestGapMs} ms`)
    assert.equal(await ask(web1), 'one')
    assert.deepEqual(web1.tree(`${CURRENT}/nginx`), before)
    assert.equal((await web1.unit('web.service')).active, 'active')
    // The plan is the same as before: nothing pretends that the change is deployed.
    await world
      .run('plan', 'prod', '--exit-code')
      .exits(2)
      .stdout(/~ nginx.conf/)
  },
)

/** Asks nginx in a loop; what is returned ends it. */
function watchAnswers(host: TestHost): () => Promise<{ answers: number; longestGapMs: number }> {
  let running = true
  let answers = 0
  let longestGapMs = 0
  const loop = (async () => {
    let last = performance.now()
    while (running) {
      if ((await ask(host)) !== 'one') continue
      answers++
      longestGapMs = Math.max(longestGapMs, performance.now() - last)
      last = performance.now()
    }
  })()
  return async () => {
    running = false
    await loop
    return { answers, longestGapMs }
  }
}

test(
  'a new unit that fails to start is rolled back with its link, enablement and app',
  realHosts,
  async t => {
    const world = await makeWorld(t, sleeper('web1', 'keeps'), { hosts: 'real' })
    const web1 = world.host('web1')
    await world.deploy()
    const before = [await traces(web1), web1.tree('/etc/systemd/system'), web1.tree(CURRENT)]

    world.write({
      'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n',
      'web1/a/manifest.json':
        '{"systemd": {"units_enabled": ["a.service"]}, "symlinks": {"/etc/a.conf": "a.conf"}}',
      'web1/a/a.conf': 'a\n',
    })
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(/rolled back: a.service exited with 1/)
    assert.deepEqual([await traces(web1), web1.tree('/etc/systemd/system'), web1.tree(CURRENT)], before)
    assert.equal((await web1.unit('a.service')).load, 'not-found')
    assert.equal((await web1.unit('keeps.service')).active, 'active')
    assert.equal((await web1.output('systemctl --failed --no-legend')).trim(), '')
  },
)

test('the first deployment of a host is rolled back too, down to nothing', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/false\n',
      'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
    },
    { hosts: 'real' },
  )
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/a.service exited with 1/)
  assert.equal(await traces(world.host('web1')), '')
  await world.run('status', 'prod').stdout(/never deployed/)
})

test('removing an app removes every trace, removing a file removes the file', realHosts, async t => {
  const world = await makeWorld(
    t,
    at => ({
      ...nginx('web1', at('web1'), 'one'),
      ...sleeper('web1', 'a'),
      'web1/a/a.conf': 'a\n',
      'web1/a/b.conf': 'b\n',
      'web1/a/sysusers/a.conf': 'u deptool-a -\n',
    }),
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  assert.match(web1.read('/etc/passwd'), /^deptool-a:/m)

  world.remove('web1/a/b.conf')
  await world
    .run('prod', '--yes')
    .stdout(/- b.conf\n/)
    .stderr(anything)
  assert.equal(web1.exists(`${CURRENT}/a/current/b.conf`), false)
  assert.equal(web1.exists(`${CURRENT}/a/current/a.conf`), true)

  world.remove('web1/a', 'web1/nginx')
  world.write({ 'web1/.gitkeep': '' })
  await world
    .run('prod', '--yes')
    .stdout(
      `prod from the working tree (main <oid>, with uncommitted changes)

web1
    remove a
        - a.conf
        - manifest.json
        - systemd/a.service
        - sysusers/a.conf
        stop a.service
        disable a.service
        unlink /etc/systemd/system/a.service
        unlink /etc/sysusers.d/a.conf
    remove nginx
        - manifest.json
        - nginx.conf
        - systemd/web.service
        stop web.service
        disable web.service
        unlink /etc/systemd/system/web.service
    daemon-reload

deployed to 1 host in 'prod' in <time> (<id>)
`,
    )
    .stderr(anything)
  assert.equal(await traces(web1), '')
  assert.equal((await web1.unit('a.service')).load, 'not-found')
  assert.equal(await ask(web1), '')
})

test('a host that says it is another is refused before anything is written', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1' }, { hosts: 'real' })
  const web1 = world.host('web1')
  await web1.output('echo mail7 > /etc/hostname')
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /web1 {2}refused: the host calls itself 'mail7'\n +hint: .*\nfatal: cannot deploy 'prod': no host was changed\n/,
    )
  assert.equal(web1.exists('/var/lib/deptool/apps'), false)

  // hostname(5) has comments; where there is no such file, a name came from the network.
  await web1.output("printf '# by hand\\n\\nweb1\\n' >/etc/hostname")
  await world.deploy()
  await web1.output('rm /etc/hostname')
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('a reload that fails is rolled back, and the unit answers all the time', realHosts, async t => {
  const reloads = '{"systemd": {"units_enabled": ["web.service"], "units_reload": ["web.service"]}}'
  const world = await makeWorld(
    t,
    at => ({ ...nginx('web1', at('web1'), 'one'), 'web1/nginx/manifest.json': reloads }),
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  const { pid } = await web1.unit('web.service')
  world.write({ ...nginx('web1', web1.address, 'two'), 'web1/nginx/manifest.json': reloads })
  await world
    .run('prod', '--yes')
    .stdout(/reload web.service/)
    .stderr(anything)
  // nginx reloads while it answers.
  await waitFor('the new answer', async () => (await ask(web1)) === 'two')
  assert.equal((await web1.unit('web.service')).pid, pid, 'it was reloaded, not restarted')

  world.write({ 'web1/nginx/nginx.conf': 'nonsense\n' })
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back: web.service failed to reload \(exit-code\)\n(.|\n)*unexpected end of file/)
  assert.equal(await ask(web1), 'two')
})

test('eight deployments within a few seconds are no crash loop', realHosts, async t => {
  const world = await makeWorld(t, at => nginx('web1', at('web1'), 'version 0'), { hosts: 'real' })
  const web1 = world.host('web1')
  await world.deploy()
  for (let n = 1; n <= 8; n++) {
    world.write(nginx('web1', web1.address, `version ${n}`))
    await world.deploy()
    assert.equal(await ask(web1), `version ${n}`)
  }
})
