/** The npm package: what is in it, and that it is enough on a machine that could not build it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { realHosts } from './hosts/real-hosts.ts'
import type { Operator } from './support/operator.ts'
import { makeWorld } from './support/world.ts'

const TOP = fileURLToPath(new URL('..', import.meta.url))

/** Everything that a user needs, and nothing else. */
const EXPECTED = [
  /^(README|CHANGELOG)\.md$/,
  /^LICENSE$/,
  /^package\.json$/,
  /^bin\/(git-deploy|package\.json)$/,
  /^dist\/(start|main|ssh2)\.cjs$/,
  /^dist\/THIRD-PARTY-LICENSES$/,
  /^dist\/agent\/(agents\.json|deptool-linux-\w+)$/,
  /^docs\/[\w.-]+\.(md|json)$/,
  /^hooks\/(post-commit|(pre|post)-deploy\.sample)$/,
  /^man\/git-?deploy[\w-]*\.\d$/,
]

/** What a user's machine has; no compiler is among it. */
const PROGRAMS = ['sh', 'env', 'git', 'node', 'npm', 'ssh', 'man', 'uname']

interface Packed {
  readonly file: string
  readonly contents: readonly string[]
}

function pack(t: TestContext): Packed {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'git-deploy-')))
  t.after(() => rmSync(directory, { recursive: true }))
  const args = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', directory]
  const stdout = execFileSync('npm', args, { cwd: TOP, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  return { file: join(directory, filename), contents: files.map(({ path }) => path) }
}

/** Installs the package as a user would; from then on the operator has that, and nothing of this checkout. */
async function install(operator: Operator, file: string): Promise<string> {
  const prefix = join(operator.home, 'prefix')
  const programs = join(operator.home, 'programs')
  mkdirSync(programs)
  for (const name of PROGRAMS) symlinkSync(whereIs(name), join(programs, name))
  operator.env['PATH'] = [join(operator.home, 'bin'), join(prefix, 'bin'), programs].join(delimiter)
  operator.env['MANPATH'] = join(prefix, 'share/man')
  const npm = ['npm', 'install', '--global', '--prefix', prefix, '--offline', file]
  const { code, stderr } = await operator.execute(npm)
  assert.equal(code, 0, stderr)
  return prefix
}

function whereIs(program: string): string {
  return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()
}

test('the package holds what a user needs, and nothing else', t => {
  const { contents } = pack(t)
  assert.deepEqual(
    contents.filter(path => !EXPECTED.some(pattern => pattern.test(path))),
    [],
  )
  for (const pattern of EXPECTED)
    assert.ok(
      contents.some(path => pattern.test(path)),
      `${pattern} is missing`,
    )
  const { platforms } = JSON.parse(readFileSync(join(TOP, 'dist/agent/agents.json'), 'utf8'))
  for (const platform of Object.keys(platforms))
    assert.ok(contents.includes(`dist/agent/deptool-${platform}`))
  assert.equal(JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')).dependencies, undefined)
})

test('the licences of everything bundled go with it', () => {
  const text = readFileSync(join(TOP, 'dist/THIRD-PARTY-LICENSES'), 'utf8')
  const headings = [...text.matchAll(/^-{78}\n(.*)\n-{78}$/gm)].map(([, heading]) => heading!.split(' ')[0])
  for (const name of [
    'fflate',
    'jsonc-parser',
    'msgpackr',
    'picocolors',
    'ssh2',
    'yargs-parser',
    'QuickJS',
    'musl',
  ])
    assert.ok(headings.includes(name), name)
  assert.match(text, /Copyright \(c\) 2017-2021 Fabrice Bellard/)
  for (const name of ['tsup', 'typescript', 'yargs', 'cliui'])
    assert.ok(!headings.includes(name), `${name} is not in it`)
})

test('installed where there is no compiler, it deploys to a real host', realHosts, async t => {
  const { file } = pack(t)
  const world = await makeWorld(t, { 'web1/www/index.html': 'one\n' }, { hosts: 'real' })
  const prefix = await install(world, file)
  const compilers = ['gcc', 'cc', 'musl-gcc'].map(name => `command -v ${name}`).join(' || ')
  assert.deepEqual(await world.execute(['sh', '-c', compilers]), { stdout: '', stderr: '', code: 127 })
  assert.equal(
    realpathSync(join(prefix, 'bin/git-deploy')),
    join(prefix, 'lib/node_modules/git-deploy/bin/git-deploy'),
  )

  await world.run('--version').stdout(/^git-deploy version \d+\.\d+\.\d+\n$/)
  await world.run('init').stdout(/^in this repository, 'git deploy' is now short for 'git deploy prod'\n/)
  await world
    .run('--yes')
    .stdout(/^prod from the working tree(.|\n)*\ndeployed to 1 host in 'prod'/)
    .stderr(/web1 {2}agent installed\n/)
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/www/current/index.html'), 'one\n')
})

test('installed, it has its manual pages, its hooks and its completion', async t => {
  const { file } = pack(t)
  const world = await makeWorld(t, { 'web1/www/index.html': 'one\n' })
  const prefix = await install(world, file)
  for (const page of readdirSync(join(TOP, 'man'))) {
    const [name = '', section = ''] = page.split(/\.(?=\d$)/)
    const { stdout } = await world.execute(['man', '-w', section, name])
    assert.equal(stdout.trim(), realpathSync(join(prefix, `share/man/man${section}`, page)))
  }
  const script = (await world.execute(['git', 'deploy', 'completion', 'bash'])).stdout
  writeFileSync(join(world.home, 'script'), script)
  execFileSync('bash', ['-n', join(world.home, 'script')])

  await world.run('init').stdout(/^in this repository, 'git deploy'/)
  await world.run('hooks', 'install').stdout(/^ {4}post-commit {2}installed$/m)
  world.write({ 'web1/www/index.html': 'two\n' })
  const { stderr } = await world.execute(['git', 'commit', '-qam', 'two'])
  assert.equal(
    stderr,
    'prod: 1 of 1 host would change\n    web1  add www (new host)\nto deploy: git deploy prod\n',
  )
})
