/** The steps that make what an app needs beside its files: users, and directories such as those in /run. */
import type { AppName } from '../../src/plan/names.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { versionPath } from '../host/paths.ts'
import { SystemdFailure } from '../systemd/systemd.ts'
import { type Action, type Context, leavesNothing, noNames } from './action.ts'

export const sysusersAction: Action<StepOf<'sysusers'>> = {
  systemd: 'required',
  before: () => ({ kind: 'nothing' }),
  run: ({ apps }, context) => provide(['systemd-sysusers'], filesIn('sysusers', apps, context), context),
  // Users stay: files may belong to them by now, and sysusers.d(5) has no way back.
  undo() {},
  // passwd, group and their shadows are replaced by rename.
  touches: () => ['/etc'],
  leaves: leavesNothing,
}

export const tmpfilesAction: Action<StepOf<'tmpfiles'>> = {
  systemd: 'required',
  before: () => ({ kind: 'nothing' }),
  run: ({ apps }, context) =>
    provide(['systemd-tmpfiles', '--create'], filesIn('tmpfiles', apps, context), context),
  // What was made may hold data by now, and tmpfiles.d(5) does not tell what was there before.
  undo() {},
  touches: noNames,
  leaves: leavesNothing,
}

/** Ours only, by their paths: whatever else the host has in these directories is not this deployment's matter. */
function filesIn(directory: string, apps: readonly AppName[], { machine, header }: Context): string[] {
  return apps.flatMap(app => {
    const path = `${versionPath(app, header.to)}/${directory}`
    return (machine.files.list(path) ?? [])
      .filter(name => name.endsWith('.conf'))
      .map(name => `${path}/${name}`)
  })
}

function provide(command: readonly string[], files: readonly string[], { machine }: Context): void {
  const ran = machine.run([...command, ...files])
  if (ran.code !== 0)
    throw new SystemdFailure(`${command[0]}: ${ran.stderr.trim() || `exit status ${ran.code}`}`)
}
