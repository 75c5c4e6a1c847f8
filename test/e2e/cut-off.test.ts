/**
 * The operator's side loses a host before, during and after its activation, in each way that there is: for a moment,
 * and for good. What is reported, recorded and told later is what really happened.
 */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import type { Relay } from '../support/relay.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld, type World } from '../support/world.ts'
import { deployed, HELD, HELD_COMMAND, isHeld, release } from './under-way.ts'

type Phase = 'before' | 'during' | 'after'
const PHASES: readonly Phase[] = ['before', 'during', 'after']

interface Fault {
  /** Until `back`, nobody gets through. Where there is none, it is over by itself. */
  away(host: TestHost, relay: Relay): unknown
  back?(host: TestHost, relay: Relay): unknown
  /** How long it lasts, where it is but for a moment. */
  readonly ms: number
  /** How the deployment then ends. */
  readonly exits: { readonly [P in Phase]: number }
}

const AGENT = "pgrep -f '^/var/lib/deptool/bin/deptool'"

const FAULTS: { readonly [what: string]: Fault } = {
  'the connection is cut': {
    away: (_, relay) => relay.refuse(),
    back: (_, relay) => relay.accept(),
    ms: 0,
    exits: { before: 1, during: 0, after: 0 },
  },
  'sshd is killed': {
    away: host => host.output("kill -STOP $(cat /run/sshd.pid); pkill -KILL -f '^sshd: root'"),
    back: host => host.output('kill -CONT $(cat /run/sshd.pid)'),
    ms: 0,
    exits: { before: 1, during: 0, after: 0 },
  },
  'the host stands still': {
    away: host => host.freeze(),
    back: host => host.thaw(),
    // Longer than ServerAliveInterval says, and than a host waits for its confirmation.
    ms: 6000,
    exits: { before: 1, during: 0, after: 4 },
  },
  'the agent is killed': {
    away: host => host.output(`kill -KILL $(${AGENT})`),
    ms: 0,
    exits: { before: 1, during: 4, after: 4 },
  },
  'the agent is told to end': {
    away: host => host.output(`kill -TERM $(${AGENT})`),
    ms: 0,
    exits: { before: 1, during: 4, after: 4 },
  },
  'the host starts anew': {
    away: host => host.reboot(),
    ms: 0,
    exits: { before: 1, during: 4, after: 4 },
  },
  'the power goes': {
    away: host => host.powerCut(),
    ms: 0,
    exits: { before: 1, during: 4, after: 4 },
  },
}

/** 'two' is held up where each host is to be lost: in `validate`, in a restart, and by the network when it has settled. */
function tree(content: 'one' | 'two'): Tree {
  const held = content === 'two'
  const unit = `[Service]\n${held ? HELD : ''}ExecStart=/bin/sleep infinity\n`
  return {
    'before/a/x': content,
    'before/a/manifest.json': JSON.stringify({ validate: held ? [HELD_COMMAND] : [] }),
    'during/a/x': content,
    'during/a/systemd/a.service': unit,
    'during/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
    'after/a/x': content,
    'after/a/systemd/a.service': unit,
    'after/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
  }
}

const reach: { readonly [P in Phase]: (host: TestHost, relay: Relay) => Promise<unknown> } = {
  before: host => waitFor('staging', () => host.exists('/var/lib/deptool/journal')),
  during: host => waitFor('the restart', () => isHeld(host)),
  async after(host, relay) {
    await waitFor('the restart', () => isHeld(host))
    relay.slowDown(1500)
    await release(host)
    await waitFor('the end of it', () => host.read('/var/lib/deptool/lock').includes('"ticks"'))
  },
}

async function worldWithThree(t: Parameters<typeof makeWorld>[0]) {
  const world = await makeWorld(t, tree('one'), { hosts: 'real' })
  await world.git('config', 'deptool.confirmTimeout', '3')
  await world.deploy()
  const relays = new Map<Phase, Relay>()
  for (const phase of PHASES) relays.set(phase, await world.relay(phase))
  appendFileSync(join(world.home, '.ssh/config'), '\nHost *\n  ServerAliveInterval 1\n  ConnectTimeout 2\n')
  world.write(tree('two'))
  return { world, relays }
}

/** Each deployment once, in the order in which they were made. */
async function hostLog(host: TestHost): Promise<string[]> {
  const lines = (await host.output('cat /var/lib/deptool/log')).trim().split('\n')
  const records = lines.map(line => JSON.parse(line) as { id: string; outcome: string })
  assert.equal(new Set(records.map(({ id }) => id)).size, records.length, lines.join('\n'))
  return records.map(({ outcome }) => outcome)
}

/** How this repository says that deployments to the host ended, the newest first. */
async function ownLog(world: World<TestHost>, host: string): Promise<string[]> {
  const { stdout } = await world.run('log', host).stdout(anything)
  return [
    ...stdout.matchAll(
      new RegExp(`^    ${host}  (deployed|rolled back|outcome unknown|nothing changed)`, 'gm'),
    ),
  ].map(([, word]) => word!)
}

