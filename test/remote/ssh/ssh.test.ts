import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Socket, connect as tcp } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DeploymentId } from '../../../src/plan/deployment-id.ts'
import { must, oid } from '../../../src/plan/names.ts'
import type { Request } from '../../../src/protocol/messages.ts'
import { type ConnectOptions, connector, type Settings } from '../../../src/remote/connect.ts'
import { openSession } from '../../../src/remote/session.ts'
import { type Connection, HostError } from '../../../src/remote/transport.ts'
import { needs } from '../../support/needs.ts'
import { waitFor } from '../../support/wait-for.ts'
import { fakeAgents } from '../fake-agent.ts'
import { freePort, newKey, type Sshd, type SshdOptions, startSshd } from '../sshd.ts'

const ID = '20261123T074502-3f9a1c0b7e' as DeploymentId
const withSshd = needs('sshd')

interface World {
  readonly sshd: Sshd
  connect(options?: Partial<ConnectOptions>): Promise<Connection>
}

async function makeWorld(
  t: TestContext,
  settings: Partial<Settings> = {},
  options: SshdOptions = {},
): Promise<World> {
  const sshd = await startSshd(t, options)
  const agents = fakeAgents(join(sshd.directory, 'agents'))
  const surroundings = { env: sshd.env, now: () => new Date(), random: randomBytes }
  const connect = connector({ ...surroundings, agents, transport: 'auto', ...settings })
  return {
    sshd,
    connect: async options => {
      const connection = await connect(sshd.host, { url: null, ...options })
      t.after(() => connection.close())
      return connection
    },
  }
}

/** What sshd runs in place of what we ask for; the last one as a .bashrc that starts another shell. */
const FORCED = [
  [
    'internal-sftp',
    {
      kind: 'authentication',
      message: /^cannot run programs as 'root': the host allows file transfers only/,
      hint: /log in as another user/,
    },
  ],
  ['cat >/dev/null', { message: 'the agent did not answer in time', hint: /ForceCommand/ }],
  ['bash', { message: /^the agent did not answer in time/, hint: /replaces the shell/ }],
] as const

async function* megabytes(count: number): AsyncGenerator<Request> {
  const bytes = new Uint8Array(256 * 1024)
  const name = must(oid, 'a'.repeat(40))
  for (let i = 0; i < count * 4; i++) yield { type: 'objects', objects: [{ oid: name, bytes, last: true }] }
  yield { type: 'ask', id: ID }
}

