import assert from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import type {
  AppName,
  AppPath,
  ClusterName,
  HostName,
  HostPath,
  Oid,
  UnitName,
} from '../../../src/plan/names.ts'
import type { LinkRole } from '../../../src/plan/places.ts'
import type { AppPlan, FileChange, HostPlan, Plan } from '../../../src/plan/plan.ts'
import type { Step } from '../../../src/plan/steps.ts'
import { type PlanSource, question, renderPlan } from '../../../src/terminal/text/plan.ts'

const commit = '3f2c1ab9d0d8f8aa4cf1c7e1bd0d2c3f4a5b6c7d' as Oid
const source = { kind: 'worktree', commit, branch: 'main', dirty: true } as const

interface Options {
  readonly from?: PlanSource
  readonly columns?: number
  readonly verbose?: boolean
  readonly colored?: boolean
}

function render(plan: Partial<Plan>, options: Options = {}): string {
  const { from = source, columns = 80, verbose = false, colored = false } = options
  const cluster = 'prod' as ClusterName
  const nothing = { hosts: [], vanished: [], leaving: [], leftOut: null, unsettled: [], takenBack: [] }
  const whole = { cluster, ...nothing, total: 2, ...plan }
  return renderPlan(whole, from, { colors: picocolors.createColors(colored), columns, verbose }).join('\n')
}

const files = (action: FileChange['action'], ...paths: string[]) =>
  paths.map(path => ({ path: path as AppPath, action }))

const app = (name: string, action: AppPlan['action'], changes: readonly FileChange[]): AppPlan => ({
  app: name as AppName,
  action,
  files: changes,
})

const units = (...names: string[]) => names as UnitName[]

const link = (kind: 'link' | 'unlink', path: string, target: string, role: LinkRole = 'symlink'): Step => ({
  kind,
  role,
  path: path as HostPath,
  target: `/var/lib/deptool/apps/${target}` as HostPath,
})

const host = (
  name: string,
  apps: readonly AppPlan[],
  steps: readonly Step[],
  from: Oid | null = commit,
): HostPlan => ({
  host: name as HostName,
  from,
  fromTree: from,
  toTree: commit,
  apps,
  steps,
  reconnect: [],
})

const zone = (name: string, from: Oid | null = commit) =>
  host(
    name,
    [app('nsd', 'update', files('modify', 'zones/example.org.zone'))],
    [
      { kind: 'checkout', app: 'nsd' as AppName, tree: commit },
      { kind: 'swap', app: 'nsd' as AppName },
      { kind: 'restart', units: units('nsd.service') },
      { kind: 'settle', units: units('nsd.service'), ms: 300, always: [], reloaded: [] },
    ],
    from,
  )

test('one file, one restart', () => {
  assert.equal(
    render({ hosts: [zone('dns1')] }),
    `prod from the working tree (main 3f2c1ab, with uncommitted changes)

dns1
    update nsd
        ~ zones/example.org.zone
        restart nsd.service`,
  )
})

test('the header says where the tree comes from', () => {
  const header = (from: PlanSource) => render({ hosts: [zone('dns1')] }, { from }).split('\n')[0]
  assert.equal(header({ kind: 'revision', rev: 'v1.2', commit }), 'prod from v1.2 (3f2c1ab)')
  assert.equal(header({ ...source, branch: null, dirty: false }), 'prod from the working tree (3f2c1ab)')
  assert.equal(
    header({ ...source, commit: null, dirty: false }),
    'prod from the working tree (main, no commit yet)',
  )
})

test('every kind of step is under the app that it serves', () => {
  const nginx = app('nginx', 'add', files('add', 'manifest.json', 'nginx.conf', 'systemd/nginx.service'))
  const old = app('old', 'remove', files('delete', 'old.conf'))
  const steps: Step[] = [
    { kind: 'checkout', app: 'nginx' as AppName, tree: commit },
    { kind: 'validate', app: 'nginx' as AppName, argv: ['nginx', '-t', '-g', 'daemon off;'] },
    { kind: 'sysusers', apps: ['nginx' as AppName] },
    {
      kind: 'attributes',
      app: 'nginx' as AppName,
      files: [
        { path: 'k.pem' as AppPath, mode: 0o40, owner: 'root', group: 'ssl' },
        { path: 'x' as AppPath, mode: null, owner: null, group: 'ssl' },
      ],
    },
    { kind: 'stop', units: units('old.service') },
    { kind: 'disable', units: units('old.service') },
    { kind: 'swap', app: 'nginx' as AppName },
    link('unlink', '/etc/old.conf', 'old/current/old.conf'),
    link('unlink', '/etc/systemd/system/old.service', 'old/current/systemd/old.service', 'unit'),
    link('link', '/etc/nginx/nginx.conf', 'nginx/current/nginx.conf'),
    link('link', '/etc/systemd/system/nginx.service', 'nginx/current/systemd/nginx.service', 'unit'),
    { kind: 'remove', app: 'old' as AppName },
    { kind: 'tmpfiles', apps: ['nginx' as AppName] },
    { kind: 'enable', units: units('nginx.service') },
    { kind: 'daemonReload' },
    { kind: 'restart', units: units('nginx.service') },
    { kind: 'reload', units: units('elsewhere.service'), orRestart: [] },
    { kind: 'settle', units: units('elsewhere.service', 'nginx.service'), ms: 300, always: [], reloaded: [] },
    {
      kind: 'check',
      app: 'nginx' as AppName,
      check: { kind: 'tcp', address: '::1', port: 80, withinMs: 2000 },
      units: [],
    },
  ]
  assert.equal(
    render({ hosts: [host('web1', [nginx, old], steps, null)] }),
    `prod from the working tree (main 3f2c1ab, with uncommitted changes)

web1 (new host)
    add nginx
        + manifest.json
        + nginx.conf
        + systemd/nginx.service
        validate nginx -t -g "daemon off;"
        create users
        set 0040 root:ssl on k.pem
        set :ssl on x
        link /etc/nginx/nginx.conf
        link /etc/systemd/system/nginx.service
        create files and directories of tmpfiles.d
        enable nginx.service
        daemon-reload
        restart nginx.service
        check tcp [::1]:80
    remove old
        - old.conf
        stop old.service
        disable old.service
        unlink /etc/old.conf
        unlink /etc/systemd/system/old.service
    reload elsewhere.service`,
  )
})

