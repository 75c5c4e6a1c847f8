/** --json on every command: records that the schema describes, and nothing else on stdout. */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonRecord } from '../../src/terminal/json/records.ts'
import { realHosts } from '../hosts/real-hosts.ts'
import { type Running, start } from '../support/execute.ts'
import type { Operator } from '../support/operator.ts'
import { anything } from '../support/outcome.ts'
import { recordsOf, SCHEMA } from '../support/records.ts'
import { runOnTerminal } from '../support/terminal.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { sleeper } from './trees.ts'

const TREE = { 'db1/a/x': 'one\n', 'web1/a/x': 'one\n' }

/** Runs the command with --json; every record has been held against the schema. */
function asker(world: Operator) {
  const seen = new Set<string>()
  const ask = async (code: number, ...args: string[]): Promise<JsonRecord[]> => {
    const { stdout } = await world
      .run(...args, '--json')
      .exits(code)
      .stdout(anything)
      .stderr(anything)
    const records = recordsOf(stdout)
    for (const record of records) seen.add(record.type)
    return records
  }
  return { ask, seen }
}

const only = <T extends JsonRecord['type']>(records: readonly JsonRecord[], type: T) =>
  records.filter((record): record is Extract<JsonRecord, { type: T }> => record.type === type)

const kinds = (records: readonly JsonRecord[], host: string) =>
  only(records, 'event').flatMap(event => (event.host === host ? [event.kind] : []))

test('every command, and every type of record', async t => {
  const world = await makeWorld(t, TREE)
  const { ask, seen } = asker(world)
  const plan = join(world.home, 'p.json')

  assert.deepEqual(await ask(0, 'init'), [
    { schema: 'git-deploy/1', type: 'init', cluster: 'prod', created: false },
  ])
  const planned = await ask(2, 'plan', '--exit-code', '-o', plan, '--limit', 'web1')
  assert.deepEqual(
    planned.map(({ type }) => type),
    ['plan', 'host', 'saved'],
  )
  const [host] = only(planned, 'host')
  assert.deepEqual(host!.apps, [{ app: 'a', action: 'add', files: [{ path: 'x', action: 'add' }] }])
  assert.equal(host!.digest, JSON.parse(readFileSync(plan, 'utf8')).hosts[0].digest)
  assert.deepEqual(only(planned, 'plan')[0]!.leftOut, { hosts: ['db1'], changed: ['db1'] })

  const applied = await ask(0, 'apply', '--yes', plan)
  const [begun] = only(applied, 'begin')
  const [ended] = only(applied, 'end')
  assert.equal(begun!.operator, 'Ada <ada@example.com>')
  assert.equal(only(applied, 'plan')[0]!.saved!.id, begun!.deployment)
  assert.equal(kinds(applied, 'web1').join(' '), 'connecting connected staged step step confirming held')
  assert.deepEqual([ended!.outcome, ended!.hosts], ['done', { web1: 'held' }])

  assert.deepEqual(
    only(await ask(0, 'status'), 'status').map(({ host, state, deployment }) => [host, state, deployment]),
    [
      ['db1', 'new', null],
      ['web1', 'current', begun!.deployment],
    ],
  )
  assert.deepEqual(
    only(await ask(0, 'diff', 'prod'), 'file').map(({ host, path }) => `${host} ${path}`),
    ['db1 x'],
  )
  await ask(0, 'prod', '--yes')
  assert.deepEqual(only(await ask(0, 'prod', '--yes'), 'plan')[0]!.changed, 0)
  await ask(0, '--version')

  assert.deepEqual(
    only(await ask(0, 'log', 'web1'), 'log').map(({ host, outcome, deployment }) => [
      host,
      outcome,
      deployment,
    ]),
    [['web1', 'held', begun!.deployment]],
  )
  assert.deepEqual(
    only(await ask(0, 'ping'), 'ping').map(
      answer => answer.kind === 'answered' && answer.current === answer.tracked,
    ),
    [true, true],
  )
  assert.deepEqual(
    only(await ask(0, 'sync'), 'sync').map(({ host, kind }) => `${host} ${kind}`),
    ['db1 unchanged', 'web1 unchanged'],
  )
  assert.deepEqual(
    only(await ask(0, 'verify'), 'verify').map(one => one.kind === 'answered' && one.sound),
    [true, true],
  )
  assert.equal(only(await ask(0, 'forget', 'db1'), 'forgot')[0]!.host, 'db1')
  const [found] = only(await ask(0, 'sync'), 'sync')
  assert.equal(found!.kind === 'new' && found!.commits.length, 1)
  assert.equal(only(await ask(0, 'hooks', 'list'), 'hook')[0]!.name, 'post-commit')

  assert.deepEqual(only(await ask(1, 'apply', '--yes', plan), 'problem')[0]!.host, 'web1')
  world.write({ 'web1/a/manifest.json': '{\n"x": 1}' })
  for (const args of [['check'], ['plan'], ['prod', '--yes'], ['status'], ['diff']]) {
    const [problem] = only(await ask(1, ...args), 'problem')
    const { severity, host, file, line, column, message } = problem!
    const place = `${severity} ${host} ${file}:${line}:${column} ${message}`
    assert.equal(place, "error web1 prod/web1/a/manifest.json:2:1 unknown key 'x'", args.join(' '))
  }
  world.remove('web1/a/manifest.json')
  const { ran, kill } = await leaveOpen(world, world.host('web1').root())
  const open = await ask(0, 'sync')
  assert.deepEqual(only(open, 'pending')[0]!.holder, 'Bob')
  assert.deepEqual(only(open, 'ended')[0]!.outcome, 'refused')
  kill('SIGKILL')
  await ran
  assert.deepEqual([...seen].sort(), types().sort())
})

