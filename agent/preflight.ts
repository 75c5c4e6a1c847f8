/** What stands in the way of a plan, found under the lock before anything is changed. */
import type { HostState } from '../src/plan/host-state.ts'
import type { Step, StepKind } from '../src/plan/steps.ts'
import type { Adopted, Deploy, Obstacle } from '../src/protocol/messages.ts'
import type { Machine } from './host/machine.ts'
import { actionFor } from './steps/actions.ts'
import { findPlaces } from './steps/link-places.ts'
import { unknownOwners } from './steps/owners.ts'
import { quadletNotes, unitObstacles } from './systemd/unit-obstacles.ts'
import { validate } from './validate.ts'

interface Preflight {
  readonly obstacles: readonly Obstacle[]
  /** What links take the place of. */
  readonly adopted: readonly Adopted[]
  readonly notes: readonly string[]
}

interface Planned {
  readonly steps: readonly Step[]
  readonly next: HostState
  readonly deploy: Deploy
}

/** Looks at every step; the version directories are already written. */
export function preflight(machine: Machine, planned: Planned): Preflight {
  const found = [...new Set(Object.values(LOOKS))].map(look => {
    const steps = planned.steps.filter(({ kind }) => LOOKS[kind] === look)
    return look(machine, steps, planned)
  })
  const all = [lackOfSystemd(machine, planned), ...found]
  return {
    obstacles: all.flatMap(({ obstacles = [] }) => obstacles),
    adopted: all.flatMap(({ adopted = [] }) => adopted),
    notes: all.flatMap(({ notes = [] }) => notes),
  }
}

/** Is given the steps of all kinds that it is named for, in their order. */
type Look = (machine: Machine, steps: readonly Step[], planned: Planned) => Partial<Preflight>

/** How each kind of step is looked at, in the order in which obstacles are reported. */
const LOOKS: { readonly [K in StepKind]: Look } = {
  link: links,
  unlink: links,
  enable: startedUnits,
  restart: startedUnits,
  reload: startedUnits,
  checkout: owners,
  validate: (machine, steps, { deploy }) => ({ obstacles: validate(machine, steps, deploy.to) }),
  // Made for the owners, who are looked at.
  sysusers: nothing,
  attributes: nothing,
  swap: nothing,
  remove: nothing,
  tmpfiles: nothing,
  daemonReload: nothing,
  // Units may be gone by now.
  stop: nothing,
  disable: nothing,
  settle: nothing,
  check: nothing,
}

function nothing(): Partial<Preflight> {
  return {}
}

function links(machine: Machine, links: readonly Step[], { steps, deploy }: Planned): Partial<Preflight> {
  const notes = machine.root === '' ? quadletNotes(machine.files, links) : []
  return { ...findPlaces(machine, steps, deploy), notes }
}

function startedUnits(machine: Machine, steps: readonly Step[], { next }: Planned): Partial<Preflight> {
  const units = new Set(steps.flatMap(step => ('units' in step ? step.units : [])))
  return machine.systemd ? { obstacles: unitObstacles(machine.files, units, next) } : {}
}

/** A local host directory does not have to know the users: whoever owns it owns the files. */
function owners(machine: Machine, _: readonly Step[], { steps, next, deploy }: Planned): Partial<Preflight> {
  const unknown = unknownOwners(machine, { steps, next, commit: deploy.to })
  return machine.root === '' ? { obstacles: unknown } : { notes: unknown.map(({ what }) => what) }
}

function lackOfSystemd({ systemd, root }: Machine, { steps }: Planned): Partial<Preflight> {
  if (systemd || !steps.some(step => actionFor(step).systemd === 'required')) return {}
  if (root !== '') return { notes: ['an embedded host runs no units: files and links only'] }
  return { obstacles: [{ what: 'systemd does not run this host, and the plan touches units', hint: null }] }
}
