/**
 * Every kind of step, each fault, before and after the step, while deploying and while undoing: after the next session
 * the host is at old or new, as that session says. `npm run test:faults` does so at every moment of a deployment,
 * `npm test` before and after the first step of each kind. These hosts are simulated, disks and units; a sample on
 * real ones is in test/e2e/faults-on-hosts.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cell, Cells } from '../simulation/cells.ts'
import type { HostOptions } from '../simulation/host.ts'
import { situations } from '../simulation/situations.ts'
import { KINDS } from '../simulation/step-watch.ts'
import { tableOf } from '../simulation/table.ts'

const EVERY = process.env['GIT_DEPLOY_FAULTS'] === 'every'
const SEEDS = EVERY ? 4 : 1

/** What is assumed of disks: docs/testing.md. */
const DISKS: Readonly<Record<string, HostOptions>> = {
  'on one ext4': { order: 'ordered', separateVar: false },
  'with /var on an ext4 of its own': { order: 'ordered', separateVar: true },
  'on a disk that keeps no order': { order: 'unordered', separateVar: false },
}

/** How many of the cells that went wrong are told. */
const SHOWN = 5

const all: Cell[] = []

for (const situation of situations())
  for (const [disk, options] of Object.entries(DISKS))
    test(`${situation.name} ${disk}`, t => {
      const cells = new Cells(situation, { ...options, every: EVERY, seeds: SEEDS })
      cells.run()
      all.push(...cells.done)
      t.diagnostic(`${cells.done.length} cells`)
      const [count, told] = [cells.troubles.length, cells.troubles.slice(0, SHOWN)]
      assert.ok(count === 0, `${count} cells went wrong\n${told.join('\n\n')}`)
    })

test('no cell is missing', t => {
  const faults = [...new Set(all.map(({ fault }) => fault))]
  assert.equal(faults.length, 8)
  for (const step of KINDS)
    for (const when of ['before', 'after'])
      for (const fault of faults)
        for (const situation of ['update', 'rollback of update', 'recovery of update'])
          assert.ok(
            all.some(
              cell =>
                cell.step === step &&
                cell.when === when &&
                cell.fault === fault &&
                cell.situation === situation,
            ),
            `${situation}, ${when} ${step}, ${fault}`,
          )
  t.diagnostic(`${all.length} cells`)
  const rows: readonly ((cell: Cell) => string)[] = [
    cell => cell.step,
    cell => cell.when,
    cell => cell.situation,
    cell => `the host is ${cell.state}`,
  ]
  for (const row of rows) for (const line of ['', ...tableOf(all, row)]) t.diagnostic(line)
})
