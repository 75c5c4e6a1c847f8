/** The trailers by which commits say what deployed them. docs and shell completion know them by these names. */
export const TRAILERS = {
  cluster: 'Deptool-Cluster',
  source: 'Deptool-Source',
  deployment: 'Deptool-Deployment',
} as const

/** For the --format of git log. */
export function trailerFormat(trailer: keyof typeof TRAILERS): string {
  return `%(trailers:key=${TRAILERS[trailer]},valueonly,separator=)`
}
