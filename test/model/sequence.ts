/**
 * A sequence of things that happen to one host and its operators. Each says what it must come to, from the model alone;
 * after each the host is what the deployment that holds declares, and nothing else of ours.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute, output, type Ran } from '../support/execute.ts'
import { MEMORY } from '../support/memory.ts'
import { Random } from '../support/random.ts'
import { clockEnv } from '../support/shift-clock.ts'
import { writeTree } from '../support/tree.ts'
import { type App, type Declared, enabledBy, fails, filesOf, write } from './declared.ts'
import { breakTree, edit, mend } from './edits.ts'
import { linksOf, portraitOf, runningIn } from './expected.ts'
import type { Fault } from './fault.ts'
import { DISTRIBUTION_UNIT, Host } from './host.ts'
import { runApart, runWithin } from './program.ts'

/** Chosen by chance, or a tree that is deployed. */
export type Happening = Chance | { readonly kind: 'deploy'; readonly tree: Declared; readonly fault?: Fault }

export interface Chance {
  readonly kind: Kind
  /** Of all that is chosen when it happens: the others may be left out, and it still makes sense. */
  readonly seed: number
}

export type Kind = (typeof KINDS)[number]

/** The happenings that a seed stands for. */
export function happeningsOf(seed: number): Chance[] {
  const random = new Random(seed)
  return Array.from({ length: 8 + random.below(10) }, (_, i) => ({
    // With something to begin with, a few edits at a time make for more than adding.
    kind: i < 2 ? 'change' : random.one(KINDS),
    seed: random.below(2 ** 31),
  }))
}

