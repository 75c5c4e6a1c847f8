import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { HostState } from '../../src/plan/host-state.ts'
import type { Oid } from '../../src/plan/names.ts'
import { SPECIAL } from '../../src/plan/special-directories.ts'
import type { Step } from '../../src/plan/steps.ts'
import type { Obstacle } from '../../src/protocol/messages.ts'
import { type Account, accountsIn } from '../host/accounts.ts'
import type { Machine } from '../host/machine.ts'
import { versionPath } from '../host/paths.ts'
import { unknownAccounts } from './attributes.ts'

interface Owning {
  readonly steps: readonly Step[]
  readonly next: HostState
  /** The commit whose versions are staged. */
  readonly commit: Oid
}

/** Users and groups of files that the host does not have, and that no step creates. */
export function unknownOwners(machine: Machine, { steps, next, commit }: Owning): Obstacle[] {
  const made = accountsMade(machine, steps, commit)
  const isMade = (account: Account) =>
    made.some(({ kind, name }) => kind === account.kind && name === account.name)
  const checkedOut = new Set<string>(steps.flatMap(step => (step.kind === 'checkout' ? [step.app] : [])))
  return next.apps
    .filter(app => checkedOut.has(app.name))
    .flatMap(app =>
      app.manifest.files.flatMap(file =>
        unknownAccounts(machine, file)
          .filter(account => !isMade(account))
          .map(({ kind, name }) => ({
            what: `'${app.name}/${file.path}' must belong to the ${kind} '${name}', which does not exist on the host`,
            hint: "install the package that creates it, or declare it in the app's 'sysusers' directory",
          })),
      ),
    )
}

function accountsMade({ files }: Machine, steps: readonly Step[], commit: Oid): Account[] {
  const apps = steps.flatMap(step => (step.kind === 'sysusers' ? step.apps : []))
  return apps.flatMap(app => {
    const directory = `${versionPath(app, commit)}/${SPECIAL.sysusers.directory}`
    return (files.list(directory) ?? []).flatMap(name => {
      const raw = files.read(`${directory}/${name}`)
      return accountsIn((raw && decodeUtf8(raw)) ?? '')
    })
  })
}