for (const transport of ['ssh2', 'openssh'] as const) {
  test(`${transport}: the agent is installed when it is missing, and only then`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport })
    for (const installed of [true, false]) {
      const session = await openSession(await connect(), { flight: () => megabytes(0) })
      assert.equal(session.installed, installed)
      assert.equal(session.hello.hostname, 'fake?[2J')
      assert.deepEqual(await session.next(5000), { type: 'outcome', id: ID, outcome: 'held', why: '0' })
      session.close()
    }
  })

  test(`${transport}: 12 MB of objects arrive whole`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport })
    const session = await openSession(await connect(), { flight: () => megabytes(12) })
    assert.deepEqual(await session.next(30_000), {
      type: 'outcome',
      id: ID,
      outcome: 'held',
      why: String(12 << 20),
    })
  })

  for (const agent of ['missing', 'there'])
    test(`${transport}: an upload that breaks off here, and the agent is ${agent}`, withSshd, async t => {
      const { connect } = await makeWorld(t, { transport })
      if (agent === 'there') (await openSession(await connect())).close()
      async function* flight(): AsyncGenerator<Request> {
        // Nobody reads the agent's answer to the last of them.
        yield* megabytes(4)
        throw new Error('cannot read object')
      }
      const told = openSession(await connect(), { flight }).then(session => session.next())
      await assert.rejects(told, { message: 'cannot read object' })
    })

  test(`${transport}: connecting can be given up, what is connected stays`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport })
    const giveUp = new AbortController()
    const connection = await connect({ signal: giveUp.signal })
    giveUp.abort()
    const session = await openSession(connection)
    assert.equal(session.hello.hostname, 'fake?[2J')
    session.close()
    await assert.rejects(connect({ signal: giveUp.signal }), { name: 'Error', host: 'web1' })
  })

  test(`${transport}: an agent that dies leaves its last words`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport })
    const session = await openSession(await connect())
    await session.send({ type: 'undo', id: ID, why: 'die' })
    await assert.rejects(session.next(5000), {
      kind: 'lost',
      message: 'the agent ended unexpectedly, exit code 3: last ?[31mwords',
    })
  })

  test(`${transport}: a login shell that prints is named`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport }, { noise: 'Welcome to web1!\\nhave fun' })
    await assert.rejects(openSession(await connect()), {
      kind: 'noise',
      message: "the login shell of 'root' prints to stdout: 'Welcome to web1!'",
    })
  })

  test(`${transport}: a connection that is cut is told as lost`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    const session = await openSession(await connect())
    const waiting = assert.rejects(session.next(), { kind: 'lost', message: /^lost the connection/ })
    execFileSync('pkill', ['-P', String(sshd.pid)])
    await waiting
  })

  test(`${transport}: a port where nobody listens`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport })
    await assert.rejects(connect({ url: `ssh://root@127.0.0.1:${await freePort()}` }), { kind: 'refused' })
  })

  test(`${transport}: a name that nobody knows`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport })
    await assert.rejects(connect({ url: 'ssh://root@nowhere.invalid' }), { kind: 'unresolved' })
  })

  test(`${transport}: a key that is not let in`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    newKey(join(sshd.directory, 'stranger'), 'ed25519')
    sshd.configure(`IdentityFile ${sshd.directory}/stranger`, 'IdentitiesOnly yes')
    rmSync(sshd.key)
    rmSync(`${sshd.key}.pub`)
    await assert.rejects(connect(), { kind: 'authentication', message: /^cannot log in/ })
  })

  test(`${transport}: an unknown host key, and nobody to ask`, withSshd, async t => {
    const { connect } = await makeWorld(t, { transport }, { known: false })
    await assert.rejects(connect(), { kind: 'unknown-host-key', hint: /with 'ssh web1'/ })
  })

  test(`${transport}: a changed host key`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    writeFileSync(
      sshd.knownHosts,
      sshd
        .hostKeyLine()
        .replace(/AAAA\S+/, 'AAAAC3NzaC1lZDI1NTE5AAAAIGUqZ2dTI0sz6dW2iP3ywtlNkAVqvGZ8vX9YqyX1S2Sa'),
    )
    await assert.rejects(connect(), { kind: 'changed-host-key' })
  })

  test(`${transport}: a host that is known by a key of another type only`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport }, { hostKeys: ['ecdsa'], known: false })
    newKey(join(sshd.directory, 'host_ed25519'), 'ed25519')
    const known = sshd.hostKeyLine('ed25519')
    writeFileSync(sshd.knownHosts, known)
    sshd.configure('StrictHostKeyChecking accept-new')
    await assert.rejects(connect(), { kind: 'changed-host-key' })
    assert.equal(readFileSync(sshd.knownHosts, 'utf8'), known)
  })

  test(`${transport}: a key that is revoked under the name without the port`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport }, { known: false })
    const plain = sshd.hostKeyLine().replace(/^\S+/, '127.0.0.1')
    writeFileSync(sshd.knownHosts, plain)
    await connect()
    writeFileSync(sshd.knownHosts, `${plain}@revoked ${plain}`)
    await assert.rejects(connect(), { kind: 'changed-host-key' })
  })

  test(`${transport}: a private key that others may read is not used`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    chmodSync(sshd.key, 0o640)
    const told = transport === 'ssh2' ? { hint: `run 'chmod 600 ${sshd.key}'` } : {}
    await assert.rejects(connect(), { kind: 'authentication', message: /^cannot log in/, ...told })
    sshd.configure(`IdentityAgent ${await startAgent(t, sshd)}`)
    chmodSync(sshd.key, 0o600)
    addToAgent(sshd)
    chmodSync(sshd.key, 0o640)
    await connect()
  })

  test(`${transport}: only the algorithms for keys that ssh may use`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    sshd.configure('PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256')
    await assert.rejects(connect(), { kind: 'authentication', message: /^cannot log in/ })
  })
}

