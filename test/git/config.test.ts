import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig, setConfig } from '../../src/git/config.ts'
import { host, makeScratch } from './scratch.ts'

test('without settings, the documented defaults hold', async t => {
  const { hostUrl, ...config } = await readConfig(await makeScratch(t).open())
  assert.deepEqual(config, {
    attributesFile: null,
    cluster: null,
    fileMode: true,
    jobs: 32,
    confirmTimeoutMs: 30_000,
    preconnect: true,
    transport: 'auto',
    atomic: false,
    abbrev: 7,
    color: null,
  })
  assert.equal(hostUrl(host('web1')), null)
})

test('settings are read as git reads them', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  await setConfig(repo, 'deptool.cluster', 'prod')
  await setConfig(repo, 'deptool.confirmTimeout', '5')
  await setConfig(repo, 'DepTool.Jobs', '4')
  await setConfig(repo, 'deptool.preconnect', 'off')
  await setConfig(repo, 'deptool.transport', 'openssh')
  await setConfig(repo, 'deptool-host.Web.1.url', 'ssh://root@10.0.0.1:22')
  scratch.write({ '.git/more': '[deptool]\n\tatomic\n' })
  scratch.git('config', 'include.path', 'more')
  const config = await readConfig(repo)
  assert.equal(config.cluster, 'prod')
  assert.equal(config.confirmTimeoutMs, 5000)
  assert.equal(config.jobs, 4)
  assert.equal(config.preconnect, false)
  assert.equal(config.transport, 'openssh')
  assert.equal(config.atomic, true)
  assert.equal(config.hostUrl(host('Web.1')), 'ssh://root@10.0.0.1:22')
  assert.equal(config.hostUrl(host('web.1')), null)
})

test('the last of several values holds, so git -c wins', async t => {
  const scratch = makeScratch(t)
  scratch.git('config', 'deptool.jobs', '4')
  const repo = await scratch.open(scratch.dir, { GIT_CONFIG_PARAMETERS: "'deptool.jobs'='8'" })
  assert.equal((await readConfig(repo)).jobs, 8)
})

const WRONG = [
  ['deptool.jobs', 'many', 'a whole number from 1 to 10000'],
  ['deptool.jobs', '0', 'a whole number from 1 to 10000'],
  ['deptool.confirmTimeout', '-1', 'a whole number from 1 to 3600'],
  ['deptool.confirmTimeout', '0', 'a whole number from 1 to 3600'],
  ['deptool.confirmTimeout', '1.5', 'a whole number from 1 to 3600'],
  ['deptool.confirmTimeout', '3601', 'a whole number from 1 to 3600'],
  ['deptool.confirmTimeout', '99999999999999999999', 'a whole number from 1 to 3600'],
  ['deptool.atomic', 'perhaps', "'true' or 'false'"],
  ['deptool.transport', 'telnet', "one of 'auto', 'ssh2', 'openssh'"],
  ['deptool.cluster', '', 'a value'],
] as const

for (const [key, value, expected] of WRONG)
  test(`'${value}' is no value for ${key}`, async t => {
    const scratch = makeScratch(t)
    scratch.git('config', key, value)
    await assert.rejects(readConfig(await scratch.open()), {
      message: `cannot use '${key}': its value is '${value}', expected ${expected}`,
      hint: `run 'git config ${key} <value>' to change it`,
    })
  })
