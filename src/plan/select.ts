/** Which hosts a command is about: what --limit and --exclude say, by name or by glob. */
import type { HostName } from './names.ts'
import { didYouMean } from './suggest.ts'

export interface Selection {
  /** Globs; empty for every host. */
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

/** The hosts among `known` that are meant. A pattern that matches none of them is more likely a slip than a wish. */
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
  return names.length === 0 ? 'there are no hosts' : `known here: ${names.join(', ')}${more}`
}

/** How many hosts a hint names. */
const MANY = 12

/** `*`, `?` and `[…]` as in glob(7); host names have no `/` and no dot in front for it to treat in its own way. */
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
    // A range from right to left, as in [z-a], matches nothing.
    return /^(?!)/
  }
}
