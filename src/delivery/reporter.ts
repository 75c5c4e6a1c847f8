import type { Context } from '../context.ts'
import { jsonReporter } from '../terminal/json/reporter.ts'
import type { Reporter } from '../terminal/reporter.ts'
import { textReporter } from '../terminal/text/reporter.ts'

interface ReporterOptions {
  /** What the command line says about colour, or else git config. */
  readonly color: string | null
  readonly verbose: boolean
  readonly short: boolean
  /** Whether progress may be redrawn in place. */
  readonly progress: boolean
  /** How many digits of a commit's name are shown. */
  readonly abbrev: number
}

/** Who is told about a deployment: a person, or with --json a program. */
export function reporterFor(options: ReporterOptions, { json, emit, terminal, ticks }: Context): Reporter {
  if (json) return jsonReporter(emit)
  const { color, verbose, short, progress, abbrev } = options
  return textReporter(terminal, {
    colors: terminal.colors(color),
    noteColors: terminal.noteColors(color),
    columns: terminal.columns,
    verbose,
    short,
    plain: !progress,
    abbrev,
    ticks,
  })
}
