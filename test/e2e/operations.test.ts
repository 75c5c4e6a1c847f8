/** docs/operations.md: what it says is typed, and what it promises is looked for. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { realHosts } from '../hosts/real-hosts.ts'
import type { Operator } from '../support/operator.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { sleeper } from './trees.ts'
import { HELD, isUnderWay } from './under-way.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const [FROM_A_HOST = '', FROM_A_REPOSITORY = ''] = Array.from(
  readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').matchAll(/```sh\n(.*?)```/gs),
  ([, commands = '']) => commands,
)

/** Everything of a block, as it is typed. */
async function typed(operator: Operator, commands: string): Promise<void> {
  const { code, stdout, stderr } = await operator.execute(['sh', '-ec', commands])
  assert.equal(code, 0, `${commands}\n${stdout}${stderr}`)
}

test('a host is given up, and nothing of ours is left there or in the clone', realHosts, async t => {
  const world = await makeWorld(t, { ...sleeper('web1', 'a'), 'web2/b/x': '1\n' }, { hosts: 'real' })
  const web1 = world.host('web1')
  const before = web1.tree('/etc').join('\n')
  await world.deploy()
  await typed(world, FROM_A_HOST.replace('--prune prod', '--yes --prune prod'))
  assert.equal(await web1.output('find / -xdev -name "*deptool*" -o -xdev -lname "*deptool*"'), '')
  assert.equal(web1.tree('/etc').join('\n'), before)
  assert.equal((await web1.unit('a.service')).load, 'not-found')
  await world.run('status', 'prod').stdout(/^web2 .*up to date\n$/)
})

test('a repository is rid of it', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' })
  await world.run('init', 'prod').stdout(anything)
  await world.run('hooks', 'install').stdout(anything)
  await world.deploy()
  await typed(world, FROM_A_REPOSITORY)
  const { stdout } = await world.execute(['sh', '-c', 'find .git -type f | grep deptool; git for-each-ref'])
  assert.match(stdout, /^[0-9a-f]+ commit\trefs\/heads\/main\n$/)
  assert.equal(
    await world.git('config', '--list', '--local', '--name-only').then(keys => /deptool/.test(keys)),
    false,
  )
})

test('a host that is called otherwise keeps its history', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' })
  const { directory } = world.host('web1')
  await world.deploy()
  renameSync(join(world.repo, 'prod/web1'), join(world.repo, 'prod/web9'))
  writeFileSync(join(directory, 'etc/hostname'), 'web9\n')
  await world.git('config', 'deptool-host.web9.url', `local:${directory}`)
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/web9 {2}new <oid>, 1 deployment by Ada(.|\n)*hint: run the same command again/)
  world.write({ 'web9/a/x': '2\n' })
  await world.deploy()
  await world.run('forget', 'web1').stdout(/^forgot web1/)
  await world.run('verify', 'prod').stdout('web9  ok\n')
  assert.equal(await world.git('log', '--format=%s', 'refs/deptool/web9'), 'web9: update a\nweb1: add a')
})

test('two versions of the tool share a host', realHosts, async t => {
  const ada = await makeWorld(t, sleeper('web1', 'a'), { hosts: 'real' })
  const bob = await ada.colleague('Bob')
  useAnotherBuild(bob)
  const agents = () => ada.host('web1').output('ls /var/lib/deptool/bin | wc -l')
  await ada.deploy()
  await bob.run('sync', 'prod').stdout(/^web1 {2}new /)
  bob.write({ 'web1/a/x': 'of Bob\n' })
  await bob.deploy()
  assert.equal(await agents(), '2\n')
  await ada.run('sync', 'prod').stdout(/^web1 {2}moved <oid>\.\.<oid>, 1 deployment by Bob\n/)
  ada.write({ 'web1/a/x': 'of Ada\n' })
  await ada.deploy()
  await bob
    .run('verify', 'prod')
    .exits(2)
    .stdout(/^web1 {2}runs <oid>, but this repository has recorded <oid>\n$/)
  await ada.run('verify', 'prod').stdout('web1  ok\n')
  assert.equal(await agents(), '2\n')

  // What one of them began, and its operator's death cut off, the other ends.
  ada.write({
    'web1/a/systemd/a.service': `[Service]\n${HELD}ExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n`,
  })
  const { outcome, kill } = ada.start('prod', '--yes')
  const ended = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('an activation under way', () => isUnderWay(ada.host('web1')))
  kill('SIGKILL')
  await ended
  await ada.host('web1').output("pkill -KILL -f '^/var/lib/deptool/bin/deptool'")
  await bob.run('sync', 'prod').stdout(/^web1 {2}moved <oid>\.\.<oid>, 1 deployment by Ada\n$/)
  assert.equal(ada.host('web1').exists('/var/lib/deptool/journal'), false)
  await bob
    .run('verify', 'prod')
    .stdout(/^web1 {2}ok\nweb1 {2}the last deployment, <id>, was rolled back: the agent was killed/)
})

/** From now on the operator has a git-deploy whose agent is of another build. */
function useAnotherBuild(operator: Operator): void {
  const other = join(operator.home, 'other')
  mkdirSync(join(other, 'dist/agent'), { recursive: true })
  for (const name of ['bin', 'package.json']) cpSync(join(ROOT, name), join(other, name), { recursive: true })
  for (const name of ['start', 'main', 'ssh2'])
    copyFileSync(join(ROOT, `dist/${name}.cjs`), join(other, `dist/${name}.cjs`))
  const entry = join(operator.home, 'other-agent.ts')
  writeFileSync(entry, `import '${ROOT}agent/main.ts'\nexport const other = true\n`)
  const build = [join(ROOT, 'agent/build/build.mjs'), '--entry', entry, '--out', join(other, 'dist/agent')]
  execFileSync(process.execPath, build, { cwd: ROOT, stdio: 'pipe' })
  operator.env['PATH'] = `${join(other, 'bin')}:${operator.env['PATH']}`
}
