import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BootOptions, bootHosts, type Owner } from '../hosts/boot.ts'
import { TestHost } from '../hosts/test-host.ts'
import { LocalHost } from './local-host.ts'
import type { Place } from './normalise.ts'
import { Operator } from './operator.ts'
import { type Relay, startRelay } from './relay.ts'
import { writeSshHome } from './ssh-home.ts'
import type { Tree } from './tree.ts'

/**
 * An operator, a repository with the cluster `prod`, and a pristine host for every host directory in it. All of it
 * goes with `owner`, a test's context. Hosts are directories unless `hosts: 'real'` asks for machines (then the test
 * takes the options `realHosts`).
 */
export function makeWorld(owner: Owner, tree: TreeSource, options: RealOptions): Promise<World<TestHost>>
export function makeWorld(owner: Owner, tree: TreeSource, options?: WorldOptions): Promise<World<LocalHost>>
export async function makeWorld(
  owner: Owner,
  tree: TreeSource,
  options: WorldOptions | RealOptions = {},
): Promise<World<TestHost | LocalHost>> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'git-deploy-')))
  owner.after(async () => rmSync(directory, { recursive: true, force: true }))
  const names = [...new Set([...hostNames(tree), ...(options.moreHosts ?? [])])]
  const hosts: readonly (TestHost | LocalHost)[] =
    options.hosts === 'real' ? await bootHosts(owner, names, options) : localHosts(directory, names)
  const world = new World('Ada', { owner, directory, hosts })
  await world.git('init', '--quiet', '--initial-branch=main', ...(options.init ?? []))
  world.write(contents(tree, name => world.host(name).address))
  if (options.commit ?? true) await world.commit('first')
  return world
}

/** A tree below `prod/`; as a function where files have to name the addresses of hosts. */
export type TreeSource = Tree | ((addressOf: (host: string) => string) => Tree)

export interface WorldOptions {
  readonly hosts?: 'local'
  /** Hosts that the tree does not name (yet). */
  readonly moreHosts?: readonly string[]
  /** Whether the tree is committed; it is unless told otherwise. */
  readonly commit?: boolean
  /** More options for `git init`. */
  readonly init?: readonly string[]
}

export interface RealOptions extends Omit<WorldOptions, 'hosts'>, BootOptions {
  readonly hosts: 'real'
}

/** Two operators who share hosts see two worlds. */
export class World<H extends TestHost | LocalHost> extends Operator {
  readonly hosts: readonly H[]
  readonly #setting: Setting<H>
  readonly #relays = new Map<string, Relay>()
  readonly #users = new Map<string, string>()

  constructor(name: string, setting: Setting<H>) {
    const directory = join(setting.directory, name.toLowerCase())
    mkdirSync(join(directory, 'repo'), { recursive: true })
    super({ name, directory, gitConfig: hostUrls(setting.hosts), places: places(setting) })
    this.hosts = setting.hosts
    this.#setting = setting
    this.#writeSshHome()
  }

  host(name: string): H {
    const host = this.hosts.find(host => host.name === name)
    if (host === undefined) throw new Error(`the world has no host '${name}'`)
    return host
  }

  /** Somebody else with a clone of the repository, who reaches the same hosts. */
  async colleague(name: string): Promise<World<H>> {
    const colleague = new World(name, this.#setting)
    await colleague.git('clone', '--quiet', this.repo, '.')
    return colleague
  }

  /** From now on this operator reaches the (real) host through a relay. */
  async relay(name: string, options: { readonly roundTripMs?: number } = {}): Promise<Relay> {
    const relay = await startRelay(this.#setting.owner, this.#realHost(name), options)
    this.#relays.set(name, relay)
    this.#writeSshHome()
    return relay
  }

  /** From now on this operator logs in as `root`, `deploy` or `nosudo`. */
  logInAs(user: string, name: string): void {
    this.#users.set(this.#realHost(name).name, user)
    this.#writeSshHome()
  }

  #writeSshHome(): void {
    const hosts = this.hosts.filter(host => host instanceof TestHost)
    const reached = hosts.map(host => {
      const { address, port } = this.#relays.get(host.name) ?? host
      return {
        name: host.name,
        address,
        port,
        keyFile: host.keyFile,
        hostKey: host.hostKey,
        user: this.#user(host),
      }
    })
    writeSshHome(this.home, reached)
  }

  #user(host: TestHost): string {
    return this.#users.get(host.name) ?? 'root'
  }

  #realHost(name: string): TestHost {
    const host: TestHost | LocalHost = this.host(name)
    if (host instanceof TestHost) return host
    throw new Error(`'${name}' is a directory, which nobody reaches by SSH`)
  }
}

interface Setting<H> {
  readonly owner: Owner
  readonly directory: string
  readonly hosts: readonly H[]
}

function hostNames(tree: TreeSource): string[] {
  // Only the paths matter here, and they do not depend on addresses.
  const paths = Object.keys(contents(tree, () => '127.0.0.1'))
  return paths.filter(path => path.includes('/')).map(path => path.split('/', 1)[0]!)
}

function contents(tree: TreeSource, addressOf: (host: string) => string): Tree {
  return typeof tree === 'function' ? tree(addressOf) : tree
}

function localHosts(directory: string, names: readonly string[]): LocalHost[] {
  return names.map(name => new LocalHost(name, join(directory, 'hosts', name)))
}

function hostUrls(hosts: readonly (TestHost | LocalHost)[]): string {
  const local = hosts.filter(host => host instanceof LocalHost)
  return local.map(host => `[deptool-host "${host.name}"]\n  url = local:${host.directory}\n`).join('')
}

function places({ directory, hosts }: Setting<TestHost | LocalHost>): Place[] {
  const real = hosts.filter(host => host instanceof TestHost)
  return [
    { from: directory, to: '<dir>' },
    ...real.map(host => ({ from: host.address, to: `<${host.name}>` })),
  ]
}
