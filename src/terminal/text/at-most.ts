/** More lines than this about one host are not read by anybody, and a host may have 100,000 things to say. */
const MOST = 200

/** The first of the items, and what `more` makes of the number of those that are left out. */
export function atMost<T>(items: readonly T[], more: (count: number) => T): readonly T[] {
  return items.length <= MOST ? items : [...items.slice(0, MOST), more(items.length - MOST)]
}