test("the service of a quadlet is the app's that changes or links the quadlet", () => {
  const [box, web] = [
    app('box', 'update', files('modify', 'quadlets/box.container')),
    app('web', 'update', files('modify', 'web.conf')),
  ]
  const quadlet = link('link', '/etc/containers/systemd/web.kube', 'web/current/quadlets/web.kube', 'quadlet')
  const restart: Step = { kind: 'restart', units: units('box.service', 'web.service') }
  assert.equal(
    render({ hosts: [host('web1', [box, web], [quadlet, { kind: 'daemonReload' }, restart])] }),
    `prod from the working tree (main 3f2c1ab, with uncommitted changes)

web1
    update box
        ~ quadlets/box.container
        daemon-reload
        restart box.service
    update web
        ~ web.conf
        link /etc/containers/systemd/web.kube
        restart web.service`,
  )
})

test('hosts with the same changes are shown once, and wrapped at the width of the terminal', () => {
  const hosts = [...['web1', 'web2', 'web3', 'web4', 'web5'].map(name => zone(name)), zone('web6', null)]
  assert.equal(
    render({ hosts, total: 6 }, { columns: 24 }),
    `prod from the working
  tree (main 3f2c1ab,
  with uncommitted
  changes)

web1, web2, web3, web4,
web5 (5 hosts)
    update nsd
        ~ zones/example.org.zone
        restart nsd.service

web6 (new host)
    update nsd
        ~ zones/example.org.zone
        restart nsd.service`,
  )
})

test('200 hosts and 200 files stay readable, and --verbose names them all', () => {
  const paths = Array.from({ length: 200 }, (_, i) => `site-${i}.conf`)
  const hosts = Array.from({ length: 200 }, (_, i) =>
    host(`web${i}`, [app('www', 'add', files('add', ...paths))], []),
  )
  const short = render({ hosts, total: 200 })
  assert.equal(short.split('\n').length, 26)
  assert.match(short, /web19, … and 180 more \(200 hosts\)/)
  assert.match(short, /^ {8}\+ … and 180 more files$/m)
  const long = render({ hosts, total: 200 }, { verbose: true })
  assert.match(long, /\bweb199\s\(200 hosts\)/)
  assert.match(long, /\+ site-199\.conf$/)
})

test('a name cannot drive the terminal', () => {
  const bad = host('web1', [app('www', 'add', files('add', 'a\u202egpj.exe', 'b\x1b[2J'))], [])
  const plan = render({ hosts: [bad] })
  assert.match(plan, /\+ "a\\342\\200\\256gpj\.exe"/)
  assert.match(plan, /\+ "b\\033\[2J"/)
})

test('nothing to do', () => {
  assert.equal(render({}), 'prod is up to date (2 hosts)')
  assert.equal(render({ total: 1 }), 'prod is up to date (1 host)')
})

test('a host that vanished is never passed over in silence', () => {
  assert.equal(
    render({ vanished: ['web9' as HostName] }, { colored: true }),
    `\x1b[33mweb9 is no longer in 'prod' and is left alone\x1b[39m
hint: to remove its apps, use --prune
hint: to stop tracking it, run 'git deploy forget web9'

prod is up to date (2 hosts)`,
  )
})

test('--prune: a host that leaves is marked, and one that has no apps any more is told apart', () => {
  const leaving = ['dns1', 'web9'] as HostName[]
  assert.equal(
    render({ hosts: [host('dns1', [app('nsd', 'remove', files('delete', 'zone'))], [])], leaving }),
    `prod from the working tree (main 3f2c1ab, with uncommitted changes)

dns1 (no longer in 'prod')
    remove nsd
        - zone

web9 has no apps and is no longer in 'prod': --prune stops tracking it`,
  )
})

test('colour', () => {
  const [header, , name, update, file] = render({ hosts: [zone('dns1')] }, { colored: true }).split('\n')
  assert.ok(header?.endsWith('(main 3f2c1ab, \x1b[33mwith uncommitted changes\x1b[39m)'))
  assert.equal(name, '\x1b[1mdns1\x1b[22m')
  assert.equal(update, '    \x1b[36mupdate\x1b[39m nsd')
  assert.equal(file, '        \x1b[36m~\x1b[39m zones/example.org.zone')
})

test('the question counts the hosts', () => {
  const plan: Plan = {
    cluster: 'prod' as ClusterName,
    hosts: [zone('dns1')],
    vanished: [],
    leaving: [],
    total: 2,
    leftOut: null,
    unsettled: [],
    takenBack: [],
  }
  assert.equal(question(plan), "Deploy to 1 host in 'prod'? A host that fails rolls back by itself.")
})
