import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { execute, output, type Ran } from '../support/execute.ts'
import { HostFiles } from '../support/host-files.ts'
import { waitFor } from '../support/wait-for.ts'

/**
 * A running Debian with systemd and sshd. `root` and `deploy` (sudo without a password) and `nosudo` (sudo asks for
 * one) log in with the key `keyFile`.
 */
export class TestHost extends HostFiles {
  readonly name: string
  readonly address: string
  readonly port = 2022
  readonly keyFile: string
  /** `<type> <base64>`, as it stands in known_hosts behind the name. */
  readonly hostKey: string
  /** What guardian.sh keeps about the host. */
  readonly #state: string

  constructor(name: string, number: number) {
    super(() => `/proc/${this.#leader()}/root`)
    this.name = name
    this.address = `127.0.1.${number}`
    this.#state = `/run/git-deploy-hosts/${number}`
    this.keyFile = `${this.#state}/operator_key`
    this.hostKey = readFileSync(`${this.#state}/host_key.pub`, 'utf8').split(' ', 2).join(' ')
  }

  /** Runs a shell command as root on the host, past sshd, in some 6 ms, and also while the host is frozen. */
  sh(command: string): Promise<Ran> {
    return execute([...this.#entry(), 'sh', '-c', command])
  }

  /** What runs a program as root on the host, past sshd: for callers who speak with it. */
  inside(program: string): readonly [string, ...string[]] {
    return [...this.#entry(), program] as unknown as readonly [string, ...string[]]
  }

  /** Stdout of a shell command that must succeed. */
  output(command: string): Promise<string> {
    return output([...this.#entry(), 'sh', '-c', command])
  }

  async unit(name: string): Promise<UnitState> {
    const shown = await this.output(
      `systemctl show --property=${Object.values(SHOWN).join(',')} -- '${name}'`,
    )
    const values = new Map(shown.split('\n').map(line => line.split(/=(.*)/, 2) as [string, string]))
    const named = Object.entries(SHOWN).map(([key, property]) => [key, values.get(property) ?? ''])
    return Object.fromEntries(named) as UnitState
  }

  /** Stops every process on the host, sshd too. The kernel, and so TCP, carries on. */
  freeze(): void {
    writeFileSync(`${this.#state}/cgroup/payload/cgroup.freeze`, '1')
  }

  thaw(): void {
    writeFileSync(`${this.#state}/cgroup/payload/cgroup.freeze`, '0')
  }

  /** Shuts down and boots again, like an operator would. */
  reboot(): Promise<void> {
    return this.#again({ keepFiles: true }, () => this.sh('systemctl reboot'))
  }

  /** Kills everything at once and boots again. What was written stays, but in an `image` only what was synced. */
  powerCut(): Promise<void> {
    writeFileSync(`${this.#state}/cut`, '')
    return this.#again({ keepFiles: true }, () => this.#kill())
  }

  /** As if just booted for the first time, in 0.3 s. Only the keys stay the same. */
  reset(): Promise<void> {
    return this.#again({ keepFiles: false }, () => this.#kill())
  }

  /** Resolves when the boot is over and sshd listens. */
  async untilUp(): Promise<void> {
    try {
      await waitFor(`${this.name} to boot`, () => this.#isUp())
    } catch (error) {
      throw new Error(`its console says:\n${readOrEmpty(`${this.#state}/console`)}`, { cause: error })
    }
  }

  async #again({ keepFiles }: { keepFiles: boolean }, goDown: () => unknown): Promise<void> {
    const before = this.#nspawn()
    if (keepFiles) writeFileSync(`${this.#state}/keep`, '')
    await goDown()
    await waitFor(`${this.name} to go down`, () => this.#nspawn() !== before)
    await this.untilUp()
  }

  #kill(): void {
    writeFileSync(`${this.#state}/cgroup/cgroup.kill`, '1')
  }

  async #isUp(): Promise<boolean> {
    if (this.#findLeader() === undefined) return false
    const { stdout } = await this.sh('systemctl is-system-running --wait')
    return /running|degraded/.test(stdout) && (await listens(this.address, this.port))
  }

  #entry(): string[] {
    const enter = [
      'nsenter',
      `--target=${this.#leader()}`,
      '--mount',
      '--uts',
      '--ipc',
      '--pid',
      '--root',
      '--wd=/',
    ]
    return [...enter, 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8']
  }

  /** A signal for its PID 1: 'SIGSTOP' makes a systemd that does not answer, until 'SIGCONT'. */
  signalSystemd(signal: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.#leader(), signal)
  }

  #leader(): number {
    const leader = this.#findLeader()
    if (leader === undefined) throw new Error(`${this.name} is down`)
    return leader
  }

  /** The host's PID 1, by its number on this machine: the child of systemd-nspawn that has become systemd. */
  #findLeader(): number | undefined {
    const nspawn = this.#nspawn()
    const children = readOrEmpty(`/proc/${nspawn}/task/${nspawn}/children`).split(' ')
    const leader = children.find(pid => readOrEmpty(`/proc/${pid}/comm`) === 'systemd\n')
    return leader === undefined ? undefined : Number(leader)
  }

  #nspawn(): string {
    return readOrEmpty(`${this.#state}/nspawn`).trim()
  }
}

export interface UnitState {
  /** `loaded`, `not-found`, `masked` … */
  readonly load: string
  readonly active: string
  readonly sub: string
  /** As `systemctl is-enabled` says; empty for a unit that does not exist. */
  readonly enabled: string
  readonly result: string
  readonly pid: string
  /** How often systemd restarted it by itself. */
  readonly restarts: string
  readonly file: string
  /** `yes` when a unit file is newer than what systemd has loaded. */
  readonly needsReload: string
}

const SHOWN: { readonly [K in keyof UnitState]: string } = {
  load: 'LoadState',
  active: 'ActiveState',
  sub: 'SubState',
  enabled: 'UnitFileState',
  result: 'Result',
  pid: 'MainPID',
  restarts: 'NRestarts',
  file: 'FragmentPath',
  needsReload: 'NeedDaemonReload',
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process, or the file, is gone: so is what it would have said
  }
}

function listens(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, address)
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