/** A deployment that is under way, and one that nobody has heard the end of. */
async function leaveOpen(world: Operator, root: string): Promise<Running> {
  const lock = join(root, 'var/lib/deptool/lock')
  writeFileSync(lock, '{"operator":"Bob","id":"29990101T000000-0000000000","since":1}\n')
  const holder = start(['flock', lock, 'sleep', 'infinity'])
  await waitFor('the lock', async () => (await world.execute(['flock', '-n', lock, 'true'])).code === 1)
  writeFileSync(join(root, 'var/lib/deptool/journal'), '')
  const log = join(world.repo, '.git/deptool/log/web1')
  const last: { readonly to: string } = JSON.parse(readFileSync(log, 'utf8').trim().split('\n').at(-1)!)
  const unheard = { ...last, id: '29990101T000000-1111111111', from: last.to, outcome: 'unknown' }
  appendFileSync(log, `${JSON.stringify(unheard)}\n`)
  return holder
}

/** The types that the schema knows. */
function types(): string[] {
  const refs: readonly { readonly $ref: string }[] = SCHEMA['oneOf']
  return refs.map(({ $ref }) => $ref.replace('#/$defs/', ''))
}

test('verify: what differs is data, for --repair too', async t => {
  const world = await makeWorld(t, TREE)
  const { ask } = asker(world)
  await world.deploy()
  const root = world.host('web1').root()
  writeFileSync(join(root, 'var/lib/deptool/apps/a/current/x'), 'edited\n')
  const drift = { kind: 'file', app: 'a', path: 'x', how: 'changed', message: 'a/x was changed' }
  for (const args of [['verify'], ['--repair', '--dry-run']]) {
    const found = only(await ask(args[0] === 'verify' ? 2 : 0, ...args), 'verify')
    const [web1] = found.filter(one => one.host === 'web1')
    assert.ok(web1?.kind === 'answered')
    assert.deepEqual([web1.sound, web1.findings, web1.last?.outcome], [false, [drift], 'held'])
    assert.equal(web1.current, web1.tracked)
  }
  const gone = world.host('db1').root()
  renameSync(gone, `${gone}.gone`)
  const asked = await ask(1, 'verify', '--limit', 'db1')
  assert.equal(only(asked, 'verify')[0]!.kind, 'failed')
  assert.deepEqual(
    only(asked, 'error').map(({ message, exitCode }) => [message, exitCode]),
    [['cannot verify db1', 1]],
  )
})

