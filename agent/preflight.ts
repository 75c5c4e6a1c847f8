/** What stands in the way of a plan, found under the lock before anything is changed. */
import { decodeUtf8 } from '../src/plan/bytes.ts'
import type { HostState } from '../src/plan/host-state.ts'
import type { Step } from '../src/plan/steps.ts'
import type { Adopted, Deploy, Obstacle } from '../src/protocol/messages.ts'
import { type Account, accountsIn } from './host/accounts.ts'
import type { Machine } from './host/machine.ts'
import { versionPath } from './host/paths.ts'
import { actionFor } from './steps/actions.ts'
import { unknownAccounts } from './steps/attributes.ts'
import { findPlaces } from './steps/link-places.ts'
import { quadletNotes, unitObstacles } from './systemd/unit-obstacles.ts'
import { validate } from './validate.ts'

export interface Preflight {
  readonly obstacles: readonly Obstacle[]
  /** What links take the place of. */
  readonly adopted: readonly Adopted[]
  readonly notes: readonly string[]
}

export interface Prospect {
  readonly steps: readonly Step[]
  readonly next: HostState
  readonly deploy: Deploy
}

/** Looks at every step; the version directories are already written. */
export function preflight(machine: Machine, { steps, next, deploy }: Prospect): Preflight {
  const { obstacles, adopted } = findPlaces(machine, steps, deploy)
  const strangers = unknownOwners(machine, { steps, next, deploy })
  const needsSystemd = steps.some(step => actionFor(step).systemd === 'required')
  const embedded = machine.root !== ''
  return {
    obstacles: [
      ...obstacles,
      ...(machine.systemd ? unitObstacles(machine.files, steps, next) : []),
      ...(embedded ? [] : strangers),
      ...(needsSystemd && !machine.systemd && !embedded
        ? [{ what: 'systemd does not run this host, and the plan touches units', hint: null }]
        : []),
      ...validate(machine, steps, deploy.to),
    ],
    adopted,
    notes: [
      ...(needsSystemd && embedded ? ['an embedded host runs no units: files and links only'] : []),
      ...(embedded ? strangers.map(({ what }) => what) : quadletNotes(machine.files, steps)),
    ],
  }
}

/** Users and groups that files are to belong to, and that neither are there nor will be made. */
function unknownOwners(machine: Machine, { steps, next, deploy }: Prospect): Obstacle[] {
  const promised = promisedAccounts(machine, steps, deploy)
  const isPromised = (account: Account) =>
    promised.some(({ kind, name }) => kind === account.kind && name === account.name)
  const checkedOut = new Set<string>(steps.flatMap(step => (step.kind === 'checkout' ? [step.app] : [])))
  return next.apps
    .filter(app => checkedOut.has(app.name))
    .flatMap(app =>
      app.manifest.files.flatMap(file =>
        unknownAccounts(machine, file)
          .filter(account => !isPromised(account))
          .map(({ kind, name }) => ({
            what: `'${app.name}/${file.path}' belongs to the ${kind} '${name}', which the host does not have`,
            hint: "install the package that makes it, or describe it in the app's 'sysusers' directory",
          })),
      ),
    )
}

function promisedAccounts({ files }: Machine, steps: readonly Step[], { to }: Deploy): Account[] {
  return steps.flatMap(step =>
    step.kind === 'sysusers'
      ? step.apps.flatMap(app => {
          const directory = `${versionPath(app, to)}/sysusers`
          return (files.list(directory) ?? []).flatMap(name => {
            const raw = files.read(`${directory}/${name}`)
            return accountsIn((raw && decodeUtf8(raw)) ?? '')
          })
        })
      : [],
  )
}
