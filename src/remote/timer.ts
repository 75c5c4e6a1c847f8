/** A deadline that stands still while an operator is being asked. */
export class Timer {
  private timeout: NodeJS.Timeout | undefined
  private stopped = false
  private readonly ms: number
  private readonly onTimeout: () => void

  constructor(ms: number, onTimeout: () => void) {
    this.ms = ms
    this.onTimeout = onTimeout
    this.start()
  }

  /** The time starts anew afterwards. */
  async pause<T>(question: Promise<T>): Promise<T> {
    clearTimeout(this.timeout)
    try {
      return await question
    } finally {
      this.start()
    }
  }

  /** For good. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.timeout)
  }

  private start(): void {
    if (!this.stopped) this.timeout = setTimeout(this.onTimeout, this.ms)
  }
}
