/** What a person sees while a deployment runs, on a real terminal: its screen, its cursor, its scrollback. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { needs } from '../support/needs.ts'
import type { Operator } from '../support/operator.ts'
import { anything } from '../support/outcome.ts'
import { openTmux, type Tmux } from '../support/tmux.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'

const withTmux = needs('tmux')
const withHosts = needs('tmux', 'real hosts')

const service = (host: string, script: string, settleMs = 3000): Tree => ({
  [`${host}/a/run`]: `${script}\n`,
  [`${host}/a/systemd/a.service`]:
    '[Service]\nExecStart=/bin/sh /var/lib/deptool/apps/a/current/run\nSuccessExitStatus=143\n',
  [`${host}/a/manifest.json`]: `{"systemd": {"units_enabled": ["a.service"], "settle_ms": ${settleMs}}}`,
})

const running = 'exec sleep infinity'
/** Fails once the test says so. */
const failing =
  'until test -e /run/go; do sleep 0.1; done; echo the port is taken by somebody else already; exit 3'

const open = (t: TestContext, { repo, env }: Operator, columns: number, rows = 24) =>
  openTmux(t, { columns, rows, cwd: repo, env })

/** Back at the shell: the cursor is there, and what is typed can be seen. */
async function isSane(tmux: Tmux): Promise<void> {
  await tmux.showing(/\$$/)
  assert.equal(await tmux.cursorIsVisible(), true)
  await tmux.type('stty -a', 'Enter')
  assert.match(await tmux.showing(/ echo /), / icanon /)
}

for (const columns of [80, 40])
  test(
    `where every host stands, and in the end each cause once, at ${columns} columns`,
    withHosts,
    async t => {
      const world = await makeWorld(
        t,
        {
          ...service('db1', running),
          ...service('web1', failing, 60_000),
          ...service('web2', failing, 60_000),
        },
        { hosts: 'real' },
      )
      const tmux = await open(t, world, columns)
      await tmux.type('git deploy prod', 'Enter')
      const question = {
        80: "Deploy to 3 hosts in 'prod'? A host that fails rolls back by itself. [y/N/d]",
        40: "Deploy to 3 hosts in 'prod'? A host\nthat fails rolls back by itself.\n[y/N/d]",
      }[columns]!
      assert.ok((await tmux.showing(/\[y\/N\/d\]$/)).endsWith(`\n${question}`))
      await tmux.type('y', 'Enter')
      const busy = await tmux.showing(/db1 .*watch(.|\n)*web2 .*watch/)
      assert.equal(await tmux.cursorIsVisible(), false)
      assert.match(busy, /\n +\d+\.\d s {2}db1 {3}watch [23]\.\d s: a\.service\n.*web1 .*\n.*web2 .*$/)
      await tmux.showing(/db1 +deployed/)
      for (const name of ['web1', 'web2']) await world.host(name).output('touch /run/go')
      const end = await tmux.showing(/\nfatal(.|\n)*\$$/)
      const record = `<time>  db1   deployed
<time>  web1  rolled back
<time>  web2  rolled back
`
      const explained = {
        80: `web1, web2: rolled back: a.service exited with 3
on web1:
  the port is taken by somebody else already
fatal: deployed to 1 of 3 hosts, but rolled back on web1, web2: they are as they
  were before
hint: fix the cause, then run the same command again; hosts that are up to date
  are left alone
$`,
        40: `web1, web2: rolled back: a.service
  exited with 3
on web1:
  the port is taken by somebody else
    already
fatal: deployed to 1 of 3 hosts, but
  rolled back on web1, web2: they are as
  they were before
hint: fix the cause, then run the same
  command again; hosts that are up to
  date are left alone
$`,
      }[columns]!
      const shown = world.normalise(end.slice(end.indexOf('[y/N/d] y\n') + 10)).replace(/^ +(?=<time>)/gm, '')
      assert.equal(shown, record + explained)
      await isSane(tmux)
    },
  )

