/** From a host's name to its address. */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { HostName } from '../../plan/names.ts'
import { type Env, HostError } from '../transport.ts'
import type { Address, Algorithms, HostKeyPolicy, Identities, SshAddress } from './address.ts'
import { every, expandPath, isOn, one, readSshConfig, type SshConfig, type Tokens } from './ssh-config.ts'

/** `url` is the setting deptool-host.<host>.url, null where there is none. Rejects with HostError. */
export async function resolveHost(host: HostName, url: string | null, env: Env): Promise<Address> {
  const local = url === null ? undefined : /^local:(\/.*)$/.exec(url)?.[1]
  if (local !== undefined) return { kind: 'local', host, root: local }
  const { target, args } = url === null ? { target: host as string, args: [] } : parseUrl(host, url)
  const config = await readSshConfig(host, [...args, '--', target], env)
  return sshAddress(host, target, args, config ?? withoutSsh(args), env)
}

interface Target {
  readonly target: string
  readonly args: readonly string[]
}

/** The address that ssh is asked about in place of the host's name, so that what is configured for it still counts. */
function parseUrl(host: HostName, url: string): Target {
  const [, user, bracketed, plain, port] = SSH_URL.exec(url) ?? []
  const target = bracketed ?? plain
  if (target === undefined || target.startsWith('-')) {
    throw new HostError(
      host,
      'unresolved',
      `cannot read the address '${url}'`,
      `set deptool-host.${host}.url to ssh://[user@]address[:port] or local:/directory`,
    )
  }
  return { target, args: [...(user ? ['-l', user] : []), ...(port ? ['-p', port] : [])] }
}

// No user or address may begin with '-' or hold anything that some shell would take for more than a letter.
const SSH_URL =
  /^ssh:\/\/(?:([\w][\w.+-]*)@)?(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.-]+))(?::(\d{1,5}))?\/?$/