// They mostly wait for times that a host or an operator's side has.
suite('a host is lost', { concurrency: 2 }, () => {
  for (const [what, fault] of Object.entries(FAULTS)) {
    test(fault.back ? `${what}, for a moment` : what, realHosts, async t => {
      const { world, relays } = await worldWithThree(t)
      await Promise.all(
        PHASES.map(async phase => {
          const host = world.host(phase)
          const relay = relays.get(phase)!
          const exits = fault.exits[phase]
          const checked = world
            .run('prod', '--yes', `--limit=${phase}`)
            .exits(exits)
            .stdout(anything)
            .stderr(
              phase === 'before'
                ? /before {2}(lost the connection.*|the agent ended unexpectedly.*|refused: the agent was terminated|nothing changed)\nfatal: cannot deploy 'prod': no host was changed\n$/
                : exits === 0
                  ? /; reconnecting\n +<time> {2}\w+ {2}deployed\n$/
                  : /rolled back: (not confirmed within <time>|the agent was killed, or the host lost power|the agent was terminated)\nfatal: rolled back on \w+: it is as it was before\n$/,
            )
          await reach[phase](host, relay)
          await fault.away(host, relay)
          await release(host)
          await sleep(fault.ms)
          await fault.back?.(host, relay)
          await checked
          // What an agent left that died before it had changed anything, the next session clears away.
          if (!fault.back) await world.run('ping', 'prod', `--limit=${phase}`).stdout(/ as recorded\n$/)
          await waitFor('the end', () => !host.exists('/var/lib/deptool/journal'))
          assert.equal(deployed(host), exits === 0 ? 'two' : 'one')
          const [told, onHost] =
            exits === 0
              ? ['deployed', ['held']]
              : exits === 4
                ? ['rolled back', ['undone']]
                : ['nothing changed', []]
          assert.deepEqual(await ownLog(world, phase), [told, 'deployed'])
          assert.deepEqual(await hostLog(host), ['held', ...onHost])
        }),
      )
    })

    const { back } = fault
    if (!back) continue
    test(`${what}, for good`, realHosts, async t => {
      const { world, relays } = await worldWithThree(t)
      await Promise.all(
        PHASES.map(async phase => {
          const host = world.host(phase)
          const relay = relays.get(phase)!
          const unknown = phase !== 'before'
          const checked = world
            .run('prod', '--yes', `--limit=${phase}`)
            .exits(unknown ? 5 : 1)
            .stdout(anything)
            .stderr(
              unknown
                ? /outcome unknown: .*; since then: .*\nfatal: cannot tell how deployment <id> ended on \w+\nhint: a host that got no confirmation rolls back by itself; when it is reachable, run 'git deploy sync prod' to find out\n$/
                : /fatal: cannot deploy 'prod': no host was changed\n$/,
            )
          await reach[phase](host, relay)
          await fault.away(host, relay)
          await release(host)
          await checked
          assert.deepEqual(await ownLog(world, phase), [
            unknown ? 'outcome unknown' : 'nothing changed',
            'deployed',
          ])
          await back(host, relay)
          await waitFor('the end', () => !host.exists('/var/lib/deptool/journal'))
          assert.equal(deployed(host), 'one')
        }),
      )
      const open = '1 app to change, but the outcome of deployment <id> is unknown'
      await world
        .run('status', 'prod')
        .stdout(new RegExp(`^after .*${open}\nbefore .*1 app to change\nduring .*${open}\n$`))
        .stderr("hint: run 'git deploy sync prod' to find out\n")
      const undone = 'deployment <id>: rolled back after <time>: not confirmed within <time>'
      await world
        .run('sync', 'prod')
        .stdout(
          `after   unchanged <oid>\nafter  ${undone}\nbefore  unchanged <oid>\nduring  unchanged <oid>\nduring  ${undone}\n`,
        )
      assert.deepEqual(await ownLog(world, 'before'), ['nothing changed', 'deployed'])
      assert.deepEqual(await hostLog(world.host('before')), ['held'])
      for (const phase of ['during', 'after'] as const) {
        assert.deepEqual(await ownLog(world, phase), ['rolled back', 'deployed'])
        assert.deepEqual(await hostLog(world.host(phase)), ['held', 'undone'])
      }
      await world.run('status', 'prod').stdout(/^(.* 1 app to change\n){3}$/)
    })
  }
})

test("the operator's side is killed", realHosts, async t => {
  const { world, relays } = await worldWithThree(t)
  await Promise.all(
    PHASES.map(async phase => {
      const host = world.host(phase)
      const { outcome, kill } = world.start('prod', '--yes', `--limit=${phase}`)
      const checked = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
      await reach[phase](host, relays.get(phase)!)
      kill('SIGKILL')
      await checked
      await release(host)
      // Whose deployment it is and, if it still waits, for how long.
      if (phase === 'after')
        await world
          .run('ping', 'prod')
          .stdout(
            /^after .*, locked by Ada <ada@example.com> since <date> \(deployment <id>; waiting for confirmation, <time> left\)$/m,
          )
      await waitFor('the end', () => !host.exists('/var/lib/deptool/journal'))
      assert.equal(deployed(host), 'one')
      assert.deepEqual(await ownLog(world, phase), ['outcome unknown', 'deployed'])
    }),
  )
  const undone = 'deployment <id>: rolled back after <time>: not confirmed within <time>'
  await world
    .run('sync', 'prod')
    .stdout(
      `after   unchanged <oid>\nafter  ${undone}\nbefore  unchanged <oid>\nbefore  deployment <id>: nothing changed: it never started on the host\nduring  unchanged <oid>\nduring  ${undone}\n`,
    )
  await world.run('status', 'prod').stdout(/^(.* 1 app to change\n){3}$/)
  await world.deploy()
  for (const phase of PHASES) {
    assert.equal(deployed(world.host(phase)), 'two')
    const left = await world
      .host(phase)
      .output('ls /var/lib/deptool /var/lib/deptool/backup /var/lib/deptool/store')
    assert.doesNotMatch(left, /verdict|journal|incoming|\.lock|tmp/)
  }
})
