/**
 * A model of what a host is to be, and random sequences of what operators, and fate, do to it. `npm run test:model`
 * plays 500 of them; GIT_DEPLOY_MODEL_SEED plays one again.
 */
import { test } from 'node:test'
import { buildProgram } from '../model/program.ts'
import { type Happening, happeningsOf, play } from '../model/sequence.ts'

/** What once went wrong, each as few happenings as it took. */
const REGRESSIONS: readonly (readonly Happening[])[] = []

const root = process.getuid?.() === 0 ? false : 'the model of a host needs root: files have owners there'
const SEQUENCES = Number(process.env['GIT_DEPLOY_MODEL'] ?? 20)
const ONE = process.env['GIT_DEPLOY_MODEL_SEED']

test('after whatever happens a host is what is deployed there, and nothing else', {
  skip: root,
  timeout: 3_600_000,
}, async t => {
  buildProgram()
  const first = Date.now() % 1_000_000_000
  const seeds = ONE
    ? [Number(ONE)]
    : [...REGRESSIONS, ...Array.from({ length: SEQUENCES }, (_, i) => first + i)]
  const total = { deployments: 0, commands: 0 }
  for (const seed of seeds) {
    const happenings = happeningsOf(seed)
    try {
      const { deployments, commands } = await play(happenings)
      total.deployments += deployments
      total.commands += commands
    } catch (error) {
      const { least, message } = await shrink(happenings, (error as Error).message)
      throw new Error(
        `GIT_DEPLOY_MODEL_SEED=${seed}, which comes down to ${JSON.stringify(least)}:\n${message}`,
      )
    }
  }
  t.diagnostic(`${seeds.length} sequences from seed ${first}: ${JSON.stringify(total)}`)
})

/** Leaves out one happening after the other, as long as it still fails. */
async function shrink(
  happenings: readonly Happening[],
  why: string,
): Promise<{ least: readonly Happening[]; message: string }> {
  let least = happenings
  let message = why
  const until = Date.now() + 60_000
  for (let i = happenings.length - 1; i >= 0 && Date.now() < until; i--) {
    const fewer = least.filter((_, at) => at !== i)
    try {
      await play(fewer)
    } catch (error) {
      least = fewer
      message = (error as Error).message
    }
  }
  return { least, message }
}