/** Lets all of it happen. Rejects where something is not as it must be, with all that was said until then. */
export async function play(happenings: readonly Happening[]): Promise<Played> {
  const world = new World()
  try {
    for (const happening of happenings) {
      await happen(world, happening)
      await world.check()
    }
    await world.checkHistory()
    return { deployments: world.held.length - 1, commands: world.commands }
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${world.transcript}`, { cause: error })
  } finally {
    world.close()
  }
}

async function happen(world: World, happening: Happening): Promise<void> {
  if (happening.kind === 'deploy') {
    world.say('— deploy')
    world.tree = happening.tree
    await deploy(world, world.operators[0]!, happening.tree, happening.fault)
    return
  }
  const { kind, seed } = happening
  world.say(`— ${kind} ${seed}`)
  world.clocks = new Random(seed ^ 0x5eed)
  await HAPPEN[kind](world, new Random(seed))
}

export interface Played {
  /** That held. */
  readonly deployments: number
  readonly commands: number
}

/** A deployment that held, or at the very beginning what was there before the first. */
interface Held {
  readonly commit: string | null
  readonly declared: Declared
  readonly before: Held | null
  /** Whether it only mended the host: what was replaced then was not good. */
  readonly repair: boolean
}

interface Operator {
  readonly name: string
  readonly repo: string
  /** What its clone believes to run. */
  known: Held | null
  /** Whether a deployment of theirs was cut off, and nobody has told them yet how it ended. */
  unsure: boolean
}

class World {
  readonly directory = mkdtempSync(join(MEMORY, 'git-deploy-model-'))
  readonly host = new Host(join(this.directory, 'web1'))
  readonly operators = ['ada', 'bob', 'eve'].map(name => this.#operator(name))
  /** The newest last. */
  readonly held: Held[] = [{ commit: null, declared: new Map(), before: null, repair: false }]
  /** What the operators want to deploy next. */
  tree: Declared = new Map()
  /** What is on the host and not ours. */
  foreign = new Map(Object.entries(this.host.portrait()))
  transcript = ''
  commands = 0
  /** What operators' clocks say, and half of the time they lie. */
  clocks = new Random(0)

  get now(): Held {
    return this.held.at(-1)!
  }

  say(text: string): void {
    this.transcript += `${text}\n`
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  #operator(name: string): Operator {
    const repo = join(this.directory, name)
    mkdirSync(join(repo, '.git/objects'), { recursive: true })
    mkdirSync(join(repo, '.git/refs/heads'), { recursive: true })
    mkdirSync(join(repo, 'prod'))
    writeFileSync(join(repo, '.git/HEAD'), 'ref: refs/heads/main\n')
    writeFileSync(
      join(repo, '.git/config'),
      `[core]
  repositoryformatversion = 0
  bare = false
  fsync = none
[user]
  name = ${name}
  email = ${name}@example.com
[deptool]
  cluster = prod
[deptool-host "web1"]
  url = local:${this.host.root}
`,
    )
    const operator: Operator = { name, repo, known: null, unsure: false }
    this.lay(operator, new Map())
    return operator
  }

  /** `git deploy …`, and the code it ends with. */
  async run(operator: Operator, args: readonly string[], { apart = false } = {}): Promise<Ran> {
    this.commands++
    const env = {
      PATH: process.env['PATH'],
      HOME: this.directory,
      XDG_CACHE_HOME: join(tmpdir(), 'git-deploy-model-cache'),
      GIT_CONFIG_NOSYSTEM: '1',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      ...clockEnv(this.clocks.below(2) * this.#jump()),
      ...(apart
        ? { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'deptool.confirmTimeout', GIT_CONFIG_VALUE_0: '1' }
        : {}),
    }
    const ran = await (apart ? runApart : runWithin)(args, { cwd: operator.repo, env })
    this.say(`${operator.name}$ git deploy ${args.join(' ')}\n${ran.stdout}${ran.stderr}(exit ${ran.code})`)
    await this.host.untilQuiet()
    return ran
  }

  /** Milliseconds, from a day back to 400 days ahead. */
  #jump(): number {
    return (this.clocks.below(401 * 24 * 60) - 24 * 60) * 60_000
  }

  /** Puts the tree into the operator's repository; null: the host is not in it. */
  lay(operator: Operator, declared: Declared | null): void {
    const prod = join(operator.repo, 'prod')
    rmSync(prod, { recursive: true })
    mkdirSync(prod)
    if (declared === null) return
    writeTree(join(prod, 'web1'), { '.gitkeep': '', ...write(declared) })
  }

  /** What the operator's ref says now. */
  see(operator: Operator): void {
    const ref = join(operator.repo, '.git/refs/deptool/web1')
    const commit = existsSync(ref) ? readFileSync(ref, 'utf8').trim() : null
    const known = this.held.find(held => held.commit === commit)
    assert.ok(known, `${operator.name} believes in ${commit}, which never held`)
    operator.known = commit === null ? null : known
  }

  /** A deployment has come to hold, by what the host says. */
  hold(declared: Declared, { repair = false } = {}): void {
    const commit = this.host.current
    assert.notEqual(commit, this.now.commit, 'a deployment that holds has a commit of its own')
    this.held.push({ commit, declared, before: this.now, repair })
    for (const [name, app] of declared)
      for (const path of linksOf(name, app).keys()) this.foreign.delete(path)
  }

  /** The host is what its newest deployment declares. */
  async check(): Promise<void> {
    await this.host.untilQuiet()
    const { declared, commit } = this.now
    assert.equal(this.host.current, commit, 'the commit that the host says it runs')
    const { foreign } = this
    assert.deepEqual(this.host.portrait(), sorted(portraitOf({ declared, foreign, ids: this.host.ids })))
    assert.deepEqual(sorted(this.host.running()), sorted(runningIn(declared, DISTRIBUTION_UNIT)))
    for (const app of declared.values()) {
      for (const user of app.sysusers) assert.ok(this.host.ids.has(user), `the user ${user}`)
      for (const directory of app.tmpfiles)
        assert.ok(this.host.has(`/run/${directory}`), `the directory ${directory}`)
    }
    for (const name of declared.keys()) this.#checkPrevious(name)
    this.#checkRooms()
  }

  /** The last good version is still there, whatever was tried since. */
  #checkPrevious(name: string): void {
    const good = lastGood(this.now, name)
    if (good === 'unknown') return
    const link = `/var/lib/deptool/apps/${name}/previous`
    assert.equal(this.host.has(link), good !== undefined, `${link} is there`)
    for (const [path, content] of Object.entries(good ? filesOf(name, good) : {}))
      if (typeof content === 'string')
        assert.equal(
          this.host.read(link.replace('previous', `${this.host.readlink(link)}/${path}`)),
          content,
          `${link}/${path}`,
        )
  }

  /** Nothing is left of what was under way, but what a killed agent was about to rename: the next one writes over it. */
  #checkRooms(): void {
    const base = this.host.list('/var/lib/deptool')
    for (const name of base)
      assert.match(name, /^(?:apps|backup|lock|store|(?:inventory|log|verdict)(?:\.lock)?)$/)
    assert.deepEqual(
      this.host
        .list('/var/lib/deptool/store')
        .filter(name => !/^(?:logs|objects|refs|(?:HEAD|config)(?:\.lock)?)$/.test(name)),
      [],
    )
    for (const { repo } of this.operators) {
      const own = join(repo, '.git/deptool')
      const names = existsSync(own) ? readdirSync(own) : []
      assert.deepEqual(
        names.filter(name => /^(?:incoming|objects)-/.test(name)),
        [],
      )
    }
  }

  /** One line of commits, each deployment once; and git finds no fault with any repository. */
  async checkHistory(): Promise<void> {
    if (this.now.commit === null) return
    const store = this.host.store
    const listed = await output(['git', '--git-dir', store, 'rev-list', '--parents', 'refs/deptool/current'])
    const expected = this.held
      .slice(1)
      .map(({ commit, before }) => [commit, ...(before?.commit ? [before.commit] : [])].join(' '))
    assert.deepEqual(listed.trim().split('\n'), expected.reverse())
    const repositories = [store, ...this.operators.map(({ repo }) => join(repo, '.git'))]
    for (const repository of repositories) {
      const { stdout, stderr, code } = await execute([
        'git',
        '--git-dir',
        repository,
        'fsck',
        '--strict',
        '--no-dangling',
        '--no-progress',
      ])
      // Neither has a branch.
      const said = `${stdout}${stderr}`.replace(/^notice: .*\n/gm, '')
      assert.equal(`${said}${code}`, '0', `git fsck of ${repository}`)
    }
    for (const operator of this.operators) {
      await this.expect(operator, ['sync', 'prod'], 0)
      this.see(operator)
      assert.equal(
        operator.known?.commit ?? null,
        this.now.commit,
        `what ${operator.name} knows after a sync`,
      )
    }
    await this.verify(this.operators[0]!)
  }

  async expect(operator: Operator, args: readonly string[], code: number): Promise<Ran> {
    const ran = await this.run(operator, args)
    assert.equal(ran.code, code, `the exit code of git deploy ${args.join(' ')}`)
    return ran
  }

  /** `verify` finds nothing where there is nothing. */
  async verify(operator: Operator): Promise<void> {
    if (operator.known !== this.now) return
    const { stdout } = await this.expect(operator, ['verify', 'prod'], 0)
    assert.match(stdout, /^web1 {2}ok$/m)
  }
}

/** What the app was before it was what it is; undefined where it was not there. */
function lastGood(now: Held, name: string): App | 'unknown' | undefined {
  for (let held = now; held.before; held = held.before) {
    if (held.repair) return 'unknown'
    if (!same(only(held.declared, name), only(held.before.declared, name)))
      return held.before.declared.get(name)
  }
  return undefined
}

type Happen = (world: World, random: Random) => Promise<void>

const KINDS = [
  ...['change', 'change', 'change', 'change', 'change', 'failure', 'fault', 'fault', 'fault', 'orphan'],
  ...['race', 'sync', 'rollback', 'forget', 'prune', 'drift', 'adopt', 'reboot', 'brokenFault'],
] as const

const HAPPEN: { readonly [K in Kind]: Happen } = {
  async change(world, random) {
    world.tree = edit(mend(world.tree), random)
    await deploy(world, someone(world, random), world.tree)
    if (random.below(3) === 0) await world.verify(random.one(world.operators))
  },

  async failure(world, random) {
    world.tree = breakTree(edit(mend(world.tree), random), random)
    await deploy(world, someone(world, random), world.tree)
  },

  async fault(world, random) {
    world.tree = edit(mend(world.tree), random)
    await deploy(world, someone(world, random), world.tree, faultFrom(random, ['kill', 'kill', 'cut']))
  },

  async brokenFault(world, random) {
    world.tree = breakTree(edit(mend(world.tree), random), random)
    await deploy(world, someone(world, random), world.tree, faultFrom(random, ['kill', 'cut']))
  },

  /** The operator's side is killed, and somebody else comes by. */
  async orphan(world, random) {
    world.tree = edit(mend(world.tree), random)
    await deploy(world, someone(world, random), world.tree, faultFrom(random, ['orphan', 'both']))
  },

  async race(world, random) {
    const racers = [world.operators[0]!, world.operators[1 + random.below(2)]!]
    for (const racer of racers) await catchUp(world, racer)
    const trees = racers.map(() => edit(mend(world.now.declared), random))
    const due = trees.map(tree => !same(tree, world.now.declared))
    for (const [i, racer] of racers.entries()) world.lay(racer, trees[i]!)
    const wait = random.one([[], ['--wait=5']])
    const before = world.host.current
    const ran = await Promise.all(racers.map(racer => world.run(racer, ['prod', '--yes', ...wait])))
    const won = racers.flatMap((_, i) => (due[i] && ran[i]!.code === 0 ? [i] : []))
    assert.equal(won.length, due.includes(true) ? 1 : 0, 'one wins')
    racers.forEach((_, i) => {
      if (!won.includes(i)) assert.equal(ran[i]!.code, due[i] ? 1 : 0, 'the other is refused')
    })
    if (won.length === 0) assert.equal(world.host.current, before)
    else world.hold(trees[won[0]!]!)
    for (const racer of racers) world.see(racer)
    world.tree = world.now.declared
  },

  async sync(world, random) {
    await catchUp(world, random.one(world.operators))
  },

  async rollback(world, random) {
    const operator = random.one(world.operators)
    if (operator.unsure) await catchUp(world, operator)
    const { known } = operator
    let back = known?.before
    // A repair has deployed the same once more.
    while (known && back && back.commit !== null && same(back.declared, known.declared)) back = back.before
    if (!back || back.commit === null) {
      await world.expect(operator, ['rollback', 'web1', '--yes'], 1)
      return
    }
    const stale = known !== world.now
    await world.expect(operator, ['rollback', 'web1', '--yes'], stale ? 1 : 0)
    if (!stale) world.hold(back.declared)
    world.see(operator)
    assert.equal(operator.known?.commit, world.now.commit)
    world.tree = world.now.declared
  },

  async forget(world, random) {
    const operator = random.one(world.operators)
    await world.expect(operator, ['forget', 'web1'], operator.known ? 0 : 1)
    world.see(operator)
    assert.equal(operator.known, null)
  },

  /** The host's directory goes: nothing comes of that, but with --prune. */
  async prune(world, random) {
    const operator = random.one(world.operators)
    await catchUp(world, operator)
    world.lay(operator, null)
    await world.expect(operator, ['prod', '--yes'], 0)
    await world.check()
    if (random.below(3) > 0 && operator.known !== null) {
      const due = world.now.declared.size > 0
      await world.expect(operator, ['prod', '--yes', '--prune'], 0)
      if (due) world.hold(new Map())
      world.see(operator)
      assert.equal(operator.known, null, 'a host that has left the tree is tracked no more')
      world.tree = new Map()
    }
    world.lay(operator, new Map())
  },

  async drift(world, random) {
    const operator = random.one(world.operators)
    await catchUp(world, operator)
    if (operator.known === null) return
    const damage = random.one(DAMAGES)
    if (!damage(world, random)) return
    await world.expect(operator, ['verify', 'prod'], 2)
    await world.expect(operator, ['--repair', 'prod', '--yes', '--adopt'], 0)
    world.hold(world.now.declared, { repair: true })
    world.see(operator)
    await world.verify(operator)
  },

  /** Something is where a link has to go: refused, and taken over when asked to. */
  async adopt(world, random) {
    world.tree = edit(mend(world.tree), random)
    const operator = random.one(world.operators)
    await catchUp(world, operator)
    const old = placesOf(world.now.declared)
    const running = Object.keys(world.host.running())
    const free = [...placesOf(world.tree).keys()]
      .filter(path => !old.has(path) && !world.host.has(path))
      // It would hide a quadlet's unit from systemd, at once.
      .filter(path => !running.includes(path.replace('/etc/systemd/system/', '')))
    const path = random.one([...free, ''])
    if (path === '') return
    const content = random.one(['foreign\n', { symlink: '/elsewhere' }])
    world.host.put(path, content)
    world.foreign.set(path, typeof content === 'string' ? `0644 0:0 ${content}` : '-> /elsewhere')
    await deploy(world, operator, world.tree)
    await world.check()
    const broken = breakTree(world.tree, random)
    if (random.below(2) === 0) await deploy(world, operator, broken, undefined, ['--adopt'])
    await world.check()
    await deploy(world, operator, world.tree, undefined, ['--adopt'])
  },

  /** Everything that runs is enabled, so that it runs again; without [Install] it would not. */
  async reboot(world) {
    const units = [...world.now.declared.values()].flatMap(app => [...app.units.values()])
    if (units.every(({ enabled, wantedBy }) => !enabled || wantedBy !== null)) world.host.reboot()
  },
}

const DAMAGES: readonly ((world: World, random: Random) => boolean)[] = [
  (world, random) => {
    const path = ownFile(world, random)
    if (path) writeFileSync(join(world.host.root, path), 'edited by hand\n')
    return path !== undefined
  },
  (world, random) => {
    const path = ownFile(world, random)
    if (path) world.host.remove(path)
    return path !== undefined
  },
  (world, random) => {
    const path = random.one([...placesOf(world.now.declared).keys(), ''])
    if (path) world.host.remove(path)
    return path !== ''
  },
  (world, random) => {
    const path = random.one([...placesOf(world.now.declared).keys(), ''])
    if (path) world.host.put(path, 'foreign\n')
    return path !== ''
  },
  (world, random) => {
    const app = random.one([...world.now.declared.keys(), ''])
    if (app) world.host.remove(`/var/lib/deptool/apps/${app}/current`)
    return app !== ''
  },
  world => {
    world.host.put('/var/lib/deptool/apps/left/over', '')
    return true
  },
  world => {
    world.host.put('/etc/systemd/system/left.service', {
      symlink: '/var/lib/deptool/apps/left/current/systemd/left.service',
    })
    return true
  },
  (world, random) => {
    const wanted = [...world.now.declared.values()].flatMap(app =>
      [...app.units].flatMap(([name, unit]) =>
        unit.enabled && unit.wantedBy ? [`${unit.wantedBy}.wants/${name}`] : [],
      ),
    )
    const link = random.one([...wanted, ''])
    if (link) world.host.remove(`/etc/systemd/system/${link}`)
    return link !== ''
  },
]

/** A file of the version that runs. */
function ownFile(world: World, random: Random): string | undefined {
  const app = random.one([...world.now.declared.keys(), ''])
  if (app === '') return undefined
  const version = world.host.readlink(`/var/lib/deptool/apps/${app}/current`)
  const files = Object.entries(filesOf(app, world.now.declared.get(app)!)).filter(
    ([, content]) => typeof content === 'string',
  )
  return `/var/lib/deptool/apps/${app}/${version}/${random.one(files)[0]}`
}

/** Mostly somebody who knows what runs: the others are told, and have to do it again. */
function someone({ operators, now }: World, random: Random): Operator {
  const informed = operators.filter(({ known }) => (known?.commit ?? null) === now.commit)
  return random.one(random.below(4) > 0 && informed.length > 0 ? informed : operators)
}

/** Deploys a tree from an operator's repository. Where it knew too little, it is told, and does it again. */
async function deploy(
  world: World,
  operator: Operator,
  tree: Declared,
  fault?: Fault,
  options: readonly string[] = [],
): Promise<void> {
  world.lay(operator, tree)
  const { now } = world
  const before = operator.known ?? world.held[0]!
  if (!same(before.declared, tree) && before !== now) {
    const { stderr } = await world.expect(operator, ['prod', '--yes', ...options], 1)
    assert.match(
      stderr,
      /ha(?:s|ve) changed since this repository last heard of (?:it|them); no host was changed/,
    )
    operator.unsure = false
    world.see(operator)
    assert.equal(operator.known?.commit, now.commit, 'who starts from an old state is told the new one')
    await world.check()
  }
  if (operator.unsure && same((operator.known ?? world.held[0]!).declared, tree))
    await askFirst(world, operator, options)
  const known = operator.known ?? world.held[0]!
  const due = !same(known.declared, tree)
  const adopt = options.includes('--adopt')
  const foreseen = due ? foresee(world, tree, { adopt }) : 0
  const apart = fault?.kind === 'orphan' || fault?.kind === 'both'
  world.host.setFault(fault)
  const { code } = await world.run(operator, ['prod', '--yes', ...options], { apart })
  const struck = fault !== undefined && world.host.clearFault()
  if (typeof fault?.at === 'string') assert.ok(struck, `the agent comes to '${fault.at}'`)
  if (!struck) assert.equal(code, foreseen, 'the exit code')
  else {
    world.say(`(${fault.kind} at operation ${fault.at}${fault.torn ? ', half way' : ''})`)
    if (apart) assert.equal(code, 'SIGKILL')
    else assert.ok([0, 1, 4].includes(code as number), `exit ${code}: the outcome is known`)
  }
  if (apart && struck) operator.unsure = true
  else if (due && code !== 1) operator.unsure = false
  // What an agent that was killed has left, the next session finishes; of an operator who was, it tells the outcome.
  if (struck) await comeBy(world, operator)
  const held = apart ? world.host.current !== now.commit : code === 0 && due
  if (held) {
    assert.equal(foreseen, 0, 'what a host will not take does not hold')
    world.hold(tree)
  }
  for (const one of world.operators) world.see(one)
  const believes = due ? world.now.commit : known.commit
  if (!apart) assert.equal(operator.known?.commit ?? null, believes, `what ${operator.name} believes`)
}

/** Nothing to do is no success for somebody who does not know what runs: nothing else is said before they have asked. */
async function askFirst(world: World, operator: Operator, options: readonly string[]): Promise<void> {
  const { code, stderr } = await world.run(operator, ['prod', '--yes', ...options])
  // One that was cut off before it began is nobody's concern.
  if (code === 0) return
  assert.equal(code, 1)
  assert.match(stderr, /cannot tell whether 'prod' is up to date: the state of web1 is uncertain/)
  await catchUp(world, operator)
}

/** Somebody else asks the host what it runs. */
async function comeBy(world: World, { name }: Operator): Promise<void> {
  const another = world.operators.find(operator => operator.name !== name)!
  await world.expect(another, ['sync', 'prod'], 0)
  another.unsure = false
}

/** The exit code that a deployment must come to, when nothing interferes. */
function foresee(
  { host, now, foreign }: World,
  tree: Declared,
  { adopt }: { readonly adopt: boolean },
): 0 | 1 | 4 {
  const changed = [...tree].filter(([name, app]) => !same(only(now.declared, name), new Map([[name, app]])))
  if (changed.some(([, app]) => app.validates === 'no')) return 1
  const old = placesOf(now.declared)
  const inTheWay = [...placesOf(tree)].filter(([path]) => !old.has(path) && foreign.has(path))
  if (!adopt && inTheWay.some(([path, content]) => foreign.get(path) !== `0644 0:0 ${content}`)) return 1
  const failing = changed.some(
    ([, app]) =>
      app.answers === 'no' ||
      enabledBy(app).some(name => app.units.has(name) && fails(app, app.units.get(name)!)),
  )
  void host
  return failing ? 4 : 0
}

/** Where the links of a tree go, with the content of what they lead to; undefined where that is no plain file. */
function placesOf(declared: Declared): Map<string, string | undefined> {
  return new Map(
    [...declared].flatMap(([name, app]) => {
      const files = filesOf(name, app)
      return [...linksOf(name, app)].map(([path, target]): [string, string | undefined] => {
        const content = files[target]
        return [path, typeof content === 'string' ? content : undefined]
      })
    }),
  )
}

async function catchUp(world: World, operator: Operator): Promise<void> {
  await world.expect(operator, ['sync', 'prod'], 0)
  operator.unsure = false
  world.see(operator)
  assert.equal(operator.known?.commit ?? null, world.now.commit)
}

function faultFrom(random: Random, kinds: readonly Fault['kind'][]): Fault {
  return {
    kind: random.one(kinds),
    at: 1 + random.below(random.one([20, 90, 250])),
    torn: random.below(3) === 0,
  }
}

function only(declared: Declared, name: string): Declared {
  const app = declared.get(name)
  return new Map(app ? [[name, app]] : [])
}

/** Whether they are the same files. */
function same(a: Declared, b: Declared): boolean {
  return JSON.stringify(sorted(write(a))) === JSON.stringify(sorted(write(b)))
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
