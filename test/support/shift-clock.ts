import type { Operator } from './operator.ts'

/** From now on the operator's clock is off by so many milliseconds. Hosts go by the real one. */
export function shiftClock({ env }: Operator, ms: number): void {
  Object.assign(env, clockEnv(ms))
}

/** The environment in which git-deploy's clock, and git's, is off by so many milliseconds. */
export function clockEnv(ms: number): NodeJS.ProcessEnv {
  const shim = new URL('./shifted-clock.mjs', import.meta.url).href
  const date = `@${Math.floor((Date.now() + ms) / 1000)} +0000`
  return {
    NODE_OPTIONS: `--import=${shim}`,
    GIT_DEPLOY_TEST_CLOCK: `${ms}`,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
  }
}
