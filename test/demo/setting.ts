import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { TestHost } from '../hosts/test-host.ts'
import { LocalHost } from '../support/local-host.ts'
import { World } from '../support/world.ts'
import { startHolder } from './holder.ts'
import type { Shell } from './screen.ts'

/** Hosts, and an operator with a repository for them. */
export interface Setting<W> {
  readonly world: W
  readonly shell: Shell
  /** Stops the hosts and removes every file. */
  leave(): Promise<void>
  /** Lets all of it outlive this process; returns the words that say what to do with it. */
  keep(): string[]
}

export async function realSetting(names: readonly string[]): Promise<Setting<World<TestHost>>> {
  const directory = makeDirectory()
  const holder = await startHolder(directory, names)
  const hosts = names.map((name, index) => new TestHost(name, holder.numbers[index]!))
  const world = makeWorld(directory, hosts)
  return {
    world,
    shell: shellOf(world),
    leave: () => holder.end(),
    keep() {
      holder.letGo()
      const more = [`ssh ${names[0]}`, 'git log --oneline --graph refs/deptool']
      return [...keptLines(world, more), `kill ${holder.pid}    # stops the hosts and removes all of it`]
    },
  }
}

export function embeddedSetting(names: readonly string[]): Setting<World<LocalHost>> {
  const directory = makeDirectory()
  const hosts = names.map(name => new LocalHost(name, join(directory, 'hosts', name)))
  const world = makeWorld(directory, hosts)
  return {
    world,
    shell: shellOf(world),
    leave: async () => rmSync(directory, { recursive: true }),
    keep: () => [
      ...keptLines(world, [`find ${join(directory, 'hosts')}`]),
      `rm -r ${directory}    # removes all of it`,
    ],
  }
}

function makeDirectory(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'git-deploy-demo-')))
}

function makeWorld<H extends TestHost | LocalHost>(directory: string, hosts: readonly H[]): World<H> {
  // An owner is for what a world starts later on; this one starts nothing.
  return new World('Ada', { owner: { after() {} }, directory, hosts })
}

function shellOf({ repo, env }: World<TestHost | LocalHost>): Shell {
  const { TERM = 'dumb', NO_COLOR } = process.env
  // Nobody is there to leave a pager.
  const screen = { TERM, GIT_PAGER: 'cat', ...(NO_COLOR === undefined ? {} : { NO_COLOR }) }
  return { cwd: repo, env: { ...env, ...screen } }
}

function keptLines({ repo, home, env }: World<TestHost | LocalHost>, more: readonly string[]): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).slice(0, 2)
  return [
    `cd ${repo}`,
    // ssh finds its configuration by the `ssh` in the first folder.
    `export HOME=${home} PATH=${folders.join(delimiter)}:$PATH`,
    'git deploy prod',
    ...more,
  ]
}
