/** A program that opens a deployed file again and again, while it is deployed to again and again. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { deployTo, makeRoot, NOTHING, type Prepared, prepare } from '../support/agent-driver.ts'

const DEPLOYMENTS = 200

/** Opens the file in a loop until its stdin ends; prints how often, how often it was missing, and if it was ever torn. */
const READER = `
const fs = require('node:fs')
let reads = 0, missing = 0, torn = 0
const read = () => {
  for (let i = 0; i < 500; i++) {
    reads++
    try { if (!/^version [0-9]+ [x]{4000}\\n$/.test(fs.readFileSync(process.argv[1], 'utf8'))) torn++ } catch { missing++ }
  }
  setImmediate(read)
}
process.stdin.on('end', () => { console.log(JSON.stringify({ reads, missing, torn })); process.exit() }).resume()
read()
`

test(`a reader never misses a file during ${DEPLOYMENTS} deployments, and never sees half of one`, async t => {
  const root = makeRoot(t)
  const content = (n: number) => ({ 'app/file': `version ${n} ${'x'.repeat(4000)}\n` })
  let version: Prepared = prepare(NOTHING, content(0))
  await deployTo(root, version)
  const reader = spawn(process.execPath, ['-e', READER, join(root, 'var/lib/deptool/apps/app/current/file')])
  let printed = ''
  reader.stdout.on('data', bytes => {
    printed += bytes
  })
  for (let n = 1; n <= DEPLOYMENTS; n++) {
    version = prepare(version, content(n))
    const said = await deployTo(root, version)
    assert.deepEqual(said.at(-1), { type: 'outcome', id: ids(version), outcome: 'held', why: '' })
  }
  reader.stdin.end()
  await once(reader, 'exit')
  const { reads, missing, torn } = JSON.parse(printed) as { reads: number; missing: number; torn: number }
  t.diagnostic(`${reads} reads`)
  assert.ok(reads > 10_000)
  assert.deepEqual({ missing, torn }, { missing: 0, torn: 0 })
})

function ids({ requests }: Prepared): string {
  const [deploy] = requests
  return deploy?.type === 'deploy' ? deploy.id : ''
}