test('a stale URL is refused before anything is run', withSshd, async t => {
  const { connect } = await makeWorld(t)
  await assert.rejects(connect({ url: 'ssh://-oProxyCommand=x' }), {
    kind: 'unresolved',
    message: /^cannot read the address/,
  })
})

for (const type of ['rsa', 'ecdsa', 'ed25519']) {
  for (const where of ['file', 'agent'] as const) {
    test(`logging in with a key of type ${type} from a ${where}`, withSshd, async t => {
      const { connect, sshd } = await makeWorld(t, { transport: 'ssh2' }, { hostKeys: [type] })
      rmSync(sshd.key)
      rmSync(`${sshd.key}.pub`)
      newKey(sshd.key, type)
      writeFileSync(join(sshd.directory, 'authorized_keys'), readFileSync(`${sshd.key}.pub`))
      if (where === 'agent') {
        sshd.configure(`IdentityAgent ${await startAgent(t, sshd)}`)
        addToAgent(sshd)
        rmSync(sshd.key)
      }
      await connect()
    })
  }
}

for (const type of ['rsa', 'ecdsa'])
  for (const beside of ['with', 'without'])
    test(`a key of type ${type} in PKCS#8, ${beside} its .pub`, withSshd, async t => {
      const { connect, sshd } = await makeWorld(t, { transport: 'ssh2' })
      rmSync(sshd.key)
      rmSync(`${sshd.key}.pub`)
      newKey(sshd.key, type)
      writeFileSync(join(sshd.directory, 'authorized_keys'), readFileSync(`${sshd.key}.pub`))
      execFileSync('ssh-keygen', ['-q', '-p', '-m', 'PKCS8', '-P', '', '-N', '', '-f', sshd.key])
      assert.match(readFileSync(sshd.key, 'utf8'), /^-----BEGIN PRIVATE KEY-----/)
      if (beside === 'without') rmSync(`${sshd.key}.pub`)
      await connect()
    })

test('a locked key in PKCS#8 is told as locked', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t)
  rmSync(sshd.key)
  rmSync(`${sshd.key}.pub`)
  newKey(sshd.key, 'ecdsa')
  writeFileSync(join(sshd.directory, 'authorized_keys'), readFileSync(`${sshd.key}.pub`))
  execFileSync('ssh-keygen', ['-q', '-p', '-m', 'PKCS8', '-P', '', '-N', 'open sesame', '-f', sshd.key])
  await assert.rejects(connect(), { message: /is protected by a passphrase$/ })
})

for (const transport of ['auto', 'ssh2', 'openssh'] as const)
  test(`${transport}: a host that wants another factor after the key says so`, withSshd, async t => {
    const methods = ['AuthenticationMethods publickey,password', 'PasswordAuthentication yes']
    const { connect } = await makeWorld(t, { transport }, { sshd: methods })
    await assert.rejects(connect(), {
      kind: 'authentication',
      message: "cannot log in as 'root': after the key, the host wants another factor (password)",
      hint: /^run 'ssh -fNM web1' first/,
    })
  })

test('a connection that was opened by hand, with both factors, is used', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t)
  sshd.configure(`ControlPath ${join(sshd.directory, 'master')}`)
  startMaster(t, sshd)
  appendFileSync(join(sshd.directory, 'sshd_config'), '\nAuthenticationMethods publickey,password\n')
  await sshd.restart()
  await openSession(await connect())
})

test('the right one of three keys in an agent', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t, { transport: 'ssh2' })
  sshd.configure(`IdentityAgent ${await startAgent(t, sshd)}`)
  for (const name of ['a', 'b']) {
    newKey(join(sshd.directory, name), 'ed25519')
    addToAgent(sshd, join(sshd.directory, name))
  }
  addToAgent(sshd)
  rmSync(sshd.key)
  rmSync(`${sshd.key}.pub`)
  await connect()
})

