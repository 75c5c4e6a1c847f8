/** Says what is being done, that it still is, and how long it took: nobody should wonder about a silent minute. */
export async function announce<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now()
  const elapsed = () => `${((Date.now() - start) / 1000).toFixed(1)} s`
  console.log(`${what} …`)
  const ticking = setInterval(() => console.log(`  still ${what}, ${elapsed()}`), 10_000)
  try {
    return await work()
  } finally {
    clearInterval(ticking)
    console.log(`  ${what} took ${elapsed()}`)
  }
}
