/**
 * What a deployment does on a host is one ordered list of steps. The plan prints it and the digest hashes it; the agent
 * derives it again from the same two trees, takes the steps, and undoes them in reverse.
 */
import type { FileAttributes } from './attributes.ts'
import type { Check } from './checks.ts'
import type { AppName, HostPath, Oid, UnitName } from './names.ts'
import type { LinkRole } from './places.ts'

export type Step =
  /** Write the app's version directory, beside the running one. */
  | { readonly kind: 'checkout'; readonly app: AppName; readonly tree: Oid }
  /** Run the command in the new version directory, while staging. */
  | { readonly kind: 'validate'; readonly app: AppName; readonly argv: readonly string[] }
  /** Create the users of the apps' new versions. */
  | { readonly kind: 'sysusers'; readonly apps: readonly AppName[] }
  /** Set modes and owners in the new version directory, of files that are new or changed or whose attributes are. */
  | { readonly kind: 'attributes'; readonly app: AppName; readonly files: readonly FileAttributes[] }
  | { readonly kind: 'stop'; readonly units: readonly UnitName[] }
  | { readonly kind: 'disable'; readonly units: readonly UnitName[] }
  /** Point `current` at the version that was checked out. */
  | { readonly kind: 'swap'; readonly app: AppName }
  /** Remove `current` and `previous`; the versions are collected when the deployment is confirmed. */
  | { readonly kind: 'remove'; readonly app: AppName }
  | { readonly kind: 'unlink'; readonly path: HostPath; readonly target: HostPath; readonly role: LinkRole }
  | { readonly kind: 'link'; readonly path: HostPath; readonly target: HostPath; readonly role: LinkRole }
  | { readonly kind: 'tmpfiles'; readonly apps: readonly AppName[] }
  | { readonly kind: 'daemonReload' }
  | { readonly kind: 'enable'; readonly units: readonly UnitName[] }
  | { readonly kind: 'restart'; readonly units: readonly UnitName[] }
  | {
      readonly kind: 'reload'
      readonly units: readonly UnitName[]
      /** Those whose files the host has: systemd restarts them if they cannot be reloaded. */
      readonly orRestart: readonly UnitName[]
    }
  /** Watch the units for up to `ms` milliseconds. */
  | {
      readonly kind: 'settle'
      readonly units: readonly UnitName[]
      readonly ms: number
      /** Those that are watched for so long whatever they report. The others may report that they are ready. */
      readonly always: readonly UnitName[]
      /** Those that are reloaded, which takes effect some time after they have reported it. */
      readonly reloaded: readonly UnitName[]
    }
  /** Repeat it until it passes; if it does not, the app's units are reported. */
  | {
      readonly kind: 'check'
      readonly app: AppName
      readonly check: Check
      readonly units: readonly UnitName[]
    }

export type StepKind = Step['kind']
/** The kinds of steps that have the field. */
export type KindWith<F extends string> = Extract<Step, { readonly [P in F]: unknown }>['kind']
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>
