/** What goes wrong, and when: before the operation number `at` of an agent that changes something on the host. */
export interface Fault {
  /**
   * kill: the agent, with -9. cut: the connection. orphan: the operator's side is killed with -9, and nobody comes
   * back. both: the agent too.
   */
  readonly kind: 'kill' | 'cut' | 'orphan' | 'both'
  readonly at: number
  /** Whether half of the operation is done before. */
  readonly torn: boolean
}
