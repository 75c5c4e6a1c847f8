/** The agent's two machines: the same cases for both, then what only a real process shows. */
import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import { nodeMachine } from '../support/node-machine.ts'
import { buildProgram, buildStarved, CASES } from './agent-program.ts'
import { machineCases } from './machine-cases.ts'

suite('machine on node', () => {
  for (const [name, check] of Object.entries(machineCases)) {
    test(name, t => {
      const machine = nodeMachine({ root: makeRoot(t), input: [Buffer.from('hel'), Buffer.from('lo')] })
      t.after(machine.exit)
      check(machine)
    })
  }
})

suite('machine on QuickJS', () => {
  let programs: string
  let cases: string

  before(() => {
    programs = mkdtempSync(join(tmpdir(), 'machine-programs-'))
    cases = build('cases', CASES)
  })
  after(() => rmSync(programs, { recursive: true }))

  for (const name of Object.keys(machineCases)) {
    test(name, t => {
      const env = { ...process.env, DEPTOOL_ROOT: makeRoot(t), CASE: name }
      const { status, stdout, stderr } = spawnSync(cases, { env, input: 'hello', encoding: 'utf8' })
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'passed\n', stderr: '' })
    })
  }

  test('it reads with a timeout, hears SIGTERM, and nothing else ends it', async t => {
    const agent = start(t, build('listener', LISTENER))
    assert.equal(await line(agent), 'timeout after 100 ms: true\n')
    for (const signal of ['SIGHUP', 'SIGINT'] as const) agent.kill(signal)
    agent.stdin.write('still here')
    assert.equal(await line(agent), 'read 10 bytes\n')
    agent.kill('SIGTERM')
    assert.equal(await line(agent), 'timeout, terminated: true, child: default\n')
    assert.deepEqual(await once(agent, 'exit'), [0, null])
  })

  test('it goes on when nobody reads what it writes', async t => {
    const root = makeRoot(t)
    const agent = start(t, build('unheard', UNHEARD), { DEPTOOL_ROOT: root })
    agent.stdout.destroy()
    agent.stdin.end()
    assert.deepEqual(await once(agent, 'exit'), [0, null])
    assert.equal(readFileSync(join(root, 'tmp/heard'), 'utf8'), 'false,false')
  })

  test('it asks a service, by address and by path, and does not wait for ever', async t => {
    const root = makeRoot(t)
    const answers: string[] = []
    const server = createServer(socket => {
      socket.on('data', data => {
        answers.push(String(data))
        if (String(data) !== 'silence') socket.write('HTTP/1.1 204 fine\r\nmore\r\n')
      })
      socket.on('error', () => {})
    })
    t.after(() => server.close())
    server.listen(0, '127.0.0.1')
    const local = createServer(socket => socket.end('no line')).listen(join(root, 'tmp/socket'))
    t.after(() => local.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const agent = start(t, build('prober', PROBER), { DEPTOOL_ROOT: root, PORT: String(port) })
    const [output] = await Promise.all([agent.stdout.toArray(), once(agent, 'exit')])
    assert.equal(Buffer.concat(output).toString(), '[]\n[HTTP/1.1 204 fine]\n[no line]\nETIMEDOUT\nEINVAL\n')
    assert.deepEqual(answers, ['GET / HTTP/1.0\r\n\r\n', 'silence'])
  })

  test('its lock is one that others see, and dies with it', async t => {
    const root = makeRoot(t)
    const agent = start(t, build('holder', HOLDER), { DEPTOOL_ROOT: root })
    assert.equal(await line(agent), 'true\n')
    const other = nodeMachine({ root })
    t.after(other.exit)
    assert.equal(other.lock('/tmp/lock'), false)
    agent.kill('SIGKILL')
    await once(agent, 'exit')
    assert.equal(other.lock('/tmp/lock'), true)
  })

  test('an object inflates however it is cut into pieces', t => {
    // Text, so that its code tables are long, and the end of a piece often within one.
    const content = Buffer.from(randomBytes(12_000).toString('base64'))
    const whole = Buffer.concat([Buffer.from(`blob ${content.length}\0`), content])
    const oid = createHash('sha1').update(whole).digest('hex')
    const { status, stdout, stderr } = spawnSync(build('inflater', INFLATER), {
      encoding: 'utf8',
      input: deflateSync(whole),
      env: { DEPTOOL_ROOT: makeRoot(t), OID: oid },
    })
    assert.deepEqual([status, stdout, stderr], [0, 'inflated\n', ''])
  })

  test('an uncaught exception is told on stderr, with a failing status', t => {
    const agent = build('broken', "throw new Error('by accident')")
    const { status, stdout, stderr } = spawnSync(agent, {
      encoding: 'utf8',
      env: { DEPTOOL_ROOT: makeRoot(t) },
    })
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^deptool: Error: by accident\n {4}at .*agent\.js:\d+/)
  })

  test('deep recursion is an exception, not a crash', t => {
    const agent = build('deep', 'const deep = () => 1 + deep()\ndeep()')
    const { status, signal, stderr } = spawnSync(agent, {
      encoding: 'utf8',
      env: { DEPTOOL_ROOT: makeRoot(t) },
    })
    assert.deepEqual([status, signal], [1, null])
    assert.match(stderr, /stack overflow/)
  })

  test('numbers that C could take for smaller ones are refused', t => {
    const agent = build('huge', HUGE)
    const root = makeRoot(t)
    writeFileSync(join(root, 'tmp/file'), 'content')
    const { status, stdout, stderr } = spawnSync(agent, { encoding: 'utf8', env: { DEPTOOL_ROOT: root } })
    assert.deepEqual([status, stderr], [0, ''])
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      ...['EFBIG', 'EFBIG', 'EFBIG', 'EBADF', 'EBADF'],
      ...['E2BIG', 'E2BIG', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'],
    ])
    assert.equal(statSync(join(root, 'tmp/file')).uid, process.getuid?.())
  })

  test('a runaway is an exception, and there is memory to clean up', t => {
    const agent = build('runaway', RUNAWAY)
    const root = makeRoot(t)
    const { status, signal, stdout, stderr } = spawnSync(agent, {
      encoding: 'utf8',
      env: { DEPTOOL_ROOT: root },
    })
    assert.deepEqual([status, signal, stderr], [0, null, ''])
    assert.equal(stdout, 'out of memory\ncleaned up with 10000 names\n')
  })

  test('an allocation that fails makes a call throw, and leaves nothing behind', t => {
    const root = makeRoot(t)
    writeFileSync(join(root, 'tmp/file'), 'content')
    symlinkSync('file', join(root, 'tmp/link'))
    const { status, signal, stdout } = spawnSync(buildStarved(programs), [join(root, 'tmp')], {
      encoding: 'utf8',
    })
    assert.deepEqual([status, signal], [0, null], stdout)
    assert.equal(stdout.match(/^\w+: thrown [1-9]\d* times$/gm)?.length, 8, stdout)
  })

  const build = (name: string, source: string) => buildProgram(programs, name, source)
})