test('of 50 hosts on 24 lines the scrollback keeps one line', withTmux, async t => {
  const names = Array.from({ length: 50 }, (_, i) => `web${i + 1}`)
  const world = await makeWorld(t, Object.fromEntries(names.map(name => [`${name}/a/x`, '1\n'])))
  await world.git('config', 'deptool.jobs', '2')
  const tmux = await open(t, world, 80)
  await tmux.type('clear; git deploy prod --yes', 'Enter')
  const busy = await tmux.showing(/\n\d+ of 50 hosts: .*running, \d+ waiting$/)
  assert.match(busy, /(\n +\d\.\d s {2}web\d+ .*){1,15}\n\d+ of 50 hosts/)
  await tmux.showing(/\ndeployed to 50 hosts.*\n\$$/)
  const history = world.normalise(await tmux.history())
  assert.match(
    history,
    /\n50 hosts: 50 deployed; slowest web\d+, <time>\ndeployed to 50 hosts in 'prod' in <time> \(<id>\)\n\$$/,
  )
  assert.doesNotMatch(history, /of 50 hosts|waiting|staging/, 'nothing of the block is left')
})

test('a terminal that changes its size while hosts are watched', withHosts, async t => {
  const world = await makeWorld(t, service('web1', running), { hosts: 'real' })
  const tmux = await open(t, world, 80)
  await tmux.type('clear; git deploy prod --yes', 'Enter')
  await tmux.showing(/watch/)
  await tmux.resize(30, 20)
  // Twice within a frame, nobody could tell how often the terminal has wrapped the lines.
  await sleep(500)
  await tmux.resize(60, 30)
  const screen = await tmux.showing(/deployed to 1 host(.|\n)*\$$/)
  assert.doesNotMatch(screen, /watch/)
  assert.match(screen, /restart a\.service\n\ndeployed to 1 host/)
})

test('Ctrl-C at the question, while connecting, and while hosts are watched', withHosts, async t => {
  const world = await makeWorld(t, service('web1', running, 60_000), { hosts: 'real' })
  const tmux = await open(t, world, 80)
  await tmux.type('git deploy prod', 'Enter')
  await tmux.showing(/\[y\/N\/d\]$/)
  await tmux.type('C-c')
  await tmux.showing(/not deployed\n+\$$/)
  await isSane(tmux)

  await tmux.type('clear; git deploy prod --yes', 'Enter')
  await tmux.showing(/watch/)
  await tmux.type('C-c')
  const undone = await tmux.showing(/fatal(.|\n)*\$$/)
  assert.match(undone, /\ninterrupted: asking the hosts to roll back; press Ctrl-C again to stop at once\n/)
  assert.match(
    undone,
    /\nweb1: rolled back: interrupted by the operator\nfatal: rolled back on web1: it is as it was before\n+\$$/,
  )
  await isSane(tmux)

  const { port, close } = await silentServer()
  t.after(close)
  await world.git('config', 'deptool-host.web1.url', `ssh://root@127.0.0.1:${port}`)
  await tmux.type('clear; git deploy prod --yes', 'Enter')
  await tmux.showing(/web1 {2}connecting$/)
  await tmux.type('C-c')
  await tmux.showing(/interrupted/)
  // Ctrl-C within 300 ms is the same one: git hands on what the terminal has told us already.
  await sleep(1000)
  await tmux.type('C-c')
  await isSane(tmux)
})

test('a terminal that is closed takes everything back at once', withHosts, async t => {
  const world = await makeWorld(t, service('web1', running, 60_000), { hosts: 'real' })
  const web1 = world.host('web1')
  const tmux = await open(t, world, 80)
  await tmux.type('git deploy prod --yes', 'Enter')
  await tmux.showing(/watch/)
  await tmux.command('new-session', '-d', 'sh')
  const closed = performance.now()
  await tmux.command('kill-session', '-t', '0')
  const told = async () => /rolled back .* interrupted by the operator/.test(await world.git('deploy', 'log'))
  await waitFor('the record', told)
  // It is watched for a minute.
  assert.ok(performance.now() - closed < 45_000)
  assert.equal(web1.exists('/var/lib/deptool/apps/a'), false)
})

