import type { AppName } from '../../src/plan/names.ts'
import type { SpecialRole } from '../../src/plan/places.ts'
import { SPECIAL } from '../../src/plan/special-directories.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { versionPath } from '../host/paths.ts'
import { SystemdFailure } from '../systemd/systemd.ts'
import { type Action, type Context, leavesNothing, noNames } from './action.ts'

export const sysusersAction: Action<StepOf<'sysusers'>> = {
  systemd: 'required',
  before: () => ({ kind: 'nothing' }),
  run: ({ apps }, context) => provide(['systemd-sysusers'], filesFor('sysusers', apps, context), context),
  // Users remain: files may belong to them by now, and systemd-sysusers(8) removes none.
  undo() {},
  // passwd, group and their shadow files are replaced.
  touches: () => ['/etc'],
  leaves: leavesNothing,
}

export const tmpfilesAction: Action<StepOf<'tmpfiles'>> = {
  systemd: 'required',
  before: () => ({ kind: 'nothing' }),
  run: ({ apps }, context) =>
    provide(['systemd-tmpfiles', '--create'], filesFor('tmpfiles', apps, context), context),
  // These may contain data by now, and what was there before is not known.
  undo() {},
  touches: noNames,
  leaves: leavesNothing,
}

/** Only the apps' own files: others in the host's directories are not part of this deployment. */
function filesFor(role: SpecialRole, apps: readonly AppName[], { machine, header }: Context): string[] {
  const { directory, takes } = SPECIAL[role]
  return apps.flatMap(app => {
    const path = `${versionPath(app, header.to)}/${directory}`
    return (machine.files.list(path) ?? []).filter(takes).map(name => `${path}/${name}`)
  })
}

function provide(command: readonly string[], files: readonly string[], { machine }: Context): void {
  const ran = machine.run([...command, ...files])
  if (ran.code !== 0)
    throw new SystemdFailure(`${command[0]}: ${ran.stderr.trim() || `exit code ${ran.code}`}`)
}
