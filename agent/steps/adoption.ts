/** What a link would take the place of. */
import { attributesOf, attributesText, type FileAttributes } from '../../src/plan/attributes.ts'
import type { HostState } from '../../src/plan/host-state.ts'
import type { AppPath, HostPath } from '../../src/plan/names.ts'
import { APPS, appBehind, currentOf } from '../../src/plan/places.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import type { Deploy, Obstacle } from '../../src/protocol/messages.ts'
import { accountName } from '../host/accounts.ts'
import { hashIfSized, type Named, type Wanted } from '../host/contents.ts'
import type { Files, Machine, Stat } from '../host/machine.ts'
import { baseOf, versionName } from '../host/paths.ts'
import type { Reached } from '../host/way.ts'
import { whyNotKept } from './backup.ts'

export interface Prospect {
  readonly machine: Machine
  readonly deploy: Deploy
  readonly next: HostState
  readonly wanted: Wanted
}

/** Free, or ours already; something that may be adopted; in the way. */
type Occupant = 'none' | { readonly differs: boolean } | Obstacle

/** Looks at what has the link's name in the directory. */
export function occupantOf(prospect: Prospect, step: StepOf<'link'>, reached: Reached): Occupant {
  const name = baseOf(step.path)
  const stat = reached.directory.stat(name)
  if (stat === undefined) return 'none'
  if (stat.kind === 'symlink')
    return occupyingLink(step.path, reached.directory.readlink(name) ?? '', prospect.deploy.adopt)
  if (stat.kind === 'file') return occupyingFile(prospect, step, reached, stat)
  const what = `'${step.path}' exists and is a ${stat.kind === 'directory' ? 'directory' : 'special file'}`
  return { what, hint: 'move it away, or put its contents into the config tree' }
}

function occupyingLink(path: HostPath, target: string, adopt: boolean): Occupant {
  if (target.startsWith(`${APPS}/`)) return 'none'
  if (target === '/dev/null')
    return {
      what: `'${path}' is masked: a link to '/dev/null'`,
      hint: "run 'systemctl unmask' on the host first; --adopt does not replace it",
    }
  if (adopt) return { differs: true }
  return {
    what: `'${path}' is a link to '${target}' that git-deploy did not make`,
    hint: 'use --adopt to replace it; a backup is kept',
  }
}

function occupyingFile(
  prospect: Prospect,
  { path, target }: StepOf<'link'>,
  { directory, stranger }: Reached,
  stat: Stat,
): Occupant {
  const { machine, deploy, next } = prospect
  const why = stranger ? whyNotKept(machine, stat) : undefined
  if (why !== undefined) return { what: `'${path}' ${why}`, hint: 'move it away' }
  const staged = stagedPath(machine.files, target, versionName(deploy.to))
  const ours = machine.files.stat(staged)
  if (!sameContent(prospect, { names: directory, name: baseOf(path) }, staged, ours))
    return deploy.adopt ? { differs: true } : differs(path, stat.size, ours?.size)
  const lost = attributesLost(machine, stat, ours!, declared(next, target))
  if (lost === undefined) return { differs: false }
  return deploy.adopt ? { differs: true } : attributesDiffer(machine, path, stat, ours!, lost)
}

/** The link's target as it will be: `current` is still the version that runs, and stays it where only links are mended. */
function stagedPath(files: Files, target: HostPath, version: string): string {
  const next = target.replace(/\/current\/.*/s, `/${version}`)
  return files.stat(next) ? target.replace('/current/', `/${version}/`) : target
}

/** The sizes are compared first. The file's may change meanwhile: no more of it is read than ours has. */
function sameContent({ machine, wanted }: Prospect, there: Named, staged: string, ours: Stat | undefined) {
  if (ours?.kind !== 'file' || there.names.stat(there.name)?.size !== ours.size) return false
  const hash = (file: Named) => {
    const hasher = machine.hasher('sha256')
    return hashIfSized(file, ours.size, hasher, wanted) ? hasher.digest() : undefined
  }
  const found = hash(there)
  return found !== undefined && found === hash({ names: machine.files, name: staged })
}

function differs(path: HostPath, there: number, ours: number | undefined): Obstacle {
  const sizes =
    ours === undefined
      ? 'the target is a directory'
      : there === ours
        ? `both have ${there} bytes`
        : `it has ${there} bytes, the target ${ours}`
  return {
    what: `'${path}' exists and differs from the target of the new link: ${sizes}`,
    hint: 'use --adopt to replace it; a backup is kept',
  }
}

/** What the manifest says of the link's source; its path. */
function declared({ apps }: HostState, target: HostPath): FileAttributes {
  const app = apps.find(({ name }) => name === appBehind(target))
  const path = target.slice(currentOf(app?.name ?? '').length + 1) as AppPath
  return attributesOf(app?.manifest.files ?? [], path) ?? { path, mode: null, owner: null, group: null }
}

/** Mode and owner that a file would lose without anybody having said so; undefined where it keeps them. */
function attributesLost(
  machine: Machine,
  there: Stat,
  ours: Stat,
  { path, mode, owner, group }: FileAttributes,
): FileAttributes | undefined {
  const name = (kind: 'user' | 'group', id: number) => accountName(machine, { kind, id })
  const lost = {
    path,
    mode: mode === null && there.mode !== ours.mode ? there.mode & 0o777 : null,
    owner: owner === null && there.uid !== ours.uid ? name('user', there.uid) : null,
    group: group === null && there.gid !== ours.gid ? name('group', there.gid) : null,
  }
  return attributesText(lost) === '' ? undefined : lost
}

function attributesDiffer(
  machine: Machine,
  path: HostPath,
  there: Stat,
  ours: Stat,
  lost: FileAttributes,
): Obstacle {
  const text = ({ mode, uid, gid }: Stat) =>
    attributesText({
      path: lost.path,
      mode,
      owner: accountName(machine, { kind: 'user', id: uid }),
      group: accountName(machine, { kind: 'group', id: gid }),
    })
  const entry = [
    ...(lost.mode === null ? [] : [`"mode": "${lost.mode.toString(8).padStart(4, '0')}"`]),
    ...(lost.owner === null ? [] : [`"owner": "${lost.owner}"`]),
    ...(lost.group === null ? [] : [`"group": "${lost.group}"`]),
  ]
  return {
    what: `'${path}' has the same content as the target of the new link, but is ${text(there)}, not ${text(ours)}`,
    hint: `to keep that, add "files": { "${lost.path}": { ${entry.join(', ')} } } to the manifest; to replace it, use --adopt`,
  }
}
