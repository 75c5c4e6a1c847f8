import { Fatal } from '../errors.ts'
import type { HostName } from '../plan/names.ts'
import { type Selection, selectHosts } from '../plan/select.ts'

/** The hosts that --limit and --exclude leave. Throws Fatal if a pattern matches nothing, or no host is left. */
export function chooseHosts(known: readonly HostName[], selection: Selection): ReadonlySet<HostName> {
  const selected = selectHosts(known, selection)
  if (selected.kind === 'unmatched') {
    const [first, ...others] = selected.patterns
    const more = others.map(({ option, pattern }) => ` or ${option}='${pattern}'`).join('')
    throw new Fatal(`cannot select hosts: no host matches ${first!.option}='${first!.pattern}'${more}`, {
      hint: [...new Set(selected.patterns.map(({ hint }) => hint))].join('\n'),
    })
  }
  if (selected.hosts.size === 0 && known.length > 0)
    throw new Fatal('cannot select hosts: --limit and --exclude leave no host')
  return selected.hosts
}