/** What OpenSSH would do without any configuration. */
function withoutSsh(args: readonly string[]): SshConfig {
  const after = (flag: string) => {
    const at = args.indexOf(flag)
    return at < 0 ? [] : [args[at + 1]!]
  }
  return new Map([
    ['user', after('-l')],
    ['port', after('-p')],
    ['identityfile', ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519']],
    ['userknownhostsfile', ['~/.ssh/known_hosts']],
    ['globalknownhostsfile', ['/etc/ssh/ssh_known_hosts']],
  ])
}

function sshAddress(
  host: HostName,
  target: string,
  args: readonly string[],
  config: SshConfig,
  env: Env,
): SshAddress {
  const tokens: Tokens = {
    target,
    hostname: one(config, 'hostname') ?? target,
    port: Number(one(config, 'port') ?? 22),
    user: one(config, 'user') ?? userInfo().username,
    alias: one(config, 'hostkeyalias'),
    env,
  }
  const { hostname, port, user } = tokens
  const identities = identitiesOf(config, tokens)
  return {
    kind: 'ssh',
    host,
    target,
    args,
    forPeople: forPeople(config),
    hostname,
    port,
    user,
    family: familyOf(config),
    bindAddress: one(config, 'bindaddress'),
    connectTimeoutMs: Number(one(config, 'connecttimeout') ?? 10) * 1000,
    keepaliveMs: (Number(one(config, 'serveraliveinterval')) || KEEPALIVE_S) * 1000,
    identities,
    hostKeys: hostKeysOf(config, tokens),
    algorithms: algorithmsOf(config),
    controlPath: one(config, 'controlpath'),
    gssapi: isOn(config, 'gssapiauthentication'),
    opensshOnly: [...opensshOnly(config), ...certificates(identities)],
  }
}

/** Only where they are set: an older ssh does not know them. */
function forPeople(config: SshConfig): string[] {
  return Object.entries(FOR_PROGRAMS).flatMap(([key, value]) => {
    const set = config.get(key)?.[0]
    return set === undefined || set === value ? [] : ['-o', `${key}=${value}`]
  })
}

const FOR_PROGRAMS = { stdinnull: 'no', forkafterauthentication: 'no', sessiontype: 'default' } as const

/** A host that is silent for three of these counts as lost, and can then still be reached within its 30 s to confirm. */
const KEEPALIVE_S = 5

function familyOf(config: SshConfig): 0 | 4 | 6 {
  const family = one(config, 'addressfamily')
  return family === 'inet' ? 4 : family === 'inet6' ? 6 : 0
}

function identitiesOf(config: SshConfig, tokens: Tokens): Identities {
  return {
    files: [...new Set(every(config, 'identityfile').map(file => expandPath(file, tokens)))],
    only: isOn(config, 'identitiesonly'),
    agent: agentOf(config, tokens),
  }
}

function agentOf(config: SshConfig, tokens: Tokens): string | undefined {
  const configured = config.get('identityagent')?.[0] ?? 'SSH_AUTH_SOCK'
  if (configured.toLowerCase() === 'none') return undefined
  if (configured === 'SSH_AUTH_SOCK') return tokens.env['SSH_AUTH_SOCK']
  return configured.startsWith('$') && !configured.startsWith('${')
    ? tokens.env[configured.slice(1)]
    : expandPath(configured, tokens)
}

function hostKeysOf(config: SshConfig, tokens: Tokens): HostKeyPolicy {
  const strict = one(config, 'stricthostkeychecking') ?? 'ask'
  const files = (key: string) =>
    every(config, key).flatMap(list => list.split(' ').map(file => expandPath(file, tokens)))
  const name = (tokens.alias ?? tokens.hostname).toLowerCase()
  const plain = tokens.alias !== undefined || tokens.port === 22
  return {
    name: plain ? name : `[${name}]:${tokens.port}`,
    fallback: plain ? undefined : name,
    userFiles: files('userknownhostsfile'),
    globalFiles: files('globalknownhostsfile'),
    unknown: /^(?:yes|true)$/.test(strict) ? 'refuse' : strict === 'ask' ? 'ask' : 'accept',
    changed: /^(?:no|false|off)$/.test(strict) ? 'accept' : 'refuse',
    hashNames: isOn(config, 'hashknownhosts'),
  }
}

function algorithmsOf(config: SshConfig): Algorithms {
  const list = (key: string) => one(config, key)?.split(',')
  return {
    kex: list('kexalgorithms'),
    hostKey: list('hostkeyalgorithms'),
    cipher: list('ciphers'),
    mac: list('macs'),
    login: list('pubkeyacceptedalgorithms'),
  }
}

function opensshOnly(config: SshConfig): string[] {
  const set = ONLY_OPENSSH.filter(key => one(config, key) !== undefined)
  const on = ONLY_OPENSSH_WHEN_ON.filter(key => isOn(config, key))
  const keyless = /^(?:no|false)$/.test(one(config, 'pubkeyauthentication') ?? '')
  const large = (one(config, 'requiredrsasize') ?? REQUIRED_RSA_SIZE) !== REQUIRED_RSA_SIZE
  return [...set, ...on, ...(keyless ? ['pubkeyauthentication'] : []), ...(large ? ['requiredrsasize'] : [])]
}

const ONLY_OPENSSH = [
  'proxyjump',
  'proxycommand',
  'certificatefile',
  'pkcs11provider',
  'knownhostscommand',
  'revokedhostkeys',
  'bindinterface',
  'preferredauthentications',
]
/** As ssh has it where nothing is said; ssh2 takes keys of any size. */
const REQUIRED_RSA_SIZE = '1024'

const ONLY_OPENSSH_WHEN_ON = ['hostbasedauthentication', 'verifyhostkeydns', 'proxyusefdpass']

/** ssh takes a certificate beside a key without being told. */
function certificates(identities: Identities): string[] {
  return identities.files.some(file => existsSync(`${file}-cert.pub`)) ? ['certificatefile'] : []
}
