/** A deployment of one app to web1 that takes a while, and how far a host is with it. */
import type { TestHost } from '../hosts/test-host.ts'
import type { Tree } from '../support/tree.ts'
import { makeWorld } from '../support/world.ts'

/** web1 has 'one', and 'two' is to be deployed, with a unit that is watched for as long as something can happen. */
export async function worldWithOne(t: Parameters<typeof makeWorld>[0]) {
  const world = await makeWorld(t, { 'web1/a/x': 'one' }, { hosts: 'real' })
  await world.deploy()
  world.write(slow('two'))
  return { world, web1: world.host('web1') }
}

function slow(content: string): Tree {
  return {
    'web1/a/x': content,
    'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/sleep infinity\n',
    'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"], "settle_ms": 1500}}',
  }
}

export function deployed(host: TestHost): string {
  return host.read('/var/lib/deptool/apps/a/current/x')
}

export async function isUnderWay(host: TestHost): Promise<boolean> {
  return (await host.sh('grep -q "^[0-9]" /var/lib/deptool/journal')).code === 0
}

export function isQuiet(host: TestHost): boolean {
  return !host.exists('/var/lib/deptool/journal')
}

/** Everything runs, and the confirmation is waited for. */
export function isSettled(host: TestHost): boolean {
  return !isQuiet(host) && host.read('/var/lib/deptool/lock').includes('"ticks"')
}