test('a plan from an old state: who deployed what since is told before the end', async t => {
  const world = await makeWorld(t, TREE)
  const bob = await world.colleague('Bob')
  await world.deploy('HEAD')
  const { ask } = asker(bob)
  const records = await ask(1, 'prod', '--yes')
  assert.deepEqual(
    records.flatMap(({ type }) => (['sync', 'end', 'error'].includes(type) ? [type] : [])),
    ['sync', 'sync', 'end', 'error'],
  )
  const [first] = only(records, 'sync')
  assert.ok(first?.kind === 'new')
  const [commit] = first.commits
  assert.equal(commit!.author, 'Ada <ada@example.com>')
  assert.equal(commit!.source, await world.git('rev-parse', 'HEAD'))
})

test('rollback, --batch and --prune', async t => {
  const world = await makeWorld(t, TREE)
  const { ask } = asker(world)
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n', 'db1/a/x': 'two\n' })
  await world.deploy()
  const records = await ask(0, 'rollback', '--yes', '--batch=1')
  const [plan] = only(records, 'plan')
  assert.equal(plan!.source.kind, 'rollback')
  assert.deepEqual(
    only(records, 'event').flatMap(event =>
      event.kind === 'wave' ? [[event.host, event.wave, event.waves]] : [],
    ),
    [
      ['db1', 1, 2],
      ['web1', 2, 2],
    ],
  )
  world.remove('web1')
  const pruned = await ask(0, 'prod', '--yes', '--prune')
  assert.deepEqual(only(pruned, 'plan')[0]!.leaving, ['web1'])
})

test('errors are records too, and the words for people stay on stderr', async t => {
  const world = await makeWorld(t, TREE)
  const error = (fields: object) =>
    `${JSON.stringify({ schema: 'git-deploy/1', type: 'error', ...fields })}\n`
  await world
    .run('plan', 'prod', '--jsno', '--json')
    .exits(129)
    .stdout(error({ message: "unknown option '--jsno'", hint: "did you mean '--json'?", exitCode: 129 }))
    .stderr(/^error: unknown option '--jsno'\nhint: .*\nusage: /)
  const { stdout } = await world
    .run('plan', 'nowhere', '--json')
    .exits(1)
    .stdout(/"type":"error".*"exitCode":1/)
    .stderr(/^fatal: cannot read 'nowhere'/)
  recordsOf(stdout)
  const asked = await world
    .run('prod', '--json')
    .exits(1)
    .stdout(anything)
    .stderr(/^fatal: cannot ask/)
  assert.deepEqual(only(recordsOf(asked.stdout), 'error')[0]!.exitCode, 1)
})

test('where no ref can be moved: what was deployed, and what others have deployed meanwhile', async t => {
  const world = await makeWorld(t, TREE)
  const hook = '#!/bin/sh\n! { [ "$1" = prepared ] && grep -q refs/deptool/; }\n'
  writeFileSync(join(world.repo, '.git/hooks/reference-transaction'), hook, { mode: 0o755 })
  const { ask } = asker(world)
  const deployed = await ask(6, 'prod', '--yes')
  assert.equal(only(deployed, 'end')[0]?.outcome, 'unrecorded')
  assert.equal(only(deployed, 'error')[0]?.exitCode, 6)
  const stale = await ask(1, 'prod', '--yes')
  assert.deepEqual(only(stale, 'end')[0]?.hosts, { db1: 'refused', web1: 'refused' })
})

