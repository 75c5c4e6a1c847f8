/** What a host is doing when a fault hits it: trees with every kind of step between them, there and back again. */
import { APPS } from '../../src/plan/places.ts'
import type { Request } from '../../src/protocol/messages.ts'
import { NOTHING, type Prepared, prepare, type Version } from '../support/agent-driver.ts'
import { confirmed, idOf } from '../support/conversation.ts'
import type { Tree } from '../support/tree-builder.ts'
import { type HostOptions, makeHost, type SimulatedHost } from './host.ts'
import { type Phase, runSession } from './session.ts'

export interface Situation {
  readonly name: string
  readonly start: (options: HostOptions) => Start
  /** The moments that count here. */
  readonly phases: readonly Phase[]
}

export interface Start {
  readonly host: SimulatedHost
  /** What the operator says; nothing where the agent only finishes what a predecessor left. */
  readonly requests: readonly Request[]
  /** How to get from the old version to the new one, undisturbed. */
  readonly old: SimulatedHost
  readonly update: Prepared
}

export function situations(): Situation[] {
  const each = Object.entries(DEPLOYMENTS).flatMap(([name, { old, next }]): Situation[] => [
    {
      name,
      phases: ['stage', 'activate', 'confirm'],
      start: options => begin(options, old, next, confirmed),
    },
    { name: `rollback of ${name}`, phases: ['undo'], start: options => begin(options, old, next, withdrawn) },
    {
      name: `recovery of ${name}`,
      phases: ['undo'],
      start: options => leftBehind(begin(options, old, next, confirmed)),
    },
  ])
  const { old, next } = DEPLOYMENTS.update
  const twice: Situation = {
    name: 'recovery of update after a power cut',
    phases: ['undo'],
    start: options => {
      const start = leftBehind(begin(options, old, next, confirmed))
      start.host.powerCut('contents')
      return start
    },
  }
  return [...each, twice]
}

function withdrawn(update: Prepared): Request[] {
  return [...update.requests, { type: 'activate' }, { type: 'undo', id: idOf(update), why: 'never mind' }]
}

function begin(
  options: HostOptions,
  oldTree: Tree | null,
  next: Tree,
  ending: (update: Prepared) => Request[],
): Start {
  const old = makeHost(options, DEBIAN)
  const version = oldTree === null ? NOTHING : deployed(old, oldTree)
  const update = prepare(version, next, { adopt: true })
  return { host: old.fork(), old, update, requests: ending(update) }
}

/** Nothing is synced after it but what the agent itself syncs: what was told to hold must be on the disk by then. */
function deployed(host: SimulatedHost, tree: Tree): Version {
  const version = prepare(NOTHING, tree)
  const { replies } = runSession(host, confirmed(version))
  const last = replies.at(-1)
  if (last?.type !== 'outcome' || last.outcome !== 'held') throw new Error(JSON.stringify(replies))
  return version
}

/** An agent was killed when it had taken every step. */
function leftBehind(start: Start): Start {
  let dead: SimulatedHost | undefined
  runSession(start.host, start.requests, {
    onMoment: ({ phase, step, when }) => {
      if (phase === 'activate' && step !== undefined && when === 'after') dead = start.host.fork()
    },
  })
  return { ...start, host: dead!, requests: [] }
}

function unit(app: string, reads: string, more = ''): string {
  const file = `${APPS}/${app}/current/${reads}`
  return `[Service]\nExecStart=/bin/serve ${app} ${file}\nExecReload=/bin/serve --again ${file}\n${more}[Install]\nWantedBy=multi-user.target\n`
}

function quadlet(place: string): string {
  return `[Container]\nExecStart=/bin/serve ${place}\n[Install]\nWantedBy=multi-user.target\n`
}

function manifest(value: unknown): string {
  return JSON.stringify(value)
}

const DEBIAN = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:4242:4242::/:/bin/sh\n',
  '/etc/group': 'root:x:0:\napp:x:4242:\n',
  '/etc/adopted.conf': 'adopted\n',
  '/etc/foreign': '-> /elsewhere',
  '/srv/.': '',
  '/var/lib/deptool/.': '',
  '/usr/lib/systemd/system-generators/podman-system-generator': '',
}

const OLD: Tree = {
  'stays/x.conf': 'one\n',
  'stays/systemd/stays.service': unit('stays', 'x.conf'),
  'stays/manifest.json': manifest({ systemd: { units_enabled: ['stays.service'] } }),
  'reloads/r.conf': 'one\n',
  'reloads/same': 'same\n',
  'reloads/systemd/reloads.service': unit('reloads', 'r.conf'),
  'reloads/manifest.json': manifest({
    systemd: { units_enabled: ['reloads.service'], units_reload: ['reloads.service'] },
    files: { same: { mode: '0640', owner: 'app' } },
  }),
  'leaves/l.conf': 'leaves\n',
  'leaves/systemd/leaves.service': unit('leaves', 'l.conf'),
  'leaves/systemd/leaves.service.d/more.conf': '[Service]\nEnvironment=A=1\n',
  'leaves/sysusers/l.conf': 'u app -\n',
  'leaves/tmpfiles/l.conf': 'd /srv/leaves\n',
  'leaves/quadlets/leaving.container': quadlet('leaving'),
  'leaves/manifest.json': manifest({
    systemd: { units_enabled: ['leaves.service', 'leaving.service'] },
    symlinks: { '/etc/leaves.conf': 'l.conf' },
  }),
  'moves/a': 'a\n',
  'moves/b': 'b\n',
  'moves/manifest.json': manifest({ symlinks: { '/etc/moves.conf': 'a' } }),
}

const NEW: Tree = {
  ...Object.fromEntries(Object.entries(OLD).filter(([path]) => !path.startsWith('leaves/'))),
  'stays/x.conf': 'two\n',
  'stays/systemd/stays.service.d/more.conf': '[Service]\nEnvironment=B=2\n',
  'reloads/r.conf': 'two\n',
  'moves/manifest.json': manifest({ symlinks: { '/etc/moves.conf': 'b' } }),
  'comes/c.conf': 'comes\n',
  'comes/adopted.conf': 'adopted\n',
  'comes/deep/link': { mode: '120000', text: '../c.conf' },
  'comes/systemd/comes.service': unit('comes', 'c.conf', 'User=made\n'),
  'comes/systemd/comes.service.d/more.conf': '[Service]\nEnvironment=C=3\n',
  'comes/sysusers/c.conf': 'u made -\n',
  'comes/tmpfiles/c.conf': 'd /srv/made\n',
  'comes/quadlets/coming.container': quadlet('/run/coming'),
  'comes/manifest.json': manifest({
    systemd: { units_enabled: ['comes.service', 'coming.service'] },
    symlinks: { '/etc/adopted.conf': 'adopted.conf', '/etc/foreign': 'c.conf' },
    files: { 'c.conf': { mode: '0640', owner: 'made' } },
    validate: [['true', 'c.conf']],
    checks: [{ unix: '/run/coming' }],
  }),
}

const DEPLOYMENTS = {
  update: { old: OLD, next: NEW },
  'first deployment': { old: null, next: NEW },
  removal: { old: OLD, next: {} },
}
