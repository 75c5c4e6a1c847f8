/**
 * Answers of a host in the wrong hands, well-formed and false in ways that nobody thought of, to every command that takes
 * something from a host. Whatever it says: no ref but its own moves, it is sent nothing but what is its own, and the
 * operator is never shown an internal error. GIT_DEPLOY_ANSWERS says how many.
 */
import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type HostileHosts, makeHostile } from '../support/hostile-hosts.ts'
import type { LocalHost } from '../support/local-host.ts'
import { Random } from '../support/random.ts'
import { makeWorld, type World } from '../support/world.ts'

const CASES = Number(process.env['GIT_DEPLOY_ANSWERS'] ?? 20)
const FIRST = Number(process.env['GIT_DEPLOY_SEED'] ?? 0)
const VERSIONS = ['one\n', 'two\n', 'three\n', 'four\n']
const SYNC = ['sync', 'prod']
const DEPLOY = ['prod', '--yes']
const REPAIR = ['prod', '--repair', '--yes']
const ROLLBACK = ['rollback', 'web1', '--yes']
/** What was taken in by one command is used by the next. */
const STORIES = [
  [SYNC, REPAIR],
  [SYNC, ROLLBACK],
  [SYNC, ['log', 'web1'], DEPLOY],
  [DEPLOY, REPAIR],
  [DEPLOY, ['verify', 'prod'], ROLLBACK],
  [SYNC, DEPLOY, SYNC],
]

test(`${CASES} false answers`, async t => {
  const ada = await makeWorld(t, { 'web1/a/x': VERSIONS[0]!, 'web2/a/secret': 'of web2\n' })
  const hosts = makeHostile(ada)
  for (const x of VERSIONS.slice(0, 3)) {
    ada.write({ 'web1/a/x': x })
    await ada.commit()
    await ada.deploy()
  }
  // What the next deployment would bring.
  ada.write({ 'web1/a/x': VERSIONS[3]! })
  await ada.commit()
  const restore = snapshot(dirname(ada.repo))
  const known = await knownIds(ada)
  const own = await ownObjects(ada)
  for (let seed = FIRST; seed < FIRST + CASES; seed++) {
    hosts.forget()
    hosts.say(falseAnswer(seed, known))
    for (const command of new Random(seed).one(STORIES)) await oneCommand(ada, command, seed)
    await assertOnlyOwn(ada, hosts, own, seed)
    restore()
  }
})

async function oneCommand(ada: World<LocalHost>, command: readonly string[], seed: number): Promise<void> {
  const before = await otherRefs(ada)
  const { code, stdout, stderr } = await ada.execute(['git', 'deploy', ...command])
  const said = `seed ${seed}: git deploy ${command.join(' ')}\n${stdout}${stderr}`
  assert.ok([0, 1, 2, 4, 5, 6].includes(code as number), `${said}exit ${code}`)
  assert.doesNotMatch(stdout + stderr, /ended unexpectedly/, `${said}the host did not get to speak`)
  assert.doesNotMatch(stdout + stderr, /internal error|TypeError|RangeError|\n {4}at /, said)
  assert.equal(await otherRefs(ada), before, said)
  assert.equal(await ada.git('fsck', '--strict', '--no-dangling'), '', said)
}

/** All refs but those that an answer of web1 may move. */
async function otherRefs(ada: World<LocalHost>): Promise<string> {
  const refs = await ada.git('for-each-ref')
  return refs
    .split('\n')
    .filter(line => !/refs\/(deptool\/web1|refs\/deptool)$/.test(line))
    .join('\n')
}

/** Object names that a host might have seen, or guess. */
async function knownIds(ada: World<LocalHost>): Promise<readonly string[]> {
  const revisions = [
    'HEAD',
    'HEAD~1',
    'HEAD^{tree}',
    'HEAD:prod',
    'HEAD:prod/web2',
    'HEAD:prod/web2/a/secret',
  ]
  const refs = ['refs/deptool/web1', 'refs/deptool/web1~1', 'refs/deptool/web1~2', 'refs/deptool/web2']
  const trees = ['refs/refs/deptool', 'refs/deptool/web2^{tree}', 'refs/deptool/web1^{tree}', 'HEAD^{tree}']
  const found = await ada.git('rev-parse', ...revisions, ...refs, ...trees)
  return [...found.split('\n'), '1234567890'.repeat(4)]
}

/** The trees and files that web1's directory ever had. */
async function ownObjects(ada: World<LocalHost>): Promise<ReadonlySet<string>> {
  const commits = (await ada.git('rev-list', 'HEAD')).split('\n')
  const lists = await Promise.all(
    commits.map(commit => ada.git('rev-list', '--objects', '--no-object-names', `${commit}:prod/web1`)),
  )
  return new Set(lists.flatMap(list => list.split('\n')))
}