test('Ctrl-Z, and going on; a program that is told to end', withHosts, async t => {
  const world = await makeWorld(t, service('web1', running), { hosts: 'real' })
  const tmux = await open(t, world, 80)
  await tmux.type('clear; set -m; git deploy prod --yes', 'Enter')
  await tmux.showing(/watch/)
  await tmux.type('C-z')
  await tmux.showing(/Stopped(.|\n)*\$$/)
  assert.equal(await tmux.cursorIsVisible(), true)
  await tmux.type('fg', 'Enter')
  await tmux.showing(/deployed to 1 host(.|\n)*\$$/)
  await isSane(tmux)

  world.write(service('web1', 'exec sleep 1000', 60_000))
  await tmux.type('clear; git deploy prod --yes', 'Enter')
  await tmux.showing(/watch/)
  await tmux.type('C-z')
  await tmux.showing(/Stopped(.|\n)*\$$/)
  await tmux.type('kill %1; fg', 'Enter')
  await tmux.showing(/Terminated(.|\n)*\$$/)
  await isSane(tmux)
})

/** Takes connections, and never says a word. */
function silentServer(): Promise<{ port: number; close: () => void }> {
  const server = createServer()
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () =>
      resolve({ port: (server.address() as { port: number }).port, close: () => void server.close() }),
    ),
  )
}

const TREE = { 'web1/a/x': '1\n', 'web2/a/x': '1\n', 'web3/a/x': '1\n' }
const CURSOR = /\x1b\[(\?25|\d*A|J|K)/
const COLOUR = /\x1b\[\d+m/

for (const [what, env, args, shows] of [
  ['a terminal', {}, [], { cursor: true, colour: true }],
  ['NO_COLOR', { NO_COLOR: '1' }, [], { cursor: true, colour: false }],
  ['--color=never', {}, ['--color=never'], { cursor: true, colour: false }],
  ['--no-progress', {}, ['--no-progress'], { cursor: false, colour: true }],
  ['TERM=dumb', { TERM: 'dumb' }, [], { cursor: false, colour: false }],
] as const)
  test(`on a terminal with ${what}: ${JSON.stringify(shows)}`, async t => {
    const world = await makeWorld(t, TREE)
    Object.assign(world.env, env)
    const { stdout } = await world.runInTerminal(['prod', '--yes', ...args]).stdout(anything)
    assert.deepEqual({ cursor: CURSOR.test(stdout), colour: COLOUR.test(stdout) }, shows)
    if (shows.cursor) assert.equal(stdout.lastIndexOf('\x1b[?25h') > stdout.lastIndexOf('\x1b[?25l'), true)
    else assert.match(stdout, / {2}web3 {2}staged\n/)
  })

for (const [what, setting, args, colour] of [
  ['nothing else', 'auto', [], false],
  ['color.ui=always', 'always', [], true],
  ['color.ui=always and --color=never', 'always', ['--color=never'], false],
  ['--color=always', 'auto', ['--color=always'], true],
] as const)
  test(`into pipes, with ${what}: colours ${colour ? 'where they are asked for' : 'nowhere'}, the cursor stays`, async t => {
    const world = await makeWorld(t, TREE)
    await world.git('config', 'color.ui', setting)
    for (const command of [['plan'], ['status'], ['--yes']]) {
      const { stdout, stderr } = await world
        .run(...command, 'prod', ...args)
        .stdout(anything)
        .stderr(anything)
      assert.equal(COLOUR.test(stdout + stderr), colour, command.join())
      assert.doesNotMatch(stdout + stderr, CURSOR)
    }
  })

test('NO_COLOR reaches the diff, which git knows nothing of', async t => {
  const world = await makeWorld(t, TREE)
  await world.git('config', 'core.pager', 'cat')
  assert.match((await world.runInTerminal(['diff', 'prod']).stdout(anything)).stdout, COLOUR)
  world.env['NO_COLOR'] = '1'
  assert.doesNotMatch((await world.runInTerminal(['diff', 'prod']).stdout(anything)).stdout, COLOUR)
  await world.runInTerminal(['diff', 'prod', '--color=always']).stdout(COLOUR)
})
