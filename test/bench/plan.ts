import { setTimeout as sleep } from 'node:timers/promises'
import type { Operator } from '../support/operator.ts'
import { makeWorld } from '../support/world.ts'
import { type Contender, contest } from './contest.ts'
import type { Figure, Table } from './figure.ts'
import { type Fleet, fleetTree } from './fleet.ts'
import { benchHook } from './hook.ts'
import { run } from './run.ts'
import type { Scope } from './scope.ts'

const FLEETS: readonly (Fleet & { readonly atMost: number })[] = [
  { hosts: 2, apps: 10, files: 5, atMost: 1.6 },
  { hosts: 200, apps: 10, files: 5, atMost: 4 },
]

/** `git deploy plan prod` as it is typed, on fleets whose hosts are all tracked: they were deployed to before. */
export async function benchPlan(scope: Scope, rounds: number): Promise<Table[]> {
  const tables: Table[] = []
  for (const fleet of FLEETS) tables.push(await benchFleet(scope, fleet, rounds))
  return [...tables, await benchHook(scope, rounds)]
}

async function benchFleet(
  scope: Scope,
  fleet: Fleet & { readonly atMost: number },
  rounds: number,
): Promise<Table> {
  const tree = fleetTree(fleet)
  const world = await makeWorld(scope, tree)
  await world.deploy()
  const [file, content] = Object.entries(tree)[0]!
  const plan = ['git', 'deploy', 'plan', 'prod']
  const node: Contender = { name: 'node -e 0', run: () => run(world, ['node', '-e', '0']) }
  const unchanged: Contender = {
    name: 'nothing changed',
    // What was planned once, as after a deployment or a plan.
    prepare: async () => {
      await write(world, file, content)
      await run(world, plan)
    },
    run: () => run(world, plan),
    over: node,
    atMost: fleet.atMost,
  }
  const changed: Contender = {
    name: 'one file changed',
    prepare: () => write(world, file, `changed at ${performance.now()}\n`),
    run: () => run(world, plan),
    over: node,
    atMost: fleet.atMost,
  }
  const version: Contender = {
    name: 'git deploy --version',
    run: () => run(world, ['git', 'deploy', '--version']),
    over: node,
  }
  const figures: Figure[] = await contest([node, version, unchanged, changed], rounds)
  return {
    title: `plan: ${fleet.hosts} hosts x ${fleet.apps} apps x ${fleet.files} files, over 'node -e 0'`,
    notes: ['all hosts tracked, by a deployment to embedded hosts'],
    figures,
  }
}

/** Then waits until the file's time is not the present any more, as it is when somebody plans what they edited. */
async function write(operator: Operator, file: string, content: unknown): Promise<void> {
  operator.write({ [file]: String(content) })
  await sleep(50)
}
