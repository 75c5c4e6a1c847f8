// For a program that is started with --import: its clock is off by so many milliseconds.
const off = Number(process.env.GIT_DEPLOY_TEST_CLOCK)
const RealDate = Date

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + off)
    else super(...args)
  }

  static now() {
    return RealDate.now() + off
  }
}
