/** Drift: how a host differs from what was deployed there, as its agent finds it and an operator repairs it. */
import type { DeploymentId } from './deployment-id.ts'
import type { AppName, AppPath, HostPath, Oid, UnitName } from './names.ts'

export type Finding =
  /** A file of the version that runs, or one that should not be there. */
  | { readonly kind: 'file'; readonly app: AppName; readonly path: AppPath; readonly how: FileDrift }
  /** How many more files of the app differ: only the first are named. */
  | { readonly kind: 'more'; readonly app: AppName; readonly count: number }
  /** `current` does not lead to a version of the app. */
  | { readonly kind: 'current'; readonly app: AppName; readonly found: string | null }
  /** A deployed link that is missing, leads elsewhere, or has been replaced by something else. */
  | { readonly kind: 'link'; readonly path: HostPath; readonly how: LinkDrift }
  | { readonly kind: 'disabled'; readonly unit: UnitName; readonly state: string }
  | { readonly kind: 'unit'; readonly unit: UnitName; readonly state: string }
  /** Made by git-deploy, and no longer declared by anything that is deployed. */
  | { readonly kind: 'leftoverApp'; readonly app: AppName }
  | { readonly kind: 'leftoverLink'; readonly path: HostPath; readonly target: HostPath }
  | { readonly kind: 'leftoverUnit'; readonly unit: UnitName }
  /** An object of the deployed tree is missing from the host's store, or damaged. */
  | { readonly kind: 'object'; readonly oid: Oid }
  /** A deployment was cut off, and its journal, which says what it had done, cannot be read. */
  | { readonly kind: 'journal' }
  /** The last deployment was rolled back incompletely. */
  | { readonly kind: 'damaged'; readonly id: DeploymentId; readonly why: string }

export type FileDrift = (typeof FILE_DRIFT)[number]
export type LinkDrift = (typeof LINK_DRIFT)[number]

export const FILE_DRIFT = ['missing', 'changed', 'mode', 'owner', 'kind', 'extra'] as const
export const LINK_DRIFT = ['missing', 'elsewhere', 'foreign'] as const

/** What a repair restores: the tree says how the host should be, and this says where it is different. */
export interface Repair {
  /** Written again, and switched to. */
  readonly apps: readonly AppName[]
  readonly links: readonly HostPath[]
  readonly enable: readonly UnitName[]
  readonly restart: readonly UnitName[]
  /** Leftovers. */
  readonly goneApps: readonly AppName[]
  readonly goneLinks: readonly { readonly path: HostPath; readonly target: HostPath }[]
  readonly goneUnits: readonly UnitName[]
}

export function repairOf(findings: readonly Finding[]): Repair {
  const parts = findings.map(remedyFor)
  return {
    apps: sorted(parts.flatMap(({ apps = [] }) => apps)),
    links: sorted(parts.flatMap(({ links = [] }) => links)),
    enable: sorted(parts.flatMap(({ enable = [] }) => enable)),
    restart: sorted(parts.flatMap(({ restart = [] }) => restart)),
    goneApps: sorted(parts.flatMap(({ goneApps = [] }) => goneApps)),
    goneLinks: parts.flatMap(({ goneLinks = [] }) => goneLinks),
    goneUnits: sorted(parts.flatMap(({ goneUnits = [] }) => goneUnits)),
  }
}

function sorted<T extends string>(names: readonly T[]): T[] {
  return [...new Set(names)].sort()
}

function remedyFor<F extends Finding>(finding: F): Partial<Repair> {
  return (REMEDIES[finding.kind] as (finding: F) => Partial<Repair>)(finding)
}

const REMEDIES: {
  readonly [K in Finding['kind']]: (finding: Extract<Finding, { kind: K }>) => Partial<Repair>
} = {
  file: ({ app }) => ({ apps: [app] }),
  more: ({ app }) => ({ apps: [app] }),
  current: ({ app }) => ({ apps: [app] }),
  link: ({ path }) => ({ links: [path] }),
  disabled: ({ unit }) => ({ enable: [unit] }),
  unit: ({ unit }) => ({ restart: [unit] }),
  leftoverApp: ({ app }) => ({ goneApps: [app] }),
  leftoverLink: ({ path, target }) => ({ goneLinks: [{ path, target }] }),
  leftoverUnit: ({ unit }) => ({ goneUnits: [unit] }),
  // Every repair sends all objects again, and its success ends the damaged deployment.
  object: () => ({}),
  journal: () => ({}),
  damaged: () => ({}),
}
