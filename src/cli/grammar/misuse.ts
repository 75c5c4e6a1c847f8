/** Wrong usage: the word that is wrong, and a hint. */
export class Misuse extends Error {
  readonly hint: string | null
  constructor(message: string, hint: string | null = null) {
    super(message)
    this.hint = hint
  }
}
