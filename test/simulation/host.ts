/** A host in memory: a machine for the agent that can be stopped, copied, and cut off from its power, at any moment. */
import { createHash } from 'node:crypto'
import { type Files, type Machine, type Ran, SystemFailure } from '../../agent/host/machine.ts'
import { Disk, type Loss, type Order } from './disk.ts'
import { filesOn } from './disk-files.ts'
import { failed, said } from './ran.ts'
import { Systemd } from './systemd.ts'
import { type Before, watchedFiles } from './watched-files.ts'

export class SimulatedHost {
  readonly disk: Disk
  private readonly systemd: Systemd
  /** Who watches or hinders what the agent does; nobody between its runs. */
  private onCall: Before = () => {}
  private ticks: number
  private boots: number

  constructor(disk: Disk, from?: SimulatedHost) {
    this.disk = disk
    this.ticks = from?.ticks ?? 0
    this.boots = from?.boots ?? 1
    this.systemd = new Systemd(this.files(), structuredClone(from?.systemd.memory))
  }

  /** The very same host as it is now. */
  fork(): SimulatedHost {
    return new SimulatedHost(this.disk.fork(), this)
  }

  powerCut(loss: Loss): void {
    this.disk.cut(loss)
    this.boots++
    this.systemd.boot()
  }

  /** Files, links, modes and owners below `/`, and units. */
  portrait(skipped: RegExp): Portrait {
    const files = this.files()
    const found: Record<string, string> = {}
    const walk = (directory: string) => {
      for (const name of files.list(directory) ?? []) {
        const path = `${directory}/${name}`
        if (skipped.test(path)) continue
        const { kind, mode, uid, gid } = files.stat(path)!
        const content =
          kind === 'symlink' ? files.readlink(path) : Buffer.from((kind === 'file' && files.read(path)) || [])
        found[path] = kind === 'symlink' ? `-> ${content}` : `${mode.toString(8)} ${uid}:${gid} ${content}`
        if (kind === 'directory') walk(path)
      }
    }
    walk('')
    return { files: found, units: this.systemd.portrait() }
  }

  files(): Files {
    return watchedFiles(
      filesOn(this.disk, () => this.now()),
      call => this.onCall(call),
    )
  }

  /** A machine for one agent process, which `watcher` sees everything of. */
  machine(watcher: Watcher): Machine {
    const { files } = this
    this.onCall = watcher.call
    const wait = (ms: number) => {
      this.ticks += ms
    }
    return {
      root: '',
      files: files.call(this),
      input: {
        read: ms => {
          const got = watcher.read()
          if (got === 'timeout') wait(Math.min(ms, 1000))
          return got
        },
      },
      write: watcher.write,
      now: () => this.now(),
      ticks: () => this.ticks,
      sleep: wait,
      terminated: watcher.terminated,
      bootId: () => `boot ${this.boots}`,
      systemd: true,
      run: argv => {
        watcher.program(argv, 'before')
        const ran = this.systemd.run(argv) ?? OTHERS[argv[0]!]
        if (ran === undefined) throw new SystemFailure('ENOENT', `run '${argv[0]}'`)
        watcher.program(argv, 'after')
        // Programs take their time; a process that is watched needs some to be watched in.
        this.ticks += 5
        return ran
      },
      probe: place => {
        if (!this.systemd.answers(place)) throw new SystemFailure('ECONNREFUSED', 'connect')
        return ''
      },
      hasher: algorithm => {
        const hash = createHash(algorithm)
        return { update: bytes => void hash.update(bytes), digest: () => hash.digest('hex') }
      },
      // The process ends with its session: nobody else ever has it.
      lock: path => {
        this.files().append(path, 0o600)
        return true
      },
    }
  }

  /** The agent's process has ended. */
  release(): void {
    this.onCall = () => {}
  }

  private now(): number {
    return 1.7e12 + this.ticks
  }
}

/** What else there is: a command of 'validate', and one that knows no more accounts than the files. */
const OTHERS: Readonly<Record<string, Ran>> = { true: said(''), getent: failed(2, '') }

export interface Portrait {
  readonly files: Readonly<Record<string, string>>
  readonly units: Readonly<Record<string, string>>
}

/** What is on one and not, or not so, on the other: a line each. */
export function differences(found: Portrait, wanted: Portrait): string[] {
  const [a, b] = [found, wanted].map(({ files, units }): Portrait['files'] => ({ ...files, ...units }))
  return [...new Set([...Object.keys(a!), ...Object.keys(b!)])].flatMap(name =>
    a![name] === b![name] ? [] : [`${name}: found '${a![name]}', expected '${b![name]}'`],
  )
}

export interface Watcher {
  /** Ahead of each change to the disk, by the agent or by a program that it runs. */
  readonly call: Before
  readonly program: (argv: readonly string[], when: 'before' | 'after') => void
  readonly read: () => Uint8Array | 'end' | 'timeout'
  readonly write: (bytes: Uint8Array) => boolean
  readonly terminated: () => boolean
}

export interface HostOptions {
  readonly order: Order
  readonly separateVar: boolean
}

/** A Debian with nothing deployed: directories that are there, files that are adopted, accounts. */
export function makeHost(
  { order, separateVar }: HostOptions,
  files: Readonly<Record<string, string>>,
): SimulatedHost {
  const host = new SimulatedHost(new Disk(order, separateVar))
  const on = host.files()
  const makeAbove = (path: string) => {
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (parent === '') return
    makeAbove(parent)
    on.mkdir(parent, 0o755)
  }
  const plain = { '/run/.': '', '/etc/hostname': 'web1\n', '/etc/systemd/system/.': '', '/var/lib/.': '' }
  for (const [path, content] of Object.entries({ ...plain, ...files })) {
    makeAbove(path)
    if (path.endsWith('/.')) continue
    if (content.startsWith('-> ')) on.symlink(content.slice(3), path)
    else on.create(path, 0o644).write(Buffer.from(content))
  }
  for (const path of ['/', '/var', '/run']) on.syncFileSystem(path)
  host.powerCut('none')
  return host
}
