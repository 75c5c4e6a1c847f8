/** What goes wrong, and when. */
export interface Fault {
  /**
   * kill: the agent, with -9. cut: the connection. orphan: the operator's side is killed with -9, and nobody comes
   * back. both: the agent too.
   */
  readonly kind: 'kill' | 'cut' | 'orphan' | 'both'
  /** Before the operation of this number that changes something on the host, or before the first that begins so: `write /etc/x`. */
  readonly at: number | string
  /** Whether half of the operation is done before. */
  readonly torn: boolean
}
