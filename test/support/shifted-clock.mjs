/** `Date`, with a clock that is off by so many milliseconds. */
export function shiftedDate(off) {
  const Real = Date
  return class extends Real {
    constructor(...args) {
      if (args.length === 0) super(Real.now() + off)
      else super(...args)
    }

    static now() {
      return Real.now() + off
    }
  }
}

// In a program that is started with --import.
const own = process.env.GIT_DEPLOY_TEST_CLOCK
if (own !== undefined) globalThis.Date = shiftedDate(Number(own))
