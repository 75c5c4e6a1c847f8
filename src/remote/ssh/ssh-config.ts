/** What the user's SSH configuration says about one host, as `ssh -G` prints it: every keyword, resolved. */
import { execFile } from 'node:child_process'
import { hostname, userInfo } from 'node:os'
import type { HostName } from '../../plan/names.ts'
import { lastLine } from '../clean.ts'
import { type Env, HostError } from '../transport.ts'

/** Keywords in lower case to their values, in order. */
export type SshConfig = ReadonlyMap<string, readonly string[]>

/** Asks the ssh program; undefined where there is none. Rejects with HostError where it refuses its configuration. */
export function readSshConfig(
  host: HostName,
  args: readonly string[],
  env: Env,
): Promise<SshConfig | undefined> {
  return new Promise((resolve, reject) => {
    // With a program to run: ssh refuses some settings without one, and others with one.
    const question = ['-G', '-o', 'RemoteCommand=none', ...args, 'true']
    execFile('ssh', question, { env: { ...env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') resolve(undefined)
      else if (error)
        reject(new HostError(host, 'unresolved', `cannot use the SSH configuration: ${firstFault(stderr)}`))
      else resolve(parseSshConfig(stdout))
    })
  })
}

/** The line that names file, line and option; what follows it only counts them. */
function firstFault(stderr: string): string {
  return lastLine(stderr.split('\n').find(line => / line \d+: /.test(line)) ?? stderr)
}

function parseSshConfig(text: string): SshConfig {
  const config = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, key, value] = /^(\S+) (.*)$/.exec(line.trimEnd()) ?? []
    if (key === undefined || value === undefined) continue
    const values = config.get(key.toLowerCase())
    if (values) values.push(value)
    else config.set(key.toLowerCase(), [value])
  }
  return config
}

/** The keyword's value; undefined where it is not set, or set to 'none'. */
export function one(config: SshConfig, key: string): string | undefined {
  const value = config.get(key)?.[0]
  return value === undefined || value.toLowerCase() === 'none' ? undefined : value
}

/** Every value of a keyword that may be given again and again; without any 'none'. */
export function every(config: SshConfig, key: string): readonly string[] {
  return (config.get(key) ?? []).filter(value => value.toLowerCase() !== 'none')
}

export function isOn(config: SshConfig, key: string): boolean {
  return /^(?:yes|true)$/i.test(config.get(key)?.[0] ?? '')
}

/** What the %-tokens of ssh_config(5) stand for. */
export interface Tokens {
  readonly target: string
  readonly hostname: string
  readonly port: number
  readonly user: string
  readonly alias: string | undefined
  readonly env: Env
}

/** A path with its `~`, %-tokens and ${variables} filled in: `ssh -G` leaves those of IdentityFile as they are. */
export function expandPath(path: string, tokens: Tokens): string {
  const { homedir, username, uid } = userInfo()
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    d: homedir,
    h: tokens.hostname,
    i: String(uid),
    k: tokens.alias ?? tokens.target,
    L: hostname().split('.')[0]!,
    l: hostname(),
    n: tokens.target,
    p: String(tokens.port),
    r: tokens.user,
    u: username,
  }
  return path
    .replace(/^~(?=\/|$)/, homedir)
    .replace(/\$\{(\w+)\}/g, (whole, name) => tokens.env[name] ?? whole)
    .replace(/%(.)/g, (whole, token) => values[token] ?? whole)
}
