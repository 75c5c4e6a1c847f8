/**
 * Quadlets, with a generator of our own in the place of Podman's: systemd runs it at each daemon-reload and loads what
 * it makes, as it does with the real one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const GENERATOR = `#!/bin/sh
for quadlet in /etc/containers/systemd/*.container; do
  [ -e "$quadlet" ] || continue
  { echo '[Service]'; sed -n 's/^Exec=/ExecStart=/p' "$quadlet"; } > "$1/$(basename "$quadlet" .container).service"
done
`

async function installGenerator(host: TestHost): Promise<void> {
  const directory = '/usr/local/lib/systemd/system-generators'
  await host.output(`mkdir -p ${directory}; cat > ${directory}/podman-system-generator <<'END'
${GENERATOR}END
chmod 0755 ${directory}/podman-system-generator`)
}

const quadlet = (seconds: number) => `[Container]\nImage=example.org/box\nExec=/bin/sleep ${seconds}\n`
const TREE = {
  'web1/box/quadlets/box.container': quadlet(1000),
  'web1/box/box.conf': 'one\n',
  'web1/box/manifest.json': '{"systemd": {"units_enabled": ["box.service"]}}',
}

async function running(host: TestHost): Promise<string> {
  const { active, pid } = await host.unit('box.service')
  return active === 'active' ? host.output(`tr '\\0' ' ' < /proc/${pid}/cmdline`) : active
}

test(
  'generated units are started, restarted when their app changes, and stopped when they leave',
  realHosts,
  async t => {
    const world = await makeWorld(t, TREE, { hosts: 'real' })
    const web1 = world.host('web1')
    await installGenerator(web1)
    await world
      .run('prod', '--yes')
      .stdout(/link \/etc\/containers\/systemd\/box.container\n {8}daemon-reload\n {8}restart box.service\n/)
      .stderr(anything)
    assert.equal(await running(web1), '/bin/sleep 1000 ')

    const { pid } = await web1.unit('box.service')
    world.write({ 'web1/box/box.conf': 'two\n' })
    await world
      .run('prod', '--yes')
      .stdout(/~ box.conf\n {8}restart box.service\n/)
      .stderr(anything)
    assert.notEqual((await web1.unit('box.service')).pid, pid)

    world.write({ 'web1/box/quadlets/box.container': quadlet(2000) })
    await world.deploy()
    assert.equal(await running(web1), '/bin/sleep 2000 ')

    // What does not start is rolled back, to the unit that the old quadlet makes.
    world.write({ 'web1/box/quadlets/box.container': '[Container]\nExec=/bin/false\n' })
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(/rolled back: box.service exited with 1/)
    assert.equal(await running(web1), '/bin/sleep 2000 ')

    world.remove('web1/box')
    world.write({ 'web1/.gitkeep': '' })
    await world
      .run('prod', '--yes')
      .stdout(/stop box.service\n {8}unlink \/etc\/containers\/systemd\/box.container\n {8}daemon-reload\n/)
      .stderr(anything)
    assert.equal((await web1.unit('box.service')).load, 'not-found')
    assert.equal(await running(web1), 'inactive')
  },
)

test(
  'without a generator a quadlet that is to run is refused, and one that is not is deployed',
  realHosts,
  async t => {
    const world = await makeWorld(t, TREE, { hosts: 'real' })
    const web1 = world.host('web1')
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(
        /'box' starts 'box.service', which is generated from a quadlet, but the host has no quadlet generator\n +hint: install podman 4.4 or newer\n/,
      )
    assert.equal(web1.exists('/etc/containers/systemd/box.container'), false)

    world.remove('web1/box/manifest.json')
    await world
      .run('prod', '--yes')
      .stdout(anything)
      .stderr(
        /this host has no quadlet generator: the quadlets are deployed, but become units only after podman is installed\n/,
      )
    assert.equal(web1.read('/etc/containers/systemd/box.container'), quadlet(1000))

    // Podman arrives, and a unit runs that no manifest enables: it is stopped all the same when its quadlet goes.
    await installGenerator(web1)
    await web1.output('systemctl daemon-reload; systemctl start box.service')
    world.remove('web1/box')
    world.write({ 'web1/.gitkeep': '' })
    await world.deploy()
    assert.equal(await running(web1), 'inactive')
  },
)

test('a quadlet that never made a unit is removed like any file', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/box/quadlets/box.container': quadlet(1000) }, { hosts: 'real' })
  await world.deploy()
  world.remove('web1/box')
  world.write({ 'web1/.gitkeep': '' })
  await world.deploy()
  assert.equal(world.host('web1').exists('/etc/containers/systemd/box.container'), false)
})
