/** The steps of a host's plan as lines, each with the app that it belongs to. */

import { attributesText } from '../../plan/attributes.ts'
import { checkText } from '../../plan/checks.ts'
import type { AppName, UnitName } from '../../plan/names.ts'
import { appBehind } from '../../plan/places.ts'
import type { HostPlan } from '../../plan/plan.ts'
import { directoriesFor, unitBehind, unitOfFile } from '../../plan/special-directories.ts'
import type { Step, StepKind, StepOf } from '../../plan/steps.ts'
import { printable, quoted } from '../clean.ts'
import { secondsOf } from './events.ts'

interface StepLine {
  /** Null where the step serves several apps, or where the plan does not tell which. */
  readonly app: AppName | null
  readonly text: string
}

/** In the order in which they are carried out. */
export function stepLines(plan: HostPlan): StepLine[] {
  const whose = owners(plan)
  return plan.steps.flatMap(step =>
    (LINES[step.kind] as (step: Step, whose: Owners) => StepLine[])(step, whose),
  )
}

const LINES: { readonly [K in StepKind]: (step: StepOf<K>, whose: Owners) => StepLine[] } = {
  // The line of the app itself says these: add, update, remove.
  checkout: () => [],
  swap: () => [],
  remove: () => [],
  validate: ({ app, argv }) => [{ app, text: `validate ${argv.map(word).join(' ')}` }],
  sysusers: ({ apps }) => apps.map(app => ({ app, text: 'create users' })),
  attributes: ({ app, files }) =>
    files.map(file => ({ app, text: `set ${attributesText(file)} on ${quoted(file.path)}` })),
  stop: ({ units }, whose) => unitLines('stop', units, whose),
  disable: ({ units }, whose) => unitLines('disable', units, whose),
  unlink: ({ path, target }) => [{ app: appBehind(target) ?? null, text: `unlink ${quoted(path)}` }],
  link: ({ path, target }) => [{ app: appBehind(target) ?? null, text: `link ${quoted(path)}` }],
  tmpfiles: ({ apps }) => apps.map(app => ({ app, text: 'create files and directories of tmpfiles.d' })),
  daemonReload: (_, whose) => [{ app: whose.files(directoriesFor('daemonReload')), text: 'daemon-reload' }],
  enable: ({ units }, whose) => unitLines('enable', units, whose),
  restart: ({ units }, whose) => unitLines('restart', units, whose),
  reload: ({ units, orRestart }, whose) => [
    ...unitLines(
      'reload',
      units.filter(unit => !orRestart.includes(unit)),
      whose,
    ),
    ...unitLines('reload or restart', orRestart, whose),
  ],
  settle: ({ units, ms }, whose) =>
    ms > UNSAID_MS
      ? unitLines('watch', units, whose).map(({ app, text }) => ({
          app,
          text: `${text} for ${secondsOf(ms)} s`,
        }))
      : [],
  check: ({ app, check }) => [{ app, text: `check ${checkText(check)}` }],
}

/** Every unit that is restarted or reloaded is watched for up to a second: those lines stand for it. */
const UNSAID_MS = 1000

/** A word of a command, in quotes where it would not read as one. */
function word(text: string): string {
  return /^[\x21\x23-\x26\x28-\x5b\x5d-\x7e]+$/.test(text) ? text : printable(JSON.stringify(text))
}

interface Owners {
  unit(unit: UnitName): AppName | null
  /** The one app in which files below the directories change. */
  files(directories: readonly string[]): AppName | null
}

/**
 * A plan names an app's units only where it links them or changes their files: the only app that changes has the rest,
 * but for units that do not run as they should, which a repair has found on the host.
 */
function owners({ apps, steps, repair }: HostPlan): Owners {
  const only = apps.length === 1 ? apps[0]!.app : null
  const found = new Set<UnitName>(repair ? [...repair.enable, ...repair.restart] : [])
  const units = new Map<UnitName, AppName | null>()
  for (const step of steps)
    if (step.kind === 'link' || step.kind === 'unlink') {
      const unit = unitBehind(step.role, step.path.slice(step.path.lastIndexOf('/') + 1))
      if (unit !== undefined) units.set(unit, appBehind(step.target) ?? null)
    }
  for (const { app, files } of apps)
    for (const { path } of files) {
      const unit = unitOfFile(path)
      if (unit !== undefined) units.set(unit, app)
    }
  return {
    unit: unit => (found.has(unit) ? null : only) ?? units.get(unit) ?? null,
    files: directories => {
      const touched = apps.filter(({ files }) =>
        files.some(({ path }) => directories.some(directory => path.startsWith(`${directory}/`))),
      )
      // A repair, too, may enable units of other apps.
      if (touched.length === 0) return repair ? null : only
      return touched.length === 1 ? touched[0]!.app : null
    },
  }
}

function unitLines(verb: string, units: readonly UnitName[], whose: Owners): StepLine[] {
  const byApp = new Map<AppName | null, UnitName[]>()
  for (const unit of units) {
    const app = whose.unit(unit)
    byApp.set(app, [...(byApp.get(app) ?? []), unit])
  }
  return [...byApp].map(([app, units]) => ({ app, text: `${verb} ${units.join(', ')}` }))
}
