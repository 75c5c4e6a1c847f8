/** What a host's commit says about the deployment that made it (git/deployed.ts reads it, terminal/text/status.ts shows it). */
export interface Deployed {
  /** The commit that the files came from, with '+dirty' where they were changed; 'none+dirty' before the first commit. */
  readonly source: string
  /** As in '3 minutes ago'. */
  readonly when: string
  /** ISO 8601. */
  readonly at: string
  readonly who: string
  /** The deployment's id; empty where the commit does not say. */
  readonly deployment: string
}
