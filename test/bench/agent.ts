import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled } from '../hosts/programs.ts'
import { agentFor, Driver } from '../support/agent-driver.ts'
import type { Tree } from '../support/tree.ts'
import { makeWorld } from '../support/world.ts'
import { AGENT } from './agent-binary.ts'
import type { Figure, Table } from './figure.ts'
import { peakOf, peakWhile } from './peak-memory.ts'
import { run } from './run.ts'
import type { Scope } from './scope.ts'

/** The agent by itself: its size, how soon it greets, and how much memory it takes. */
export async function benchAgent(scope: Scope, rounds: number): Promise<Table[]> {
  const root = (await makeWorld(scope, first)).host('web1').directory
  return [
    {
      title: 'agent: linux-x86_64',
      notes: [
        'exec to greeting: from fork to its last byte, over a static program that writes one byte',
        'memory: peak resident set (VmHWM), deploying to an embedded host',
      ],
      figures: [
        { name: 'size', unit: 'bytes', samples: [statSync(AGENT).size], atMost: 1024 * 1024 },
        ...sizeOfOther('linux-aarch64'),
        ...execToGreeting(scope, root, rounds * 20),
        { name: 'memory, hello', unit: 'KiB', samples: await memoryOfHello(root) },
        {
          name: 'memory, one changed file',
          unit: 'KiB',
          samples: await memoryOfUpdate(scope, ordinary),
          atMost: 10 * 1024,
        },
        { name: 'memory, 10 MB in one file', unit: 'KiB', samples: await memoryOfUpdate(scope, oneBig) },
        { name: 'memory, 10 MB in 1000 files', unit: 'KiB', samples: await memoryOfUpdate(scope, manySmall) },
      ],
    },
  ]
}

function sizeOfOther(platform: string): Figure[] {
  const file = agentFor(platform)
  if (!existsSync(file)) return []
  return [{ name: `size, ${platform}`, unit: 'bytes', samples: [statSync(file).size], atMost: 1024 * 1024 }]
}

/** Timed in C: starting a process from Node costs more than the agent takes, and varies more. */
function execToGreeting(scope: Scope, root: string, rounds: number): Figure[] {
  const directory = mkdtempSync(join(tmpdir(), 'git-deploy-bench-'))
  scope.after(async () => rmSync(directory, { recursive: true }))
  const [timer, floor] = ['exec-timer', 'floor'].map(name => compile(name, directory))
  const output = execFileSync(timer!, [String(rounds), floor!, AGENT], {
    env: { ...process.env, DEPTOOL_ROOT: root },
    encoding: 'utf8',
  })
  const pairs = output
    .trimEnd()
    .split('\n')
    .map(line => line.split(' ').map(Number) as [number, number])
  return [
    { name: 'static program that writes a byte', unit: 'µs', samples: pairs.map(([floor]) => floor) },
    {
      name: 'exec to greeting',
      unit: 'µs',
      samples: pairs.map(([, agent]) => agent),
      atMost: 5000,
      ratio: { over: 'static program', samples: pairs.map(([floor, agent]) => agent / floor) },
    },
  ]
}

function compile(name: string, directory: string): string {
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url))
  const compiler = ['musl-gcc', 'cc', 'gcc'].find(isInstalled)
  if (compiler === undefined) throw new Error('no C compiler: install gcc')
  execFileSync(compiler, ['-O2', '-static', '-s', '-o', join(directory, name), source])
  return join(directory, name)
}

async function memoryOfHello(root: string): Promise<number[]> {
  const driver = new Driver(root)
  await driver.next()
  const peak = peakOf(driver.child.pid!)
  await driver.end()
  return [peak ?? Number.NaN]
}

const first: Tree = { 'web1/app/app.conf': 'first\n', 'web1/app/other.conf': 'other\n' }
const ordinary: Tree = { 'web1/app/app.conf': 'second\n' }
const oneBig: Tree = { 'web1/app/big': randomBytes(10_000_000) }
const manySmall: Tree = Object.fromEntries(
  Array.from({ length: 1000 }, (_, file) => [`web1/app/${file}`, randomBytes(10_000)]),
)

async function memoryOfUpdate(scope: Scope, change: Tree): Promise<number[]> {
  const world = await makeWorld(scope, first)
  await world.deploy()
  world.write(change)
  const root = world.host('web1').directory
  return [await peakWhile(`DEPTOOL_ROOT=${root}`, run(world, ['git', 'deploy', 'prod', '--yes']))]
}
