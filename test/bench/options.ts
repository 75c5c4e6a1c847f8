import { parseArgs } from 'node:util'

/** In the order in which they run. */
export const PARTS = ['plan', 'deploy', 'install', 'phases', 'wire', 'agent'] as const
export type Part = (typeof PARTS)[number]

export interface Options {
  readonly parts: readonly Part[]
  /** How often everything is measured; each part scales it by what one round of it costs. */
  readonly rounds: number
  /** Where all figures go as JSON, every sample included. */
  readonly json: string | undefined
}

/** Throws where the command line is not understood. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: PARTS.join(',') },
      rounds: { type: 'string', default: '15' },
      json: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds takes a number, not '${values.rounds}'`)
  return { parts: values.only.split(',').map(asPart), rounds, json: values.json }
}

function asPart(name: string): Part {
  const part = PARTS.find(part => part === name)
  if (part === undefined) throw new Error(`--only takes some of ${PARTS.join(',')}, not '${name}'`)
  return part
}
