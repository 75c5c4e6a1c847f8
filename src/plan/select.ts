/** The hosts that --limit and --exclude select, by name or by glob. */
import type { HostName } from './names.ts'
import { didYouMean } from './suggest.ts'

export interface Selection {
  /** Globs; without any, every host. */
  readonly limit: readonly string[]
  readonly exclude: readonly string[]
}

export const EVERY_HOST: Selection = { limit: [], exclude: [] }

type Selected =
  | { readonly kind: 'selected'; readonly hosts: ReadonlySet<HostName> }
  /** Patterns that no host matches. */
  | { readonly kind: 'unmatched'; readonly patterns: readonly Unmatched[] }

interface Unmatched {
  readonly option: '--limit' | '--exclude'
  readonly pattern: string
  readonly hint: string
}

/** Refuses patterns that match no known host: they are probably mistakes. */
export function selectHosts(known: readonly HostName[], { limit, exclude }: Selection): Selected {
  const patterns = [...unmatched('--limit', limit, known), ...unmatched('--exclude', exclude, known)]
  if (patterns.length > 0) return { kind: 'unmatched', patterns }
  const limits = limit.map(globOf)
  const excludes = exclude.map(globOf)
  const hosts = known.filter(
    host =>
      (limits.length === 0 || limits.some(glob => glob.test(host))) &&
      !excludes.some(glob => glob.test(host)),
  )
  return { kind: 'selected', hosts: new Set(hosts) }
}

function unmatched(
  option: Unmatched['option'],
  patterns: readonly string[],
  known: readonly HostName[],
): Unmatched[] {
  return patterns
    .filter(pattern => !known.some(host => globOf(pattern).test(host)))
    .map(pattern => ({ option, pattern, hint: suggestHost(pattern, known) }))
}

function suggestHost(pattern: string, known: readonly HostName[]): string {
  const meant = didYouMean(pattern, known)
  if (meant !== undefined) return meant
  const names = known.slice(0, MANY).map(host => `'${host}'`)
  const more = known.length > MANY ? ` and ${known.length - MANY} more` : ''
  return names.length === 0 ? 'there are no hosts' : `the hosts are ${names.join(', ')}${more}`
}

/** The most hosts that a hint names. */
const MANY = 12

/** As glob(7); its special rules for `/` and leading dots do not matter, since host names have neither. */
function globOf(pattern: string): RegExp {
  const source = pattern.replace(/\*|\?|\[(!?)([^\]]+)\]|[\\^$.|+(){}[\]]/g, (found, not, set) => {
    if (found === '*') return '.*'
    if (found === '?') return '.'
    if (set === undefined) return `\\${found}`
    return `[${not ? '^' : ''}${(set as string).replace(/[\\^[\]]/g, '\\$&')}]`
  })
  try {
    return new RegExp(`^(?:${source})$`)
  } catch {
    // A range in the wrong order, such as [z-a], matches nothing.
    return /^(?!)/
  }
}
