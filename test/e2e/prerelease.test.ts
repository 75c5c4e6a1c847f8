/** A program whose version has a hyphen in it, as npm's prerelease versions have. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type World } from '../support/world.ts'

const VERSION = '0.2.0-rc.1'
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TREE = { 'web1/a/x': 'one\n' }

test('a prerelease deploys to an embedded host', async t => {
  const world = await makeWorld(t, TREE)
  usePrerelease(world)
  await world.run('--version').stdout(`git-deploy version ${VERSION}\n`)
  await world.deploy()
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'one\n')
})

test('a prerelease installs itself on a host and is found there again', realHosts, async t => {
  const world = await makeWorld(t, TREE, { hosts: 'real' })
  const installed = () => readdirSync(join(world.host('web1').root(), 'var/lib/deptool/bin'))
  usePrerelease(world)
  await world
    .run('prod', '--yes')
    .stdout(anything)
    .stderr(/agent installed/)
  const [agent] = installed()
  assert.match(agent!, /^deptool-0\.2\.0-rc\.1-[0-9a-f]{10}$/)
  for (const transport of ['ssh2', 'openssh']) {
    world.write({ 'web1/a/x': transport })
    await world.git('config', 'deptool.transport', transport)
    const { stderr } = await world.run('prod', '--yes').stdout(anything).stderr(anything)
    assert.doesNotMatch(stderr, /agent installed/)
  }
  assert.deepEqual(installed(), [agent])
})

/** The whole project with another version, built as any other is. In one place, so that only changes are compiled. */
function buildPrerelease(): string {
  const place = join(ROOT, 'build/prerelease')
  mkdirSync(place, { recursive: true })
  for (const name of ['src', 'agent', 'bin', 'tsup.config.ts', 'tsconfig.json', 'LICENSE'])
    cpSync(join(ROOT, name), join(place, name), { recursive: true })
  for (const name of ['node_modules', 'build'])
    if (!existsSync(join(place, name))) symlinkSync(join(ROOT, name), join(place, name))
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  writeFileSync(join(place, 'package.json'), JSON.stringify({ ...manifest, version: VERSION }))
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: place, stdio: 'inherit' })
  return join(place, 'bin/git-deploy')
}

let built: string | undefined

function usePrerelease(world: Pick<World<never>, 'home'>): void {
  built ??= buildPrerelease()
  mkdirSync(join(world.home, 'bin'), { recursive: true })
  symlinkSync(built, join(world.home, 'bin/git-deploy'))
}
