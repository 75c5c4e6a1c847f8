import type { TestHost } from '../hosts/test-host.ts'
import { makeWorld, type World } from '../support/world.ts'
import { type Contender, contest } from './contest.ts'
import type { Table } from './figure.ts'
import { run } from './run.ts'
import type { Scope } from './scope.ts'
import { type AppName, changeTree, serviceTree } from './service.ts'
import { shellLoop } from './shell-loop.ts'
import { pinAlgorithms } from './ssh-algorithms.ts'

/** One changed file and one restarted unit on each of two real hosts, the whole process as it is typed. */
export async function benchDeploy(scope: Scope, rounds: number): Promise<Table[]> {
  const world = await makeWorld(
    scope,
    { ...serviceTree('quick'), ...serviceTree('watched') },
    { hosts: 'real', storage: 'disk' },
  )
  pinAlgorithms(world)
  await world.deploy()
  const loop: Contender = {
    name: 'shell loop',
    run: () =>
      shellLoop(
        world,
        'cat prod/$host/quick/quick.conf',
        'cat > /etc/quick.conf && systemctl restart quick.service && systemctl is-active quick.service',
      ),
  }
  const login: Contender = { name: 'ssh true', run: () => shellLoop(world, 'true', 'true') }
  const quick = { ...deployOf(world, 'quick', 'settle_ms 0'), over: loop, atMost: 1.5 }
  const watched = { ...deployOf(world, 'watched', 'settle_ms 300'), over: loop }
  return [
    {
      title: 'deploy: one file and one restart on each of two hosts, over the shell loop',
      notes: [
        "loop: ssh host 'cat > f && systemctl restart u && systemctl is-active u' & for both, and wait",
      ],
      figures: await contest([login, loop, quick, watched], rounds),
    },
  ]
}

function deployOf(world: World<TestHost>, app: AppName, how: string): Contender {
  return {
    name: `git deploy --yes, ${how}`,
    prepare: () => world.write(changeTree(app, `${performance.now()}`)),
    run: () => run(world, ['git', 'deploy', 'prod', '--yes']),
  }
}
