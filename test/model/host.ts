/** A host that is a directory, with a modelled systemd, and all that can be seen of it. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Files } from '../../agent/host/machine.ts'
import { nodeMachine } from '../support/node-machine.ts'
import { DISTRIBUTION } from './declared.ts'
import type { Portrait } from './expected.ts'
import type { Fault } from './fault.ts'
import { boot, readSystemd } from './memory.ts'
import { AGENT } from './program.ts'

const BASE = '/var/lib/deptool'
const STORE = `${BASE}/store`
const FAULT = '/run/model/fault'

export const DISTRIBUTION_UNIT = '[Service]\nType=notify\n[Install]\nWantedBy=multi-user.target\n'

export class Host {
  readonly root: string
  readonly #files: Files

  constructor(root: string) {
    this.root = root
    this.#files = nodeMachine({ root }).files
    for (const directory of ['etc/systemd/system', 'etc/dir', 'var/lib', 'run/model'])
      mkdirSync(join(root, directory), { recursive: true })
    this.put('/etc/hostname', 'web1\n')
    this.put('/etc/passwd', 'root:x:0:0::/:/bin/sh\napp:x:4242:4343::/:/bin/sh\n')
    this.put('/etc/group', 'root:x:0:\napp:x:4343:\n')
    this.put(`/usr/lib/systemd/system/${DISTRIBUTION}`, DISTRIBUTION_UNIT)
    this.put('/usr/lib/systemd/system-generators/podman-system-generator', '')
    this.put('/etc/systemd/system/other.service', '[Service]\n')
    this.put('/run/model/boot', '0')
  }

  /** A file, or a link. */
  put(path: string, content: string | { readonly symlink: string }): void {
    const at = join(this.root, path)
    mkdirSync(dirname(at), { recursive: true })
    rmSync(at, { force: true })
    if (typeof content === 'string') writeFileSync(at, content)
    else symlinkSync(content.symlink, at)
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true })
  }

  has(path: string): boolean {
    return lstatSync(join(this.root, path), { throwIfNoEntry: false }) !== undefined
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8')
  }

  readlink(path: string): string {
    return readlinkSync(join(this.root, path))
  }

  list(path: string): string[] {
    const at = join(this.root, path)
    return existsSync(at) ? readdirSync(at).sort() : []
  }

  /** The commit that holds; null before the first. */
  get current(): string | null {
    const ref = `${STORE}/refs/deptool/current`
    return this.has(ref) ? this.read(ref).trim() : null
  }

  get store(): string {
    return join(this.root, STORE)
  }

  setFault(fault: Fault | undefined): void {
    if (fault) this.put(FAULT, JSON.stringify(fault))
  }

  /** Whether it has struck. */
  clearFault(): boolean {
    const struck = !this.has(FAULT)
    rmSync(join(this.root, FAULT), { force: true })
    return struck
  }

  /** Off and on again. */
  reboot(): void {
    this.put('/run/model/boot', String(Number(this.read('/run/model/boot')) + 1))
    boot(this.#files)
  }

  /** User names with their ids. */
  get ids(): Map<string, number> {
    const lines = this.read('/etc/passwd').split('\n').slice(0, -1)
    return new Map(lines.map(line => [line.split(':')[0]!, Number(line.split(':')[2])]))
  }

  /** What runs, by unit: what it was started with, and the configuration that it has read. */
  running(): Portrait {
    const { units } = readSystemd(this.#files).memory
    return Object.fromEntries(
      Object.entries(units).map(([name, { active, failsIn, started, read }]) => [
        name,
        `${started} / ${read}${failsIn > 0 ? ' (failing)' : active === 'failed' ? ' (failed)' : ''}`,
      ]),
    )
  }

  /** Every path, as expected.ts has it; of our own directory what runs, and what should not be there. */
  portrait(): Portrait {
    const portrait: Portrait = {}
    const walk = (path: string) => {
      const names = this.list(path)
      if (names.length === 0 && !ROOMS.test(path)) portrait[path] = 'empty directory'
      for (const name of names) {
        const below = `${path}/${name}`
        if (OWN.test(below)) continue
        const stat = lstatSync(join(this.root, below))
        if (/^\/var\/lib\/deptool\/apps\/[^/]+$/.test(below) && stat.isDirectory())
          this.#app(below, portrait, walk)
        else if (stat.isDirectory()) walk(below)
        else portrait[below] = this.#shown(below)
      }
    }
    walk('')
    return portrait
  }

  /** The version that runs is shown as `current/…`; of the others only what should not be there. */
  #app(app: string, portrait: Portrait, walk: (path: string) => void): void {
    const versions = ['current', 'previous'].flatMap(link =>
      this.has(`${app}/${link}`) ? [this.readlink(`${app}/${link}`)] : [],
    )
    const [current = ''] = versions
    if (!this.has(`${app}/current`)) portrait[app] = 'an app that does not run'
    for (const name of this.list(app))
      if (!VERSION.test(name) && !['current', 'previous'].includes(name))
        portrait[`${app}/${name}`] = 'is none of ours'
      else if (VERSION.test(name) && !versions.includes(name))
        portrait[`${app}/${name}`] = 'a version of no use'
    for (const version of versions)
      if (!VERSION.test(version) || !this.has(`${app}/${version}`)) portrait[app] = `leads to ${version}`
    const inside: Portrait = {}
    const walkApp = (path: string) => {
      for (const name of this.list(path)) {
        const below = `${path}/${name}`
        if (lstatSync(join(this.root, below)).isDirectory()) walkApp(below)
        else inside[below.replace(`/${current}/`, '/current/')] = this.#shown(below)
      }
    }
    if (VERSION.test(current)) walkApp(`${app}/${current}`)
    else walk(app)
    Object.assign(portrait, inside)
  }

  #shown(path: string): string {
    const stat = lstatSync(join(this.root, path))
    if (stat.isSymbolicLink()) return `-> ${this.readlink(path)}`
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0')
    return `${mode} ${stat.uid}:${stat.gid} ${this.read(path)}`
  }

  /** Waits until no agent is at work. An operator's side that was killed leaves one behind. */
  async untilQuiet(): Promise<void> {
    while (this.#agents() > 0) await new Promise(resolve => setTimeout(resolve, 5))
  }

  #agents(): number {
    return readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && this.#isAgent(pid)).length
  }

  #isAgent(pid: string): boolean {
    try {
      if (readlinkSync(`/proc/${pid}/exe`) !== AGENT) return false
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`DEPTOOL_ROOT=${this.root}`)
    } catch {
      // It has ended meanwhile, or is a kernel thread.
      return false
    }
  }
}

const VERSION = /^[0-9a-f]{10}$/

/** The kernel's, systemd's, and of our own what expected.ts does not tell. */
const OWN = /^\/(?:run|etc\/passwd|etc\/group|var\/lib\/deptool\/(?:store|log|lock|inventory|backup))$/

/** Made where they are missing, and kept when they are empty. */
const ROOMS =
  /^\/(?:etc|etc\/dir|etc\/containers|etc\/containers\/systemd|etc\/(?:sysusers|tmpfiles)\.d|etc\/systemd\/system(?:\/[a-z-]+\.target\.wants)?|var\/lib|var\/lib\/deptool|var\/lib\/deptool\/apps)$/