test('a locked key that no agent holds', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t)
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', sshd.key])
  await assert.rejects(connect(), {
    kind: 'authentication',
    message: `cannot log in as 'root': '${sshd.key}' is protected by a passphrase`,
    hint: /^run 'ssh-add'/,
  })
})

test('an unknown host key is asked about once, and remembered', withSshd, async t => {
  const questions: string[] = []
  const confirmHostKey: Settings['confirmHostKey'] = async ({ address, type, fingerprint }) => {
    questions.push(`${address} ${type} ${fingerprint}`)
    return true
  }
  const { connect, sshd } = await makeWorld(t, { confirmHostKey }, { known: false })
  sshd.configure('HashKnownHosts yes')
  await Promise.all([connect(), connect(), connect()])
  const fingerprint = execFileSync('ssh-keygen', ['-lf', join(sshd.directory, 'host_ed25519')], {
    encoding: 'utf8',
  })
  assert.deepEqual(questions, [`[127.0.0.1]:${sshd.port} ssh-ed25519 ${fingerprint.split(' ')[1]}`])
  assert.match(readFileSync(sshd.knownHosts, 'utf8'), /^\|1\|\S+ ssh-ed25519 \S+\n$/)
  assert.equal(statSync(sshd.knownHosts).mode & 0o777, 0o600)
  // OpenSSH agrees with what we wrote.
  execFileSync('ssh', ['-o', 'BatchMode=yes', 'web1', 'true'], { env: sshd.env as NodeJS.ProcessEnv })
})

test('a host key that the operator turns down', withSshd, async t => {
  const { connect } = await makeWorld(t, { confirmHostKey: async () => false }, { known: false })
  await assert.rejects(connect(), { kind: 'unknown-host-key' })
})

test('a known key of another type than the first that the host offers', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t, {}, { hostKeys: ['ed25519', 'rsa', 'ecdsa'], known: false })
  writeFileSync(sshd.knownHosts, sshd.hostKeyLine('rsa'))
  await connect()
})

test('auto leaves to the ssh program what ssh2 cannot do', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t, {}, { known: false })
  const ca = join(sshd.directory, 'ca')
  newKey(ca, 'ed25519')
  execFileSync('ssh-keygen', [
    '-q',
    '-s',
    ca,
    '-h',
    '-I',
    'web1',
    '-n',
    '127.0.0.1',
    join(sshd.directory, 'host_ed25519.pub'),
  ])
  // As ssh looks for it: with the port, then without.
  writeFileSync(sshd.knownHosts, `@cert-authority 127.0.0.1 ${readFileSync(`${ca}.pub`, 'utf8')}`)
  writeFileSync(
    join(sshd.directory, 'sshd_config'),
    `\nHostCertificate ${sshd.directory}/host_ed25519-cert.pub\n`,
    { flag: 'a' },
  )
  await sshd.restart()
  const session = await openSession(await connect())
  assert.equal(session.installed, true)
})

test('through a jump host', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t)
  sshd.configure('ProxyCommand sh -c "exec nc 127.0.0.1 %p"'.replace('nc', nc(sshd)))
  await openSession(await connect())
})

for (const [what, setting, told] of [
  [
    'a ProxyCommand that is missing',
    'ProxyCommand /no/such/program',
    /\/no\/such\/program: (?:not found|No such file or directory)$/,
  ],
  ['a jump host that refuses connections', 'ProxyJump root@127.0.0.1:1', /port 1: Connection refused$/],
  ['no common cipher, for a quiet ssh', 'Ciphers aes192-cbc\nLogLevel ERROR', /no matching cipher found/],
] as const)
  test(`${what} is told as the cause`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t)
    sshd.configure(...setting.split('\n'))
    await assert.rejects(connect(), { message: told })
  })

test('an option of the SSH configuration that ssh does not know is told with its line', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t)
  sshd.configure('NoSuchOption yes')
  await assert.rejects(connect(), {
    kind: 'unresolved',
    message:
      /^cannot use the SSH configuration: .*ssh_config: line 2: Bad configuration option: nosuchoption$/,
  })
})

