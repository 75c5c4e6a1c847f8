import type { Operator } from './operator.ts'

/** From now on the operator's clock is off by so many milliseconds: git-deploy's, and git's. Hosts go by the real one. */
export function shiftClock({ env }: Operator, ms: number): void {
  const shim = new URL('./shifted-clock.mjs', import.meta.url).href
  const seconds = Math.floor((Date.now() + ms) / 1000)
  env['NODE_OPTIONS'] = `--import=${shim}`
  env['GIT_DEPLOY_TEST_CLOCK'] = `${ms}`
  for (const name of ['GIT_AUTHOR_DATE', 'GIT_COMMITTER_DATE']) env[name] = `@${seconds} +0000`
}
