/** Versions of apps that processes hold on to: `current` leads to one version at the moment when it is followed. */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { UnitName } from '../../src/plan/names.ts'
import { APPS, currentOf } from '../../src/plan/places.ts'
import { followed } from '../host/files.ts'
import { type Files, type Machine, SystemFailure } from '../host/machine.ts'
import { isVersion } from '../host/paths.ts'
import { showProperties } from './systemd.ts'

interface Hold {
  readonly app: string
  readonly version: string
  readonly how: 'works in' | 'mounts'
  /** The directory that the process works in, or where the version is mounted. */
  readonly where: string
}

interface Outdated {
  readonly unit: UnitName
  readonly how: string
}

/** The units that still use an old version of an app, and how. */
export function findOutdated(machine: Machine, units: readonly UnitName[]): Outdated[] {
  if (units.length === 0) return []
  const blocks = showProperties(machine, ['MainPID', 'ControlGroup'], units).trim().split('\n\n')
  return units.flatMap((unit, i) => {
    const how = oldVersionOf(machine.files, blocks[i] ?? '')
    return how === undefined ? [] : [{ unit, how }]
  })
}

function oldVersionOf(files: Files, shown: string): string | undefined {
  const [, main = '0'] = /^MainPID=(\d+)$/m.exec(shown) ?? []
  const [, group = ''] = /^ControlGroup=(.*)$/m.exec(shown) ?? []
  // Workers that finish what they have begun may keep the old version. Containers have groups of their own.
  const pids = [...(main === '0' ? [] : [main]), ...containersIn(files, group)]
  const old = holdsOf(files, pids).find(({ app, version }) => files.readlink(currentOf(app)) !== version)
  return old && `still ${old.how} the old version (${old.where})`
}

/** `<app>/<version>` of each version that some process of the host holds on to. */
export function versionsInUse(files: Files): ReadonlySet<string> {
  const pids = (files.list('/proc') ?? []).filter(name => /^\d+$/.test(name))
  return new Set(holdsOf(files, pids).map(({ app, version }) => `${app}/${version}`))
}

function holdsOf(files: Files, pids: readonly string[]): Hold[] {
  const apps = followed(files, APPS)
  const device = deviceOf(files, apps)
  const seen = new Set<string>()
  return pids.flatMap(pid => {
    // Not the program itself: it is the same file in each version that does not change it.
    const places = ['cwd', 'root'].map(link => linkOf(files, `/proc/${pid}/${link}`) ?? '')
    const works = places.flatMap(where => holdAt(where, apps, 'works in', where))
    // Most processes share a few mount namespaces.
    const namespace = linkOf(files, `/proc/${pid}/ns/mnt`)
    if (namespace === undefined || seen.has(namespace)) return works
    seen.add(namespace)
    const mounts = mountsIn(files, pid).filter(mount => mount.device === device?.id)
    return [...works, ...mounts.flatMap(({ root, at }) => holdAt(root, device!.apps, 'mounts', at))]
  })
}

/** The kernel adds a mark to what was removed. */
function holdAt(path: string, apps: string, how: Hold['how'], where: string): Hold[] {
  if (!path.startsWith(`${apps}/`)) return []
  const [app = '', version = ''] = path
    .replace(/(?: \(deleted\)|\/\/deleted)$/, '')
    .slice(apps.length + 1)
    .split('/')
  return isVersion(version) ? [{ app, version, how, where }] : []
}

interface Mount {
  /** The device of the file system. */
  readonly device: string
  /** The directory of the file system that is mounted, and where. */
  readonly root: string
  readonly at: string
}

/** The file system that has the apps, and their directory in it. */
function deviceOf(files: Files, apps: string): { readonly id: string; readonly apps: string } | undefined {
  const [mount] = mountsIn(files, 'self')
    .filter(({ at }) => at === '/' || apps === at || apps.startsWith(`${at}/`))
    .sort((a, b) => b.at.length - a.at.length)
  if (mount === undefined) return undefined
  const [root, at] = [mount.root, mount.at].map(path => path.replace(/\/$/, '')) as [string, string]
  return { id: mount.device, apps: root + apps.slice(at.length) }
}

/** proc_pid_mountinfo(5): id, parent, device, root, mount point, … */
function mountsIn(files: Files, pid: string): Mount[] {
  const raw = quietly(() => files.read(`/proc/${pid}/mountinfo`))
  const lines = raw === undefined ? [] : (decodeUtf8(raw) ?? '').split('\n')
  return lines.flatMap(line => {
    const [, , device, root, at] = line.split(' ')
    return device === undefined || root === undefined || at === undefined ? [] : [{ device, root, at }]
  })
}

/** The processes in the control groups below that of a unit. */
function containersIn(files: Files, group: string): string[] {
  if (group === '') return []
  const top = HIERARCHIES.map(hierarchy => hierarchy + group).find(path => files.stat(path))
  const below = (path: string): string[] =>
    (files.list(path) ?? [])
      .map(name => `${path}/${name}`)
      .filter(path => files.stat(path)?.kind === 'directory')
      .flatMap(path => {
        const raw = quietly(() => files.read(`${path}/cgroup.procs`))
        return [...((raw && decodeUtf8(raw)) ?? '').split('\n').filter(Boolean), ...below(path)]
      })
  return top === undefined ? [] : below(top)
}

/** Version 2, and version 1 with and without a version 2 beside it. */
const HIERARCHIES = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd']

function linkOf(files: Files, path: string): string | undefined {
  return quietly(() => files.readlink(path))
}

/** The process may have ended, and a container may not let us look. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof SystemFailure) return undefined
    throw error
  }
}
