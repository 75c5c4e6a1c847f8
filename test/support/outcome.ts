import assert from 'node:assert/strict'
import type { Ran } from './execute.ts'

/** Matches whatever was printed. */
export const anything = /^/

/**
 * A command under way, and what is expected of it: exit code 0 and silence, unless said otherwise. Awaiting it
 * checks all of that, and gives what it printed.
 *
 * Expectations are said in the same breath as the command, so they are all known before it can end.
 */
export class Outcome extends Promise<Ran> {
  #code: Ran['code'] = 0
  #stdout: string | RegExp = ''
  #stderr: string | RegExp = ''

  // What then() derives are plain promises: expectations belong to the command alone.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  static of(command: string, ran: Promise<Ran>, tidy: (text: string) => string): Outcome {
    const outcome: Outcome = new Outcome((resolve, reject) => {
      ran.then(result => outcome.#check(command, result, tidy)).then(resolve, reject)
    })
    return outcome
  }

  exits(code: Ran['code']): this {
    this.#code = code
    return this
  }

  /** All that it printed on stdout, after `normalise`, which is also applied to a string given here. */
  stdout(expected: string | RegExp): this {
    this.#stdout = expected
    return this
  }

  stderr(expected: string | RegExp): this {
    this.#stderr = expected
    return this
  }

  #check(command: string, ran: Ran, tidy: (text: string) => string): Ran {
    const printed = `$ ${command}\n${ran.stdout}${ran.stderr}(exit ${ran.code})`
    matches(`stdout of ${printed}`, tidy(ran.stdout), this.#stdout, tidy)
    matches(`stderr of ${printed}`, tidy(ran.stderr), this.#stderr, tidy)
    assert.equal(ran.code, this.#code, `expected exit ${this.#code} of ${printed}`)
    return ran
  }
}

function matches(
  what: string,
  actual: string,
  expected: string | RegExp,
  tidy: (text: string) => string,
): void {
  if (expected instanceof RegExp) assert.match(actual, expected, `${what}\ndoes not match ${expected}`)
  else if (actual !== tidy(expected)) throw mismatch(what, actual, tidy(expected))
}

/** With the diff that node:assert makes where it is given no message. */
function mismatch(what: string, actual: string, expected: string): Error {
  const { message } = new assert.AssertionError({ actual, expected, operator: 'strictEqual' })
  return new assert.AssertionError({
    message: `${what}\n\n${message}`,
    actual,
    expected,
    operator: 'strictEqual',
  })
}