const LISTENER = `
const start = machine.ticks()
const first = machine.input.read(100)
say(first + ' after 100 ms: ' + (machine.ticks() - start >= 100))
say('read ' + machine.input.read(Infinity).length + ' bytes')
const last = machine.input.read(Infinity)
const child = machine.run(['sh', '-c', 'kill -TERM $$; echo survived'])
say(last + ', terminated: ' + machine.terminated() + ', child: ' + (child.stdout || 'default'))`

const UNHEARD = `
machine.input.read(Infinity)
const heard = [machine.write(new Uint8Array(1)), machine.write(new Uint8Array(1))]
const file = machine.files.create('/tmp/heard', 0o644)
file.write(Uint8Array.from(String(heard), char => char.charCodeAt(0)))`

const PROBER = `
import { getenv } from 'native'
const server = { address: '127.0.0.1', port: Number(getenv('PORT')) }
say('[' + machine.probe(server, '', 5000) + ']')
say('[' + machine.probe(server, 'GET / HTTP/1.0\\r\\n\\r\\n', 5000) + ']')
say('[' + machine.probe({ path: '/tmp/socket' }, 'x', 5000) + ']')
try { machine.probe(server, 'silence', 200) } catch (error) { say(error.code) }
try { machine.probe({ address: 'localhost', port: 1 }, '', 200) } catch (error) { say(error.code) }`

/** With a piece of every length first: the code tables of the first block are in there. */
const INFLATER = `
import { getenv } from 'native'
import { Inflating } from '${fileURLToPath(new URL('../../agent/store/object.ts', import.meta.url))}'
const pieces = []
for (let piece; (piece = machine.input.read(1000)) !== 'end'; ) pieces.push(...piece)
const raw = Uint8Array.from(pieces)
for (let length = 1; length < 300; length++) {
  const object = new Inflating(machine, getenv('OID'))
  object.push(raw.subarray(0, length))
  object.push(raw.subarray(length))
  object.end()
}
say('inflated')`

const HUGE = `
import * as native from 'native'
const root = native.getenv('DEPTOOL_ROOT')
const told = act => { try { say('done ' + act()) } catch (error) { say(error.code ?? String(error)) } }
const fd = native.openRead(root + '/tmp/file')
told(() => native.read(fd, 2 ** 32).byteLength)
told(() => native.read(fd, 2 ** 32 + 3).byteLength)
told(() => native.read(fd, -1).byteLength)
told(() => native.size(2 ** 32 + fd))
told(() => native.close(-1))
const many = length => Object.assign(['true'], { length })
told(() => native.run(many(2 ** 32 - 1), undefined, 1000))
told(() => native.run(many(2 ** 24), undefined, 1000))
told(() => native.lchown(root + '/tmp/file', 2 ** 32, 0))
told(() => native.chmod(root + '/tmp/file', 2 ** 32 + 0o777))
told(() => native.openNew(root + '/tmp/new', 2 ** 32))
told(() => native.probe('127.0.0.1', 2 ** 16 + 22, '', 100))`

/** In small pieces, so that hardly a byte is left when there is no room for another. */
const RUNAWAY = `
let held
try { for (;;) held = { before: held, bytes: new Uint8Array(200) } } catch (error) {
  say(error.message)
  const names = []
  for (let i = 0; i < 10000; i++) names.push('/var/lib/deptool/apps/a/current/' + i)
  say('cleaned up with ' + names.length + ' names')
}`

const HOLDER = `
say(String(machine.lock('/tmp/lock')))
machine.input.read(Infinity)`

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'machine-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'tmp'))
  return root
}

function start(t: TestContext, program: string, env: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
  const child = spawn(program, { env: { PATH: process.env['PATH'], ...env } })
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function line({ stdout }: ChildProcessWithoutNullStreams): Promise<string> {
  const [chunk] = await once(stdout, 'data')
  return String(chunk)
}
