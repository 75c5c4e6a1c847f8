/** A deployment of one app to web1 that takes a while, and how far a host is with it. */
import type { TestHost } from '../hosts/test-host.ts'
import type { Tree } from '../support/tree.ts'
import { makeWorld } from '../support/world.ts'

/** web1 has 'one', and 'two' is to be deployed, with a unit that starts once it is released. */
export async function worldWithOne(t: Parameters<typeof makeWorld>[0]) {
  const world = await makeWorld(t, { 'web1/a/x': 'one' }, { hosts: 'real' })
  await world.deploy()
  world.write(HELD_TREE)
  return { world, web1: world.host('web1') }
}

const UNTIL_RELEASED = 'until test -e /run/go; do sleep 0.1; done'

/** In a manifest's 'validate'. */
export const HELD_COMMAND = ['/bin/sh', '-c', UNTIL_RELEASED]

/** In a [Service]. */
export const HELD = `TimeoutStartSec=infinity\nExecStartPre=/bin/sh -c '${UNTIL_RELEASED}'\n`

const HELD_TREE: Tree = {
  'web1/a/x': 'two',
  'web1/a/systemd/a.service': `[Service]\n${HELD}ExecStart=/bin/sleep infinity\n`,
  'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
}

/** Lets go on what is held, until the next boot. */
export async function release(host: TestHost): Promise<void> {
  await host.output('touch /run/go')
}

export async function isHeld(host: TestHost): Promise<boolean> {
  return (await host.unit('a.service')).sub === 'start-pre'
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