for (const transport of ['auto', 'openssh'] as const)
  test(`${transport}: a host key in RevokedHostKeys is told as revoked`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    sshd.configure(`RevokedHostKeys ${sshd.directory}/host_ed25519.pub`)
    await assert.rejects(connect(), { kind: 'changed-host-key', message: /revoked/i })
  })

for (const setting of [
  'StdinNull yes',
  'ForkAfterAuthentication yes',
  'SessionType none',
  'RequestTTY force',
])
  for (const transport of ['auto', 'openssh'] as const)
    test(`${transport}: '${setting}' is for people`, withSshd, async t => {
      const { connect, sshd } = await makeWorld(t, { transport })
      sshd.configure(setting)
      const session = await openSession(await connect())
      assert.equal(session.hello.hostname, 'fake?[2J')
    })

for (const transport of ['auto', 'openssh'] as const)
  test(`${transport}: AddressFamily is honoured, also for an address`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    sshd.configure('AddressFamily inet6')
    await assert.rejects(connect(), HostError)
  })

for (const [command, told] of FORCED)
  test(`'${command}' in place of the agent is named`, withSshd, async t => {
    const { connect } = await makeWorld(t, {}, { sshd: [`ForceCommand ${command}`] })
    const session = openSession(await connect(), { flight: () => [{ type: 'ask', id: ID }], helloMs: 2000 })
    await assert.rejects(session, told)
  })

test('ssh2 does not pretend to honour a ProxyCommand', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t, { transport: 'ssh2' })
  sshd.configure('ProxyCommand false')
  await assert.rejects(connect(), {
    kind: 'unsupported',
    message: "cannot honour the SSH setting 'proxycommand': ssh2 does not support it",
  })
})

test('a live ControlMaster is used, unless the connection must be fresh', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t, {}, { sshd: ['MaxSessions 1'] })
  const socket = join(sshd.directory, 'master')
  sshd.configure(`ControlPath ${socket}`)
  const env = sshd.env as NodeJS.ProcessEnv
  execFileSync('ssh', ['-fNT', '-o', 'ControlMaster=yes', '-o', 'ControlPersist=60', 'web1'], {
    env,
    stdio: 'ignore',
  })
  const before = logins(sshd)
  await openSession(await connect())
  assert.equal(logins(sshd), before)
  await connect({ fresh: true })
  assert.equal(logins(sshd), before + 1)
  execFileSync('ssh', ['-O', 'exit', 'web1'], { env, stdio: 'ignore' })
})

for (const [what, stop] of [
  ['is stopped', (sshd: Sshd, master: number) => [master, ...connectionsOf(sshd)].slice(0, 1)],
  ['has lost its connection', (sshd: Sshd) => connectionsOf(sshd)],
] as const)
  for (const transport of ['auto', 'openssh'] as const)
    test(`${transport}: a ControlMaster that ${what} is passed over`, withSshd, async t => {
      const { connect, sshd } = await makeWorld(t, { transport })
      sshd.configure(`ControlPath ${join(sshd.directory, 'master')}`, 'ConnectTimeout 1')
      const stopped = stop(sshd, startMaster(t, sshd))
      t.after(() => signal(stopped, 'SIGKILL'))
      signal(stopped, 'SIGSTOP')
      const session = await openSession(await connect())
      assert.equal(session.hello.hostname, 'fake?[2J')
      session.close()
    })

for (const [setting, transport] of [
  ['ControlMaster yes', 'openssh'],
  ['ControlMaster auto', 'openssh'],
  ['ControlMaster yes', 'auto'],
] as const)
  test(`${transport}: '${setting}' leaves no master and no directory behind`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    const temporary = join(sshd.directory, 'tmp')
    mkdirSync(temporary)
    const { TMPDIR } = process.env
    t.after(() => {
      if (TMPDIR === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = TMPDIR
    })
    process.env['TMPDIR'] = temporary
    sshd.configure(setting, `ControlPath ${join(sshd.directory, 'master')}`)
    const connection = await connect()
    await openSession(connection)
    assert.equal(connectionsOf(sshd).length, 1)
    connection.close()
    await waitFor('the end of the connection', () => connectionsOf(sshd).length === 0)
    await waitFor('the end of ssh', () => readdirSync(temporary).length === 0)
  })

