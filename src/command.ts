/** What the operator asked for: what the command line becomes (cli/), and each of commands/ takes. */
import type { Selection } from './plan/select.ts'
import type { Batch } from './plan/waves.ts'

export type Command =
  | ({
      readonly kind: 'deploy'
      readonly cluster: string | null
      readonly rev: string | null
      readonly selection: Selection
      /** Also the apps of hosts that have left the tree. */
      readonly prune: boolean
      /** Also where it takes back what others have deployed. */
      readonly force: boolean
      /** Brings back what was deployed, where a host has drifted from it. */
      readonly repair: boolean
    } & DeployOptions)
  | {
      readonly kind: 'plan'
      readonly cluster: string | null
      readonly rev: string | null
      readonly selection: Selection
      readonly exitCode: boolean
      /** Where to save the plan; '-' is stdout. */
      readonly output: string | null
      /** A line for each host. */
      readonly short: boolean
      readonly prune: boolean
      readonly verbose: boolean
      readonly color: ColorWhen | null
    }
  | {
      readonly kind: 'diff'
      readonly cluster: string | null
      readonly rev: string | null
      readonly prune: boolean
      readonly selection: Selection
      /** Options for git diff, as they were given. */
      readonly options: readonly string[]
      readonly paths: readonly string[]
    }
  | {
      readonly kind: 'verify'
      readonly cluster: string | null
      readonly selection: Selection
      readonly color: ColorWhen | null
    }
  | {
      readonly kind: 'sync'
      readonly cluster: string | null
      readonly selection: Selection
      /** Only hosts that are not where they were. */
      readonly changed: boolean
      readonly color: ColorWhen | null
    }
  | {
      readonly kind: 'ping'
      readonly cluster: string | null
      readonly selection: Selection
      readonly color: ColorWhen | null
    }
  | {
      readonly kind: 'log'
      /** Or ids of deployments. */
      readonly hosts: readonly string[]
      /** How many deployments are shown; null for all. */
      readonly count: number | null
      readonly selection: Selection
      readonly color: ColorWhen | null
    }
  | ({
      readonly kind: 'rollback'
      /** Or the id of a deployment; empty for the newest. */
      readonly hosts: readonly string[]
      readonly selection: Selection
    } & DeployOptions)
  | { readonly kind: 'forget'; readonly hosts: readonly string[] }
  | {
      readonly kind: 'status'
      readonly cluster: string | null
      readonly selection: Selection
      readonly porcelain: boolean
      readonly color: ColorWhen | null
    }
  | ({
      readonly kind: 'apply'
      /** A saved plan; '-' is stdin. */
      readonly file: string
    } & DeployOptions)
  | {
      readonly kind: 'check'
      readonly cluster: string | null
      readonly rev: string | null
      /** What the next commit would have, instead of what is on disk. */
      readonly staged: boolean
      readonly color: ColorWhen | null
    }
  | { readonly kind: 'init'; readonly cluster: string | null }
  | { readonly kind: 'hooks'; readonly action: 'install' | 'uninstall' | 'list' | 'post-commit' }
  | { readonly kind: 'completion'; readonly shell: 'bash' | 'zsh' }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'misuse'
      readonly message: string
      readonly hint: string | null
      readonly usage: string
    }

/** What can be completed behind a command. */
export interface CompletedVerb {
  readonly name: string
  readonly options: readonly CompletedOption[]
  /** In order: 'cluster', 'rev', 'host', 'file', or the words to choose from. The last one may be repeated. */
  readonly operands: readonly string[]
  readonly repeats: boolean
}

export interface CompletedOption {
  /** As they are typed. */
  readonly spellings: readonly string[]
  /** Also in a word of its own. */
  readonly takesValue: boolean
  readonly meaning: string
}

/** How a plan is offered, whichever command made it, and carried out. */
export interface DeployOptions {
  readonly yes: boolean
  readonly dryRun: boolean
  /** Whether the pre-deploy hook is asked. */
  readonly verify: boolean
  /** Replace what is there where a link goes, keeping a backup. */
  readonly adopt: boolean
  /** Null leaves it to git config. */
  readonly atomic: boolean | null
  /** How many hosts are activated at a time; null for all at once. */
  readonly batch: Batch | null
  readonly confirm: ConfirmBy
  /** Whether hosts that cannot be reached are left out, or stop the others. */
  readonly skipUnreachable: boolean
  /** How long to queue for a lock, in milliseconds. */
  readonly waitMs: number
  readonly verbose: boolean
  /** Whether progress may be redrawn in place. */
  readonly progress: boolean
  readonly color: ColorWhen | null
}

export type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>
export type ColorWhen = (typeof COLOR_WHEN)[number]

export type ConfirmBy = (typeof CONFIRM_BY)[number]

export const CONFIRM_BY = ['auto', 'reconnect'] as const
export const COLOR_WHEN = ['always', 'auto', 'never'] as const
