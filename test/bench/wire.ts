import type { TestHost } from '../hosts/test-host.ts'
import { makeWorld, type World } from '../support/world.ts'
import { stopwatch } from './contest.ts'
import type { Table } from './figure.ts'
import { run } from './run.ts'
import type { Scope } from './scope.ts'
import { changeTree, HOSTS, serviceTree } from './service.ts'

/** The added round trip of a host that is far away. */
const FAR_MS = 100

/** What a one-line change sends, and how often a deployment waits for the network: its time grows by that. */
export async function benchWire(scope: Scope, rounds: number): Promise<Table[]> {
  const world = await makeWorld(scope, serviceTree('quick'), { hosts: 'real', storage: 'disk' })
  await world.deploy()
  const near: Trip[] = []
  const far: Trip[] = []
  for (let round = 0; round < Math.ceil(rounds / 3); round++) {
    near.push(await deployThrough(world, 0))
    far.push(await deployThrough(world, FAR_MS))
  }
  const figure = (name: string, samples: readonly number[]) => ({ name, unit: '' as const, samples })
  return [
    {
      title: 'wire: one changed line and one restart on each of two hosts, through a relay',
      notes: [
        `round trips: (time with ${FAR_MS} ms - time with 0 ms) / ${FAR_MS}; bytes: SSH included, for one host`,
      ],
      figures: [
        {
          ...figure(
            'bytes sent',
            near.map(({ sent }) => sent),
          ),
          unit: 'bytes',
        },
        {
          ...figure(
            'bytes received',
            near.map(({ received }) => received),
          ),
          unit: 'bytes',
        },
        {
          ...figure(
            'deploy, no delay',
            near.map(({ ms }) => ms),
          ),
          unit: 'ms',
        },
        {
          ...figure(
            `deploy, ${FAR_MS} ms away`,
            far.map(({ ms }) => ms),
          ),
          unit: 'ms',
        },
        {
          ...figure(
            'round trips',
            far.map(({ ms }, round) => (ms - near[round]!.ms) / FAR_MS),
          ),
          atMost: 11,
        },
      ],
    },
  ]
}

interface Trip {
  readonly ms: number
  readonly sent: number
  readonly received: number
}

async function deployThrough(world: World<TestHost>, roundTripMs: number): Promise<Trip> {
  const relays = await Promise.all(HOSTS.map(host => world.relay(host, { roundTripMs })))
  world.write(changeTree('quick', `${performance.now()}`))
  const ms = await stopwatch(() => run(world, ['git', 'deploy', 'prod', '--yes']))
  const { sent, received } = relays[0]!
  return { ms, sent, received }
}
