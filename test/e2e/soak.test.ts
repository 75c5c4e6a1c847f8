/**
 * Many deployments in a row on one host: each costs what the first did, and keeps no more than what it changed.
 * `npm run test:soak` makes it 1,000.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { peakWhile } from '../bench/peak-memory.ts'
import { output } from '../support/execute.ts'
import { makeWorld } from '../support/world.ts'

const ROUNDS = Number(process.env['GIT_DEPLOY_SOAK'] ?? 40)

test(`${ROUNDS} deployments of one line each`, { timeout: ROUNDS * 3000 }, async t => {
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`web1/app${i % 5}/conf.d/${i}.conf`, line(`${i}\n`).repeat(40)]),
  )
  const world = await makeWorld(t, { ...files, 'web1/app0/one.conf': '0\n' })
  await world.deploy()
  const host = world.host('web1')
  const base = join(host.root(), 'var/lib/deptool')
  const rounds: Round[] = []
  const times: number[] = []
  const peaks: number[] = []
  let last = await measure(base)
  for (let i = 1; i <= ROUNDS; i++) {
    world.write({ 'web1/app0/one.conf': `${i}\n` })
    const started = performance.now()
    // Watching costs time: every fifth is watched, and the others are timed.
    if (i % 5 === 0) peaks.push(await peakWhile(`DEPTOOL_ROOT=${host.directory}`, world.deploy()))
    else await world.deploy()
    const ms = performance.now() - started
    if (i % 5 !== 0) times.push(ms)
    if (i % 20 === 0 || i === ROUNDS) {
      const now = await measure(base)
      rounds.push({ at: i, ...now })
      if (i % 100 === 0 || i === ROUNDS) report(t, i, ms, now)
      last = now
    }
  }
  const [first, end] = [rounds[0]!, rounds.at(-1)!]
  const deployments = end.at - first.at
  const objects = (end.objects - first.objects) / Math.max(1, deployments)
  const bytes = (end.objectBytes - first.objectBytes) / Math.max(1, deployments)
  t.diagnostic(`per deployment: ${objects.toFixed(2)} objects of ${bytes.toFixed(0)} bytes in all`)
  const [before, after] = ends(times)
  t.diagnostic(`time: ${before.toFixed(0)} ms at the beginning, ${after.toFixed(0)} ms at the end`)
  const [small, large] = ends(peaks)
  t.diagnostic(`memory of the agent: ${small} KiB at the beginning, ${large} KiB at the end`)
  const grown = (end.diskBytes - first.diskBytes) / Math.max(1, deployments)
  t.diagnostic(`disk: ${grown.toFixed(0)} bytes per deployment, logs and all`)

  // One blob, two trees and a commit; the fleet's history is the operator's.
  if (deployments > 0) assert.equal(objects, 4)
  // In a few rounds other programs' work decides about that.
  if (ROUNDS >= 1000) assert.ok(after < before * 1.5 + 50, 'the time for a deployment grows')
  // It reads its log and reflogs, which are cut at half a megabyte in all.
  assert.ok(large < small * 1.1 + 1024, 'the memory for a deployment grows')
  assert.equal(last.versions, 2 * 5 - 4, 'of the app that changes two versions, of the others one')
  assert.ok(last.backups <= 20)
  assert.ok(last.logBytes < 300 * 1024 && last.reflogBytes < 200 * 1024, JSON.stringify(last))
  assert.deepEqual(readdirSync(base).sort(), ['apps', 'backup', 'lock', 'log', 'store'])
  await world.run('verify', 'prod').stdout('web1  ok\n')
  await world.git('--git-dir', join(base, 'store'), 'fsck', '--strict')
})

test('a log and reflogs that have grown too long are cut to their newer half', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '0\n' })
  await world.deploy()
  const host = world.host('web1')
  const base = join(host.root(), 'var/lib/deptool')
  const grown = ['log', 'store/logs/refs/deptool/current']
  for (const name of grown) {
    const line = readFileSync(join(base, name), 'utf8')
    writeFileSync(join(base, name), line.repeat(Math.ceil((300 * 1024) / line.length)))
  }
  world.write({ 'web1/a/x': '1\n' })
  await world.deploy()
  for (const name of grown) assert.ok(readFileSync(join(base, name)).length < 200 * 1024, name)
  await world.run('verify', 'prod').stdout('web1  ok\n')
  await world.git('--git-dir', join(base, 'store'), 'fsck', '--strict')
  assert.match(await world.git('--git-dir', join(base, 'store'), 'reflog', 'refs/deptool/current'), /held\n/)
})

interface Size {
  readonly objects: number
  readonly objectBytes: number
  readonly versions: number
  readonly backups: number
  readonly logBytes: number
  readonly reflogBytes: number
  /** Of everything below /var/lib/deptool. */
  readonly diskBytes: number
}

interface Round extends Size {
  readonly at: number
}

async function measure(base: string): Promise<Size> {
  const find = async (path: string, ...args: string[]) =>
    (await output(['find', join(base, path), ...args], {})).split('\n').filter(Boolean)
  const objects = await find('store/objects', '-type', 'f', '-printf', '%s\n')
  const reflogs = await find('store/logs', '-type', 'f', '-printf', '%s\n')
  return {
    objects: objects.length,
    objectBytes: sum(objects),
    versions: (await find('apps', '-mindepth', '2', '-maxdepth', '2', '-type', 'd')).length,
    backups: readdirSync(join(base, 'backup')).length,
    logBytes: readFileSync(join(base, 'log')).length,
    reflogBytes: sum(reflogs),
    diskBytes: sum(await find('.', '-type', 'f', '-links', '1', '-printf', '%s\n')),
  }
}

function report(t: TestContext, at: number, ms: number, size: Size): void {
  const { objects, objectBytes, logBytes, reflogBytes } = size
  t.diagnostic(
    `after ${at}: ${ms.toFixed(0)} ms, ${objects} objects of ${(objectBytes / 1024).toFixed(0)} KiB, log ${logBytes} B, reflogs ${reflogBytes} B`,
  )
}

function line(text: string): string {
  return createHash('sha256').update(text).digest('hex') + text
}

function sum(numbers: readonly string[]): number {
  return numbers.reduce((total, number) => total + Number(number), 0)
}

/** The medians of the first and of the last tenth. */
function ends(samples: readonly number[]): [first: number, last: number] {
  const tenth = Math.max(4, Math.floor(samples.length / 10))
  return [median(samples.slice(0, tenth)), median(samples.slice(-tenth))]
}

function median(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 1] ?? 0
}