for (const transport of ['ssh2', 'openssh'] as const)
  test(`${transport}: an ssh-agent that never answers is passed over`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport })
    sshd.configure(`IdentityAgent ${await startSilentAgent(t, sshd)}`, 'ConnectTimeout 1')
    await openSession(await connect())
  })

for (const transport of ['ssh2', 'openssh'] as const)
  test(`${transport}: sshd drops connections beyond MaxStartups, and we come back`, withSshd, async t => {
    const { connect, sshd } = await makeWorld(t, { transport }, { sshd: ['MaxStartups 2:100:2'] })
    const idle: Socket[] = [tcp(sshd.port, '127.0.0.1'), tcp(sshd.port, '127.0.0.1')]
    const connected = connect()
    await waitFor('sshd to turn us away', () => sshd.log().includes('drop connection'))
    for (const socket of idle) socket.destroy()
    await connected
  })

test('a host that accepts and then says nothing', withSshd, async t => {
  const { connect, sshd } = await makeWorld(t, { transport: 'ssh2' })
  const silent = createServer().listen(0, '127.0.0.1')
  t.after(() => silent.close())
  silent.on('connection', socket => socket.on('error', () => {}).unref())
  await once(silent, 'listening')
  const { port } = silent.address() as { port: number }
  sshd.configure('ConnectTimeout 1')
  await assert.rejects(connect({ url: `ssh://root@web1:${port}` }), {
    kind: 'unreachable',
    message: /no answer$/,
  })
})

/** The user's own, of which the process is told. */
function startMaster(t: TestContext, sshd: Sshd): number {
  const env = sshd.env as NodeJS.ProcessEnv
  const master = spawn('ssh', ['-MNT', 'web1'], { env, stdio: 'ignore' })
  t.after(() => master.kill('SIGKILL'))
  for (let i = 0; i < 100 && !statSync(join(sshd.directory, 'master'), { throwIfNoEntry: false }); i++)
    execFileSync('sleep', ['0.02'])
  return master.pid!
}

function connectionsOf(sshd: Sshd): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(sshd.pid)], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, name)
}

async function startSilentAgent(t: TestContext, sshd: Sshd): Promise<string> {
  const socket = join(sshd.directory, 'silent')
  const sockets = new Set<Socket>()
  const agent = createServer(one => sockets.add(one.on('error', () => {}))).listen(socket)
  t.after(() => {
    agent.close()
    for (const one of sockets) one.destroy()
  })
  await once(agent, 'listening')
  return socket
}

/** An ssh-agent of the test's own; its socket. */
async function startAgent(t: TestContext, sshd: Sshd): Promise<string> {
  const socket = join(sshd.directory, 'agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  t.after(() => agent.kill())
  await waitFor('the agent', () => existsSync(socket))
  return socket
}

function addToAgent(sshd: Sshd, key = sshd.key): void {
  execFileSync('ssh-add', ['-q', key], {
    env: { ...process.env, SSH_AUTH_SOCK: join(sshd.directory, 'agent') },
  })
}

/** A program that joins its stdin and stdout to a port, as nc(1) does. */
function nc(sshd: Sshd): string {
  const program = join(sshd.directory, 'nc')
  const source = `const s = require('net').connect(process.argv[3], process.argv[2]); process.stdin.pipe(s).pipe(process.stdout)`
  writeFileSync(program, `#!${process.execPath}\n${source}\n`, { mode: 0o755 })
  return program
}

/** How many connections sshd holds. */
function logins(sshd: Sshd): number {
  return execFileSync('pgrep', ['-c', '-P', String(sshd.pid)], { encoding: 'utf8' })
    .split('\n')
    .map(Number)[0]!
}
