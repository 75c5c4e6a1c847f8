/** A real sshd of one's own on a free loopback port, and the ssh program with a configuration that knows it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type HostName, hostName, must } from '../../src/plan/names.ts'
import type { Env } from '../../src/remote/transport.ts'
import { temporaryDirectory } from './temporary.ts'

const SSHD = '/usr/sbin/sshd'

export interface Sshd {
  readonly host: HostName
  readonly directory: string
  readonly port: number
  readonly pid: number
  /** With which ssh finds the configuration below. */
  readonly env: Env
  /** What a host's / is; the agent's paths are moved there. */
  readonly root: string
  readonly knownHosts: string
  /** A private key that may log in. */
  readonly key: string
  /** Adds lines for the host to the ssh configuration, before all others. */
  configure(...lines: string[]): void
  hostKeyLine(type?: string): string
  /** What sshd has said so far. */
  log(): string
  /** Resolves once it listens again, with what its configuration says by now. */
  restart(): Promise<void>
}

export interface SshdOptions {
  readonly sshd?: readonly string[]
  readonly hostKeys?: readonly string[]
  /** Known to the client from the start. */
  readonly known?: boolean
  /** What the login shell prints. */
  readonly noise?: string
}

export async function startSshd(t: TestContext, options: SshdOptions = {}): Promise<Sshd> {
  const directory = temporaryDirectory(t)
  const types = options.hostKeys ?? ['ed25519']
  const port = await freePort()
  const inDirectory = (name: string) => join(directory, name)
  for (const type of types) newKey(inDirectory(`host_${type}`), type)
  newKey(inDirectory('id'), 'ed25519')
  writeFileSync(inDirectory('authorized_keys'), readFileSync(inDirectory('id.pub')), { mode: 0o600 })
  mkdirSync(inDirectory('root'))
  writeFileSync(inDirectory('login'), loginShell(inDirectory('root'), options.noise ?? ''), { mode: 0o755 })
  writeFileSync(inDirectory('sshd_config'), sshdConfig(directory, port, types, options.sshd ?? []))
  const { child, log } = await run(t, inDirectory('sshd_config'), port)

  const hostKeyLine = (type = types[0]!) =>
    `[127.0.0.1]:${port} ${readFileSync(inDirectory(`host_${type}.pub`), 'utf8').trim()}\n`
  if (options.known !== false) writeFileSync(inDirectory('known_hosts'), hostKeyLine())
  let lines: readonly string[] = []
  const writeConfig = () => writeFileSync(inDirectory('ssh_config'), clientConfig(directory, port, lines))
  writeConfig()
  return {
    host: must(hostName, 'web1'),
    directory,
    port,
    pid: child.pid!,
    env: {
      ...process.env,
      SSH_AUTH_SOCK: undefined,
      PATH: `${sshProgram(directory)}:${process.env['PATH']}`,
    },
    root: inDirectory('root'),
    knownHosts: inDirectory('known_hosts'),
    key: inDirectory('id'),
    hostKeyLine,
    log,
    restart: async () => {
      const again = listens(child, port)
      child.kill('SIGHUP')
      await again
    },
    configure: (...more) => {
      lines = more
      writeConfig()
    },
  }
}

export function newKey(file: string, type: string, passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', `test ${type}`, '-f', file])
}

/** In place of the user's: the agent's home becomes a directory that a test may write to. */
const loginShell = (root: string, noise: string): string => `#!/bin/sh
printf '%b' '${noise}'
exec /bin/sh -c "$(printf '%s\\n' "$SSH_ORIGINAL_COMMAND" | sed 's#/var/lib/deptool#${root}/var/lib/deptool#g')"
`

function sshdConfig(
  directory: string,
  port: number,
  types: readonly string[],
  more: readonly string[],
): string {
  return [
    ...more,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...types.map(type => `HostKey ${join(directory, `host_${type}`)}`),
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    `ForceCommand ${join(directory, 'login')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'UseDNS no',
    'LogLevel VERBOSE',
  ].join('\n')
}

function clientConfig(directory: string, port: number, lines: readonly string[]): string {
  return `Host web1
${lines.map(line => `  ${line}\n`).join('')}
  HostName 127.0.0.1
  Port ${port}
  User root
  IdentityFile ${join(directory, 'id')}
  UserKnownHostsFile ${join(directory, 'known_hosts')}
  GlobalKnownHostsFile none
`
}

/** The machine's ssh, which takes no configuration from its environment. */
function sshProgram(directory: string): string {
  const bin = join(directory, 'bin')
  const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
  mkdirSync(bin)
  writeFileSync(join(bin, 'ssh'), `#!/bin/sh\nexec ${real} -F ${join(directory, 'ssh_config')} "$@"\n`, {
    mode: 0o755,
  })
  return bin
}

async function run(t: TestContext, config: string, port: number) {
  mkdirSync('/run/sshd', { recursive: true })
  const child = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(() => child.kill())
  let log = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    log += text
  })
  await listens(child, port)
  return { child, log: () => log }
}

/** Resolves the next time that it says so. */
function listens(sshd: ChildProcess, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    sshd.stderr!.on('data', text => {
      log += text
      if (log.includes(`port ${port}`)) resolve()
    })
    sshd.once('exit', code => reject(new Error(`sshd ended with ${code}: ${log}`)))
  })
}

export function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
