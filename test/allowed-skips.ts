/** The only reasons for which CI (`CI=true`) lets a test be skipped: any other makes the run fail. */
export const ALLOWED_SKIPS: readonly RegExp[] = [
  /^root can read everything$/,
  /^git \d+\.\d+\S* has no reftable$/,
  // The old build of cut-off-versions.test.ts.
  /^this clone does not have the commit [0-9a-f]{7} \(it is shallow\)$/,
]
