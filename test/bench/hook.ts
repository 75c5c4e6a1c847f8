import { makeWorld } from '../support/world.ts'
import { contest } from './contest.ts'
import type { Figure, Table } from './figure.ts'
import { fleetTree } from './fleet.ts'
import { run } from './run.ts'
import type { Scope } from './scope.ts'

/** What the post-commit hook adds to a commit that changes one file, beside the plan that it shows. */
export async function benchHook(scope: Scope, rounds: number): Promise<Table> {
  const tree = fleetTree({ hosts: 2, apps: 10, files: 5 })
  const world = await makeWorld(scope, tree)
  await world.deploy()
  await run(world, ['git', 'deploy', 'hooks', 'install'])
  const [file] = Object.keys(tree)
  const change = async () => {
    world.write({ [file!]: `changed at ${performance.now()}\n` })
    await world.git('add', '--all')
  }
  const commit = (...options: string[]) => ['git', ...options, 'commit', '--quiet', '--message', 'change']
  const [plan, without, within] = (await contest(
    [
      { name: 'git deploy plan prod HEAD', run: () => run(world, ['git', 'deploy', 'plan', 'prod', 'HEAD']) },
      { name: 'commit', prepare: change, run: () => run(world, commit('-c', 'core.hooksPath=/dev/null')) },
      { name: 'commit, with the hook', prepare: change, run: () => run(world, commit()) },
    ],
    rounds,
  )) as [Figure, Figure, Figure]
  const added = within.samples.map((ms, round) => ms - without.samples[round]!)
  const hook: Figure = {
    name: 'what the hook adds',
    unit: 'ms',
    samples: added,
    ratio: { over: plan.name, samples: added.map((ms, round) => ms / plan.samples[round]!), atMost: 1.1 },
  }
  return {
    title: `post-commit: a plan with every commit, over '${plan.name}'`,
    notes: ['2 hosts x 10 apps x 5 files, one file changed'],
    figures: [plan, without, within, hook],
  }
}
