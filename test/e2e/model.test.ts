/**
 * A model of what a host is to be, and random sequences of what operators, and fate, do to it. `npm run test:model`
 * plays 500 of them; GIT_DEPLOY_MODEL_SEED plays one again.
 */
import { type TestContext, test } from 'node:test'
import { buildProgram } from '../model/program.ts'
import { REGRESSIONS } from '../model/regressions.ts'
import { type Chance, happeningsOf, play } from '../model/sequence.ts'
import { needs } from '../support/needs.ts'

const SEQUENCES = Number(process.env['GIT_DEPLOY_MODEL'] ?? 20)
const SEED = process.env['GIT_DEPLOY_MODEL_SEED']
const options = {
  ...needs('root'),
  timeout: 4 * 3_600_000,
}

test('whatever happens, a host is what is deployed there and nothing else', options, async t => {
  buildProgram()
  for (const [what, happenings] of Object.entries(REGRESSIONS))
    await t.test(what, async () => void (await play(happenings)))
  await t.test(SEED === undefined ? `${SEQUENCES} sequences` : `the sequence of seed ${SEED}`, playSeeds)
})

async function playSeeds(t: TestContext): Promise<void> {
  const first = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)
  const total = { deployments: 0, commands: 0 }
  for (let seed = first; seed < first + (SEED === undefined ? SEQUENCES : 1); seed++) {
    const { deployments, commands } = await playSeed(seed)
    total.deployments += deployments
    total.commands += commands
  }
  t.diagnostic(`from seed ${first}: ${total.deployments} deployments that hold, ${total.commands} commands`)
}

async function playSeed(seed: number): Promise<Awaited<ReturnType<typeof play>>> {
  const happenings = happeningsOf(seed)
  try {
    return await play(happenings)
  } catch (error) {
    const { least, message } = await shrink(happenings, (error as Error).message)
    const few = least.map(({ kind, seed }) => `{ kind: '${kind}', seed: ${seed} }`).join(', ')
    throw new Error(`GIT_DEPLOY_MODEL_SEED=${seed}, which comes down to\n[${few}]:\n${message}`)
  }
}

/** Leaves out one happening after the other, as long as it still fails. */
async function shrink(
  happenings: readonly Chance[],
  why: string,
): Promise<{ readonly least: readonly Chance[]; readonly message: string }> {
  let least = happenings
  let message = why
  const until = Date.now() + SHRINK_MS
  for (let at = happenings.length - 1; at >= 0 && Date.now() < until; at--) {
    const fewer = least.toSpliced(at, 1)
    try {
      await play(fewer)
    } catch (error) {
      least = fewer
      message = (error as Error).message
    }
  }
  return { least, message }
}

const SHRINK_MS = 60_000
