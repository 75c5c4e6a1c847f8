/** Hosts in waves, as --batch wants them. */

/** How many hosts at a time: so many, or so many in a hundred of all. */
export type Batch = { readonly hosts: number } | { readonly percent: number }

/** In the order of `all`; one wave where nothing is said. Never more hosts in it than a percentage allows, but for one. */
export function wavesOf<T>(all: readonly T[], batch: Batch | null): readonly (readonly T[])[] {
  const size = sizeOf(batch, all.length)
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

function sizeOf(batch: Batch | null, hosts: number): number {
  if (batch === null) return Math.max(1, hosts)
  return 'hosts' in batch ? batch.hosts : Math.max(1, Math.floor((hosts * batch.percent) / 100))
}
