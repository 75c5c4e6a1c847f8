/** What the operator asked for: what the command line (cli.ts) becomes, and each of commands/ takes. */

export type Command =
  | {
      readonly kind: 'deploy'
      readonly cluster: string | null
      readonly rev: string | null
      readonly yes: boolean
      readonly dryRun: boolean
      readonly verbose: boolean
      /** Whether progress may be redrawn in place. */
      readonly progress: boolean
      readonly color: ColorWhen | null
    }
  | {
      readonly kind: 'plan'
      readonly cluster: string | null
      readonly rev: string | null
      readonly exitCode: boolean
      readonly verbose: boolean
      readonly color: ColorWhen | null
    }
  | {
      readonly kind: 'diff'
      readonly cluster: string | null
      readonly rev: string | null
      /** Options for git diff, as they were given. */
      readonly options: readonly string[]
      readonly paths: readonly string[]
    }
  | { readonly kind: 'status'; readonly cluster: string | null; readonly color: ColorWhen | null }
  | { readonly kind: 'init'; readonly cluster: string | null }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'misuse'
      readonly message: string
      readonly hint: string | null
      readonly usage: string
    }

export type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>
export type ColorWhen = (typeof COLOR_WHEN)[number]

export const COLOR_WHEN = ['always', 'auto', 'never'] as const
