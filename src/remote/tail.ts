/** The end of a stream of text, so that a host that never stops talking costs a fixed amount of memory. */
export class Tail {
  private text = ''
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  push(chunk: string): void {
    this.text = (this.text + chunk).slice(-this.limit)
  }

  toString(): string {
    return this.text
  }
}

/** As Channel.stderr promises. */
export const STDERR_LIMIT = 16 * 1024
