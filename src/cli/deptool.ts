/** Options that deptool has and git-deploy does not, and what to type instead. */
export const DEPTOOL_OPTIONS: Readonly<Record<string, string>> = {
  '--all': "run 'git deploy sync' to ask every host",
  '--store': 'git-deploy keeps what is deployed in this repository, as refs/deptool/<host>',
  '--force-push': "run 'git deploy sync' to accept what a host runs",
}
