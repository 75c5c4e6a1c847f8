/** Hosts in waves, for --batch. */

/** The size of a wave. */
export type Batch = { readonly hosts: number } | { readonly percent: number }

/** In the order of `all`; a single wave if `batch` is null. A percentage is rounded down, to at least one host. */
export function wavesOf<T>(all: readonly T[], batch: Batch | null): readonly (readonly T[])[] {
  const size = sizeOf(batch, all.length)
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

function sizeOf(batch: Batch | null, hosts: number): number {
  if (batch === null) return Math.max(1, hosts)
  return 'hosts' in batch ? batch.hosts : Math.max(1, Math.floor((hosts * batch.percent) / 100))
}
