import type { Owner } from '../hosts/boot.ts'

/** What a test's context is to the support of the tests: whatever was set up goes when the work ends. */
export class Scope implements Owner {
  readonly #releases: (() => Promise<void>)[] = []

  static async during<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = new Scope()
    try {
      return await work(scope)
    } finally {
      await scope.#release()
    }
  }

  after(release: () => Promise<void>): void {
    this.#releases.push(release)
  }

  async #release(): Promise<void> {
    for (const release of this.#releases.reverse()) await release()
  }
}
