/** What stands in the way of a plan, found under the lock before anything is changed. */
import type { HostState } from '../src/plan/host-state.ts'
import type { Step, StepKind } from '../src/plan/steps.ts'
import type { Adopted, Deploy, Obstacle } from '../src/protocol/messages.ts'
import type { Wanted } from './host/contents.ts'
import type { Machine } from './host/machine.ts'
import { actionFor } from './steps/actions.ts'
import { findPlaces } from './steps/link-places.ts'
import { unknownOwners } from './steps/owners.ts'
import { quadletNotes, unitObstacles } from './systemd/unit-obstacles.ts'
import { validate } from './validate.ts'

interface Preflight {
  readonly obstacles: readonly Obstacle[]
  readonly adopted: readonly Adopted[]
  readonly notes: readonly string[]
}

interface Planned {
  readonly steps: readonly Step[]
  readonly next: HostState
  readonly deploy: Deploy
  /** Asked while files are hashed that may be large. */
  readonly wanted: Wanted
}

/** Called when the version directories are written. Throws Unwanted. */
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

/** Gets the steps of all its kinds, in their order. */
type Look = (machine: Machine, steps: readonly Step[], planned: Planned) => Partial<Preflight>

/** What is checked for each kind of step, in the order of the report. */
const LOOKS: { readonly [K in StepKind]: Look } = {
  link: links,
  unlink: links,
  enable: startedUnits,
  restart: startedUnits,
  reload: startedUnits,
  checkout: owners,
  validate: (machine, steps, { deploy }) => ({ obstacles: validate(machine, steps, deploy.to) }),
  // Owners are checked with the checkout.
  sysusers: nothing,
  attributes: nothing,
  swap: nothing,
  remove: nothing,
  tmpfiles: nothing,
  daemonReload: nothing,
  // These units may be missing.
  stop: nothing,
  disable: nothing,
  settle: nothing,
  check: nothing,
}

function nothing(): Partial<Preflight> {
  return {}
}

function links(machine: Machine, links: readonly Step[], planned: Planned): Partial<Preflight> {
  const quadlets = machine.root === '' ? quadletNotes(machine.files, links) : []
  const { notes, ...found } = findPlaces({ machine, ...planned }, planned.steps)
  return { ...found, notes: [...notes, ...quadlets] }
}

function startedUnits(machine: Machine, steps: readonly Step[], { next }: Planned): Partial<Preflight> {
  const units = new Set(steps.flatMap(step => ('units' in step ? step.units : [])))
  return machine.systemd ? { obstacles: unitObstacles(machine.files, units, next) } : {}
}

/** A local host directory may lack the users: its files belong to whoever keeps it. */
function owners(machine: Machine, _: readonly Step[], { steps, next, deploy }: Planned): Partial<Preflight> {
  const unknown = unknownOwners(machine, { steps, next, commit: deploy.to })
  return machine.root === '' ? { obstacles: unknown } : { notes: unknown.map(({ what }) => what) }
}

function lackOfSystemd({ systemd, root }: Machine, { steps }: Planned): Partial<Preflight> {
  if (systemd || !steps.some(step => actionFor(step).systemd === 'required')) return {}
  if (root !== '')
    return { notes: ['a local host directory does not run units: only files and links are deployed'] }
  return {
    obstacles: [{ what: 'the plan touches units, but systemd does not run on this host', hint: null }],
  }
}
