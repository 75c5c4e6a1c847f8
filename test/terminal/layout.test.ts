import assert from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import type { HostName } from '../../src/plan/names.ts'
import { type HostRow, layout } from '../../src/terminal/layout.ts'
import { widthOf } from '../../src/terminal/width.ts'

const plain = picocolors.createColors(false)

const row = (host: string, more: Partial<HostRow>): HostRow => ({
  host: host as HostName,
  standing: 'running',
  text: 'staging',
  ms: 1234,
  progress: 2,
  ...more,
})

const texts = (rows: readonly HostRow[], columns = 80, height = 24) =>
  layout(rows, { columns, rows: height }, plain).map(({ text }) => text)

test('few hosts have a line each, in the order of the plan', () => {
  const rows = [
    row('db1', { standing: 'done', text: 'deployed', ms: 900 }),
    row('web1', { text: 'watching for 0.3 s: nginx.service' }),
    row('web2', { standing: 'waiting', text: 'waiting', ms: null }),
  ]
  assert.deepEqual(texts(rows), [
    '   0.9 s  db1   deployed',
    '   1.2 s  web1  watching for 0.3 s: nginx.service',
    '          web2  waiting',
  ])
})

/** 50 hosts: 20 done, 3 failed, 20 running, the rest waiting. */
const fleet = Array.from({ length: 50 }, (_, i) => {
  const host = `web${String(i + 1).padStart(2, '0')}`
  if (i < 20) return row(host, { standing: 'done', text: 'deployed' })
  if (i < 23) return row(host, { standing: 'failed', text: 'rolled back: a.service exited with 1' })
  if (i < 43) return row(host, i === 42 ? { text: 'connecting', progress: 1 } : {})
  return row(host, { standing: 'waiting', text: 'waiting', ms: null })
})

test('of many hosts there are those that run, the slowest first, those that failed, and a count', () => {
  const lines = texts(fleet)
  assert.equal(lines.length, 16)
  assert.equal(lines[0], '   1.2 s  web43  connecting')
  assert.equal(lines.filter(line => line.endsWith('staging')).length, 11)
  assert.deepEqual(lines.slice(12, 15), [
    '   1.2 s  web21  rolled back: a.service exited with 1',
    '   1.2 s  web22  rolled back: a.service exited with 1',
    '   1.2 s  web23  rolled back: a.service exited with 1',
  ])
  assert.equal(lines[15], '23 of 50 hosts: 20 done, 3 failed, 20 running, 7 waiting')
})

test('failures never crowd out those that run, and have the room that is left', () => {
  const failed = fleet.map((host, i) => (i < 40 ? { ...host, standing: 'failed' as const } : host))
  const standings = (rows: readonly HostRow[]) =>
    texts(rows)
      .slice(0, -1)
      .map(line => line.split('  ').at(-1))
  assert.equal(standings(failed).filter(text => text === 'staging' || text === 'connecting').length, 3)
  assert.equal(standings(failed).length, 15)
})

for (const [columns, rows] of [
  [80, 24],
  [40, 24],
  [20, 10],
  [8, 3],
  [200, 5],
] as const)
  test(`at ${columns} x ${rows} no line wraps, and none scrolls away`, () => {
    const wide = [...fleet, row('データベース一号機', { text: '再起動しています 🚀 '.repeat(20) })]
    for (const hosts of [wide, wide.slice(-2)]) {
      const lines = texts(hosts, columns, rows)
      assert.ok(lines.length < rows, `${lines.length} lines`)
      for (const line of lines) assert.ok(widthOf(line) < columns, `'${line}'`)
    }
  })

test('colours do not move anything', () => {
  const colored = layout(fleet, { columns: 30, rows: 24 }, picocolors.createColors(true))
  for (const { text, painted } of colored) assert.equal(painted.replace(/\x1b\[\d+m/g, ''), text)
})