test('a declined deployment says so, and the diff on the way is not in the records', async t => {
  const world = await makeWorld(t, TREE)
  await world.git('config', 'core.pager', 'cat')
  const command = `git deploy prod --json >${world.home}/out`
  const ran = await runOnTerminal(
    ['sh', '-c', command],
    [
      [/\[y\/N\/d\] $/, 'd\n'],
      [/one(.|\n)*\[y\/N\/d\] $/, 'n\n'],
    ],
    { cwd: world.repo, env: world.env },
  )
  assert.equal(ran.code, 3)
  assert.match(ran.stdout, /not deployed\n$/)
  const records = recordsOf(readFileSync(join(world.home, 'out'), 'utf8'))
  assert.deepEqual(
    records.map(({ type }) => type),
    ['plan', 'host', 'host', 'error'],
  )
})

test('events come when they happen', async t => {
  const world = await makeWorld(t, TREE)
  const script = `git deploy prod --yes --json | while read -r line; do date +%s%N; echo "$line"; done`
  const { stdout } = await world.execute(['sh', '-c', script])
  const [times, lines] = [/^\d+$/, /^\{/].map(pattern =>
    stdout.split('\n').filter(line => pattern.test(line)),
  )
  const records = recordsOf(lines!.map(line => `${line}\n`).join(''))
  const at = (type: string, last = false) => {
    const all = records.flatMap((record, i) => (record.type === type ? [Number(times![i]) / 1e6] : []))
    return all.at(last ? -1 : 0)!
  }
  const { ms } = only(records, 'end')[0]!
  assert.ok(at('end') - at('begin') > ms / 3, 'the beginning was not held back until the end')
})

test('what a host says is data: refused, rolled back, with its unit and log', realHosts, async t => {
  const world = await makeWorld(t, { ...sleeper('web1', 'a'), 'db1/a/x': 'one\n' }, { hosts: 'real' })
  const { ask } = asker(world)
  assert.match(
    kinds(await ask(0, 'prod', '--yes'), 'web1').join(' '),
    / installing connected installed staged step .* confirming held$/,
  )

  const talks = 'ExecStart=/bin/sh -c \'printf "\\\\033[31mred\\\\n"; exit 3\'\n'
  world.write({ 'web1/a/systemd/a.service': `[Service]\n${talks}` })
  const undone = await ask(4, 'prod', '--yes')
  const event = only(undone, 'event').find(({ kind }) => kind === 'undone')
  assert.ok(event?.kind === 'undone')
  assert.equal(event.failure.message, 'a.service exited with 3')
  assert.equal(event.failure.units[0]?.unit, 'a.service')
  assert.deepEqual(only(undone, 'end')[0]!.hosts, { web1: 'undone' })
  assert.equal(only(undone, 'error')[0]!.exitCode, 4)

  await world.host('db1').output('echo mail7 >/etc/hostname')
  world.write({ 'db1/a/x': 'two\n', 'db1/a/manifest.json': '{"symlinks": {"/nowhere/x": "x"}}' })
  world.remove('web1/a')
  world.write(sleeper('web1', 'a'))
  const refusal = async () => {
    const events = only(await ask(1, 'prod', '--yes'), 'event')
    return events.find(({ kind }) => kind === 'refused')
  }
  const hostname = await refusal()
  assert.deepEqual(hostname?.kind === 'refused' && hostname.refusal, { kind: 'hostname', found: 'mail7' })
  await world.host('db1').output('echo db1 >/etc/hostname')
  const preflight = await refusal()
  assert.equal(preflight?.kind === 'refused' && preflight.refusal.kind, 'preflight')
  await world.host('db1').output('systemctl stop ssh.service ssh.socket')
  const unreachable = only(await ask(1, 'prod', '--yes'), 'event').at(-1)
  assert.equal(unreachable?.kind, 'unreachable')
})
