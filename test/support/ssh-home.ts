import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Gives an operator's home directory the SSH configuration that a person with these hosts would have. */
export function writeSshHome(home: string, hosts: readonly SshHost[]): void {
  const folder = join(home, '.ssh')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'config'), [...hosts.map(host => entry(host)), everyHost(folder)].join('\n'))
  writeFileSync(join(folder, 'known_hosts'), hosts.map(knownHost).join(''))
  writeSshProgram(join(home, 'bin'), join(folder, 'config'))
}

export interface SshHost {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly keyFile: string
  readonly hostKey: string
  /** `root` unless given. */
  readonly user?: string
}

function entry({ name, address, port, keyFile, user = 'root' }: SshHost): string {
  return `Host ${name}
  HostName ${address}
  Port ${port}
  User ${user}
  IdentityFile ${keyFile}
`
}

function everyHost(folder: string): string {
  return `Host *
  IdentitiesOnly yes
  UserKnownHostsFile ${join(folder, 'known_hosts')}
  GlobalKnownHostsFile /dev/null
`
}

function knownHost({ address, port, hostKey }: SshHost): string {
  return `[${address}]:${port} ${hostKey}\n`
}

/** ssh finds its configuration by the user database, not by $HOME: only an `ssh` of our own can tell it where. */
function writeSshProgram(bin: string, config: string): void {
  mkdirSync(bin, { recursive: true })
  const program = join(bin, 'ssh')
  writeFileSync(program, `#!/bin/sh\nPATH=\${PATH#*${bin}:}\nexec ssh -F '${config}' "$@"\n`)
  chmodSync(program, 0o755)
}
