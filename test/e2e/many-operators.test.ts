/**
 * Twenty operators, each with a clone and processes of their own, deploy to one host without a break. GIT_DEPLOY_CROWD
 * says for how many seconds; `npm run test:crowd` makes it a minute.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalHost } from '../support/local-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type World } from '../support/world.ts'

const SECONDS = Number(process.env['GIT_DEPLOY_CROWD'] ?? 12)
const OPERATORS = 20

interface Tally {
  /** The deployments that it was told to hold, by id. */
  readonly held: string[]
  stale: number
  busy: number
}

test(`${OPERATORS} operators deploy to one host for ${SECONDS} s: no deployment is lost, and none is there twice`, async t => {
  const first = await makeWorld(t, { 'web1/a/x': 'first\n' })
  await first.deploy()
  const operators = [first]
  while (operators.length < OPERATORS) operators.push(await first.colleague(`Op${operators.length}`))

  for (const operator of operators) await operator.run('sync', 'prod').stdout(anything)

  const until = Date.now() + SECONDS * 1000
  const tallies = await Promise.all(operators.map((operator, i) => keepDeploying(operator, i, until)))

  const all = tallies.flatMap(({ held }) => held)
  const told = [0, 0]
  for (const { stale, busy } of tallies) {
    told[0]! += stale
    told[1]! += busy
  }
  t.diagnostic(`${all.length} deployments hold; refused: ${told[0]} stale, ${told[1]} busy`)
  t.diagnostic(`by operator: ${tallies.map(({ held }) => held.length).join(' ')}`)

  const store = join(first.host('web1').directory, 'var/lib/deptool/store')
  const log = (...args: string[]) =>
    first.git('-C', store, 'log', '--format=%(trailers:key=Deptool-Deployment,valueonly,separator=)', ...args)
  const history = (await log('refs/deptool/current')).split('\n')
  assert.deepEqual(
    [...all].sort(),
    history.slice(0, -1).sort(),
    'what operators were told is the history of the host',
  )
  assert.equal(await log('--merges', 'refs/deptool/current'), '')
  const current = await first.git('-C', store, 'rev-parse', 'refs/deptool/current')
  assert.equal(await first.git('-C', store, 'fsck', '--strict', '--no-dangling', '--no-progress'), '')
  for (const operator of operators) {
    await operator.run('sync', 'prod').stdout(anything)
    assert.equal(await operator.git('rev-parse', 'refs/deptool/web1'), current)
    assert.equal(await operator.git('fsck', '--strict', '--no-dangling', '--no-progress'), '')
  }
  await first.run('verify', 'prod').stdout(/^web1 {2}ok$/m)
  assert.ok(all.length > 1, 'somebody gets through')
})

/** Every other operator queues; the rest try again at once. */
async function keepDeploying(operator: World<LocalHost>, number: number, until: number): Promise<Tally> {
  const tally: Tally = { held: [], stale: 0, busy: 0 }
  const queue = number % 2 === 0 ? ['--wait=60'] : []
  for (let round = 0; Date.now() < until; round++) {
    operator.write({ 'web1/a/x': `${operator.name} ${round}\n` })
    const argv = ['git', 'deploy', 'prod', '--yes', ...queue]
    const { code, stdout, stderr } = await operator.execute(argv)
    const [, id] = /^deployed to 1 host in 'prod' in \S+ s \((\S+)\)$/m.exec(stdout) ?? []
    if (code === 0) tally.held.push(id!)
    else if (/ha(?:s|ve) changed since this repository last heard of/.test(stderr)) tally.stale++
    else if (/locked by .* <\S+@example.com>/.test(stderr)) tally.busy++
    else assert.fail(`${operator.name}$ ${argv.join(' ')}\n${stdout}${stderr}(exit ${code})`)
    assert.equal(code, id === undefined ? 1 : 0, `${stdout}${stderr}`)
    // As long as it takes to read that, so that not all come again at once.
    await sleep(Math.random() * 1000)
  }
  return tally
}
