import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestHost } from '../hosts/test-host.ts'
import { makeWorld, type World } from '../support/world.ts'
import type { Figure, Table } from './figure.ts'
import { readTrace } from './git-trace.ts'
import type { Scope } from './scope.ts'
import { changeTree, serviceTree } from './service.ts'
import { pinAlgorithms } from './ssh-algorithms.ts'

/** Where the time of one deployment goes, by what it prints and when, by git's own trace and the hosts' records. */
export async function benchPhases(scope: Scope, rounds: number): Promise<Table[]> {
  const world = await makeWorld(scope, serviceTree('quick'), { hosts: 'real', storage: 'disk' })
  pinAlgorithms(world)
  await world.deploy()
  const runs: Moments[] = []
  for (let round = -1; round < rounds; round++) {
    world.write(changeTree('quick', `${performance.now()}`))
    const moments = await deployOnce(world)
    if (round >= 0) runs.push(moments)
  }
  const phases = runs.map(phasesOf)
  const figures = Object.keys(phases[0]!).map(
    (name): Figure => ({
      name,
      unit: 'ms',
      samples: phases.map(phase => phase[name as keyof Phases]),
    }),
  )
  return [
    {
      title: 'phases: where the time of a deployment to two hosts goes (settle_ms 0)',
      notes: ['each phase ends when the slower host is through'],
      figures: [...figures, { name: 'git processes', unit: '', samples: runs.map(({ gits }) => gits) }],
    },
  ]
}

/** Milliseconds since 1970. */
interface Moments {
  readonly start: number
  /** Our own first git command begins: node and the program are loaded. */
  readonly loaded: number
  /** The plan is on the screen. */
  readonly planned: number
  /** The agents have the lock and begin to work, by their own records. */
  readonly locked: number
  readonly staged: number
  readonly restarting: number
  readonly deployed: number
  readonly concluded: number
  readonly end: number
  /** How many git commands it took. */
  readonly gits: number
}

type Phases = ReturnType<typeof phasesOf>

function phasesOf(at: Moments) {
  return {
    'git, node and loading': at.loaded - at.start,
    plan: at.planned - at.loaded,
    'commits, connect, agent, lock': at.locked - at.planned,
    'objects, stage': at.staged - at.locked,
    'journal, swap': at.restarting - at.staged,
    'restart, settle, confirm': at.deployed - at.restarting,
    refs: at.concluded - at.deployed,
    'hang up, exit': at.end - at.concluded,
    'all of it': at.end - at.start,
  }
}

async function deployOnce(world: World<TestHost>): Promise<Moments> {
  const trace = join(world.home, 'trace')
  rmSync(trace, { force: true })
  const start = now()
  const child = spawn('git', ['deploy', 'prod', '--yes'], {
    cwd: world.repo,
    env: { ...world.env, GIT_TRACE2_EVENT: trace },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const last = new Map<string, number>()
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', line => {
      for (const [name, pattern] of MARKS) if (pattern.test(line)) last.set(name, now())
    })
  const [code] = await once(child, 'close')
  const end = now()
  if (code !== 0) throw new Error(`git deploy ended with ${code}`)
  const at = (name: string) => last.get(name) ?? Number.NaN
  // The first git command is the one that was typed.
  const { began } = readTrace(readFileSync(trace, 'utf8'))
  return {
    start,
    loaded: began[1]?.at ?? Number.NaN,
    planned: at('planned'),
    locked: Math.max(...world.hosts.map(lockedAt)),
    staged: at('staged'),
    restarting: at('restarting'),
    deployed: at('deployed'),
    concluded: at('concluded'),
    end,
    gits: began.length - 1,
  }
}

const MARKS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['planned', /^ {8}restart /],
  ['staged', / s {2}\S+ {2}staged/],
  ['restarting', / s {2}\S+ {2}restart /],
  ['deployed', / s {2}\S+ {2}deployed/],
  ['concluded', /^deployed to/],
]

/** When the agent began its last deployment: hosts go by this machine's clock. */
function lockedAt(host: TestHost): number {
  const last = host.read('/var/lib/deptool/log').trimEnd().split('\n').at(-1) ?? ''
  return (JSON.parse(last) as { readonly at: number }).at
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
