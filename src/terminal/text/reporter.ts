import { printable } from '../clean.ts'
import { makeProgress, type Progress } from '../progress.ts'
import type { Reporter, SavedBy } from '../reporter.ts'
import type { Colors, Terminal } from '../terminal.ts'
import type { Look } from './plan.ts'
import { renderPlan } from './plan.ts'
import { shortPlan } from './short-plan.ts'

interface TextLook extends Look {
  /** For what happens during the deployment, which goes to stderr. */
  readonly noteColors: Colors
  /** The plan in a line for each host. */
  readonly short: boolean
  /** Lines even where progress could be redrawn in place. */
  readonly plain: boolean
  readonly ticks: () => number
}

/** The plan and the last line on stdout, what happens in between on stderr. */
export function textReporter(terminal: Terminal, look: TextLook): Reporter {
  let progress: Progress | undefined
  return {
    plan({ plan, source, saved }) {
      if (saved) terminal.out(`${savedLine(saved)}\n`)
      if (saved && plan.hosts.length === 0) terminal.out('nothing to do')
      else terminal.out((look.short ? shortPlan(plan, look) : renderPlan(plan, source, look)).join('\n'))
    },
    begin({ hosts }) {
      progress = makeProgress(terminal, look.noteColors, hosts, look)
    },
    event(event) {
      progress?.event(event)
    },
    end() {
      progress?.end()
    },
    conclude({ id, cluster, outcome, ends, ms }) {
      if (outcome !== 'done') return
      const hosts = `${ends.size} host${ends.size === 1 ? '' : 's'}`
      terminal.say(`deployed to ${hosts} in '${cluster}' in ${(ms / 1000).toFixed(2)} s (${id})`)
    },
  }
}

function savedLine({ id, at, by }: SavedBy): string {
  return `plan ${id}, saved ${at}${by === null ? '' : ` by ${printable(by)}`}`
}
