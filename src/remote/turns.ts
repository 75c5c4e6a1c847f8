/** One at a time: what asks the operator waits for its turn, so that no two questions share a terminal. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve()

  take<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.last.then(task)
    this.last = turn.catch(() => {
      // Whoever took the turn hears of its failure; the next one starts all the same.
    })
    return turn
  }
}
