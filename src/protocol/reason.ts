/** Why a deployment ended as it did, as the logs of hosts and repositories keep it: on one line, of bounded length. */

/** `leftovers` are what did not go back. */
export function endingReason(message: string, leftovers: readonly string[]): string {
  return boundReason([message, ...leftovers].join('; '))
}

export function boundReason(why: string): string {
  if (why.length <= REASON_MAX) return why
  // Never half of a surrogate pair: JSON would keep it, and UTF-8 would not.
  return `${why.slice(0, REASON_MAX - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** In UTF-16 units: more than anybody reads, and a log of 256 KiB still holds a hundred of them. */
const REASON_MAX = 2000