async function assertOnlyOwn(
  ada: World<LocalHost>,
  hosts: HostileHosts,
  own: ReadonlySet<string>,
  seed: number,
): Promise<void> {
  for (const oid of hosts.sentTo('web1')) {
    if (own.has(oid)) continue
    assert.equal(await ada.git('cat-file', '-t', oid), 'commit', `seed ${seed}: it was sent ${oid}`)
    const tree = await ada.git('rev-parse', `${oid}^{tree}`)
    assert.ok(own.has(tree), `seed ${seed}: it was sent ${oid}, which has a tree of others`)
  }
}

/** The directory as it is now, to which the function brings it back. */
function snapshot(directory: string): () => void {
  const [parent, kept] = [dirname(directory), join(dirname(directory), 'kept')]
  const parts = ['ada/repo', 'hosts']
  for (const part of parts) cpSync(join(parent, part), join(kept, part), COPY)
  return () => {
    for (const part of parts) {
      rmSync(join(parent, part), { recursive: true })
      cpSync(join(kept, part), join(parent, part), COPY)
    }
  }
}

const COPY = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true } as const

/** What web1 makes of what its agent says, see HostileHosts; the choices come from the seed, in the host's own process. */
function falseAnswer(seed: number, known: readonly string[]): string {
  return `
    if (host !== 'web1') return [reply]
    const known = ${JSON.stringify(known)}
    // tsx names classes by it.
    const __name = () => {}
    // What it claims to be is the same in every answer, or nobody would believe it for two commands.
    let random = new (${Random})(${seed})
    const below = n => random.below(n)
    const one = list => random.one(list)
    const dates = ['1 +0000', '-1 +0000', '99999999999999 +0000', '9223372036854775807 +9999', 'x', '1700000000 -2400', '']
    const by = below(2) ? '1 +0000' : one(dates)
    // The first of what is known are the commits that were deployed from.
    const source = one(known.slice(0, 2))
    const forged = [object('commit', 'tree ' + one(below(2) ? known : known.slice(-4)) + '\\n' +
      (below(4) ? 'parent ' + one([source, one(known)]) + '\\n' : '') +
      'author A <a@b> ' + by + '\\ncommitter A <a@b> ' + by + '\\n\\n' +
      one(['web1: update a', '', '\\u001b[2Jx', 'x'.repeat(5000)]) + '\\n\\n' +
      one(['', 'Deptool-Cluster: prod\\nDeptool-Source: ' + one(known) + '\\nDeptool-Deployment: 20261130T120000-0123456789\\n',
        'Deptool-Deployment: ../../x\\n'])),
      object('tree', Buffer.concat([Buffer.from('40000 a\\0'), Buffer.from(one(known), 'hex')]))]
    const claimed = one([source, source, forged[0].oid, forged[0].oid, one(known), null])
    const leftover = { kind: 'leftoverLink', path: '/etc/x', target: '/var/lib/deptool/apps/a/current/x' }
    const findings = one([[{ kind: 'object', oid: one(known) }, leftover], [{ kind: 'journal' }, leftover], [leftover], []])
    random = new (${Random})(${seed} * 1000 + reply.type.length)
    const ids = ['20261130T120000-0123456789', '99991231T235959-0123456789', '19700101T000000-ffffffffff']
    const log = () => ({ id: one(ids), from: below(2) ? null : one(known), to: one([...known, forged[0].oid]),
      operator: one(['A <a@b>', '', '\\u001b]0;x\\u0007']), outcome: one(['held', 'undone', 'damaged', 'unknown']),
      why: one(['', 'x'.repeat(20000)]), at: one([0, -1, 1e15, 8.64e15, 9e15, Date.now()]), ms: one([0, -5, 1e12]),
      subject: one([null, 'x', '\\u202e']) })
    switch (reply.type) {
      case 'hello':
        return [{ ...reply, ...(below(4) ? { current: claimed } : {}),
          ...(below(6) ? {} : { recovered: { id: one(ids), outcome: one(['undone', 'damaged', 'held']) } }) }]
      case 'objects':
        return below(3) ? [reply] : below(2) ? [] : [{ ...reply, objects: reply.objects.slice(1) }]
      case 'fetched':
        return [{ type: 'objects', objects: below(3) ? forged : forged.slice(0, below(2)) },
          { ...reply, current: below(6) ? claimed : reply.current, log: below(2) ? reply.log : [...reply.log, log(), log()] }]
      case 'staged':
        return below(2) ? [reply] : [{ type: 'refused', refusal: one([{ kind: 'stale', current: claimed },
          { kind: 'spent', outcome: 'held', why: 'x' }, { kind: 'hostname', found: 'web2' }, { kind: 'plan', steps: [] }]) }]
      case 'verified':
        return [{ ...reply, findings: findings.length > 0 ? findings : reply.findings }]
      case 'outcome':
        return [below(2) ? reply : { ...reply, outcome: one(['held', 'undone', 'damaged', 'unknown']) }]
    }
    return [reply]`
}
