/** Options that deptool has and git-deploy does not, and what to type instead. */
export const DEPTOOL_OPTIONS: Readonly<Record<string, string>> = {
  '--all': "'git deploy sync' asks every host",
  '--store': 'what is deployed is kept in this repository, as refs/deptool/<host>',
  '--force-push': "'git deploy sync' takes over what a host runs",
}
