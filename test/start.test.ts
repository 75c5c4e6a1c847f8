import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeWorld } from './support/world.ts'

const VERSION = /^git-deploy version [\w.]+\n$/

/** Where an operator's compiled code is kept once a command has run. */
async function makeCache(t: TestContext) {
  const world = await makeWorld(t, {})
  await world.run('--version').stdout(VERSION)
  const directory = join(world.home, '.cache/git-deploy')
  return { world, directory, file: join(directory, readdirSync(directory)[0]!) }
}

test('what V8 compiled is kept for the next command, and nobody else can write it', async t => {
  const { world, directory, file } = await makeCache(t)
  assert.match(basename(file), new RegExp(`^main\\.cjs-${process.version}-${process.arch}-[0-9a-f]{8}$`))
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  for (let time = 2; time <= 4; time++) await world.run('--version').stdout(VERSION)
  await world.run('-h').stdout(/^usage: /)
  const [, written] = readFileSync(file, 'utf8').split('\n')
  assert.equal(written, 'version version version help')
})

test('a cache that is damaged, or of another bundle, is made anew', async t => {
  const { world, file } = await makeCache(t)
  const whole = readFileSync(file)
  const head = whole.indexOf('\n')
  for (const content of [
    '',
    'x',
    'x\ny\nz',
    whole.subarray(0, -1000),
    Buffer.concat([Buffer.from('["elsewhere",1,2,3,4]'), whole.subarray(head)]),
  ]) {
    writeFileSync(file, content)
    await world.run('--version').stdout(VERSION)
    assert.equal(readFileSync(file).indexOf('\n'), head)
  }
})

test('two installs that are used in turn leave each other their caches', async t => {
  const world = await makeWorld(t, {})
  const [one, other] = ['one', 'other'].map(name => install(join(world.home, name)))
  const use = async (program: string) => {
    const { stdout } = await world.execute([program, '--version'])
    assert.match(stdout, VERSION)
  }
  for (const program of [one!, other!]) for (let time = 1; time <= 3; time++) await use(program)
  const directory = join(world.home, '.cache/git-deploy')
  const written = () =>
    readdirSync(directory).map(name => {
      const { ino, mtimeMs } = statSync(join(directory, name))
      return [name, ino, mtimeMs]
    })
  const before = written()
  assert.equal(before.length, 2)
  for (const program of [one!, other!, one!]) await use(program)
  assert.deepEqual(written(), before)
})

test('caches of programs that are gone do not gather', async t => {
  const { world, directory, file } = await makeCache(t)
  const old = new Date(Date.now() - 90 * 24 * 60 * 60 * 1000)
  const others = Array.from({ length: 20 }, (_, i) => join(directory, `main.cjs-v20.10.0-x64-${1e7 + i}`))
  for (const other of others) {
    writeFileSync(other, 'code')
    utimesSync(other, old, old)
  }
  await world.execute([install(join(world.home, 'another')), '--version'])
  const left = readdirSync(directory)
  assert.equal(left.length, 16)
  assert.ok(left.includes(basename(file)))
})

/** The program without its agents, in a directory of its own. */
function install(place: string): string {
  for (const name of ['bin', 'dist'])
    cpSync(new URL(`../${name}`, import.meta.url).pathname, join(place, name), {
      recursive: true,
      filter: path => !path.endsWith('/dist/agent'),
    })
  return join(place, 'bin/git-deploy')
}

test('code that somebody else could have put into the cache is not run', async t => {
  const { world, directory, file } = await makeCache(t)
  const evil = forge(file)
  writeFileSync(file, evil)
  // V8 itself takes it for what it is not: only we look after it.
  await world.run('--version').stdout('evil\n')
  chmodSync(directory, 0o777)
  await world.run('--version').stdout(VERSION)
  chmodSync(directory, 0o700)
  chmodSync(file, 0o666)
  await world.run('--version').stdout(VERSION)
  writeFileSync(file, evil)
  await world.run('--version').stdout('evil\n')
})

/** A cache with other code of the same length. */
function forge(file: string): Buffer {
  const [identity = ''] = readFileSync(file, 'utf8').split('\n')
  const [bundle] = JSON.parse(identity) as [string]
  const open = '(function(exports,require,module,__filename,__dirname){'
  const code = "console.log('evil')"
  const source = `${open}${code}${' '.repeat(readFileSync(bundle, 'utf8').length - code.length)}\n})`
  const compile = `const script = new vm.Script(fs.readFileSync(0, 'utf8'), { filename: ${JSON.stringify(bundle)} })
    script.runInThisContext()
    process.stdout.write(script.createCachedData())`
  const data = execFileSync(process.execPath, ['-e', compile], { input: source })
  return Buffer.concat([Buffer.from(`${identity}\nversion\n`), data])
}

test('without a place for a cache everything works the same', async t => {
  const world = await makeWorld(t, {})
  const cache = join(world.home, '.cache')
  writeFileSync(cache, 'a file\n')
  await world.run('--version').stdout(VERSION)
  assert.equal(readFileSync(cache, 'utf8'), 'a file\n')
  world.env['HOME'] = join(world.home, 'none')
  await world.run('--version').stdout(VERSION)
  assert.equal(statSync(world.env['HOME'], { throwIfNoEntry: false }), undefined)
  world.env['HOME'] = ''
  await world.run('--version').stdout(VERSION)
})

test('XDG_CACHE_HOME says where', async t => {
  const world = await makeWorld(t, {})
  const elsewhere = join(world.home, 'elsewhere')
  world.env['XDG_CACHE_HOME'] = elsewhere
  await world.run('--version').stdout(VERSION)
  assert.deepEqual(readdirSync(elsewhere), ['git-deploy'])
  assert(!readdirSync(world.home).includes('.cache'))
})

test('it starts through a symbolic link', async t => {
  const { world } = await makeCache(t)
  const bin = join(world.home, 'bin')
  mkdirSync(bin, { recursive: true })
  const program = new URL('../bin/git-deploy', import.meta.url).pathname
  execFileSync('ln', ['-s', program, join(bin, basename(program))])
  const { stdout } = await world.execute([join(bin, 'git-deploy'), '--version'])
  assert.match(stdout, VERSION)
  rmSync(join(bin, 'git-deploy'))
})
