import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { announce } from '../support/announce.ts'
import { benchAgent } from './agent.ts'
import { benchDeploy } from './deploy.ts'
import type { Table } from './figure.ts'
import { benchInstall } from './install.ts'
import type { Options, Part } from './options.ts'
import { benchPhases } from './phases.ts'
import { benchPlan } from './plan.ts'
import { Scope } from './scope.ts'
import { renderTable } from './table.ts'
import { benchWire } from './wire.ts'

/** Measures and prints one part after the other. `noHosts` is why there are no real hosts, where there are none. */
export async function bench({ parts, rounds, json }: Options, noHosts: string | undefined): Promise<void> {
  const tables: Table[] = []
  console.log(`${machine()}; contenders take turns, a ratio is the median of those of each round`)
  for (const part of parts) {
    const { measure, needsHosts } = MEASURED[part]
    if (needsHosts && noHosts !== undefined) {
      shout(`LEFT OUT: '${part}', which needs real hosts\n${noHosts}`)
      continue
    }
    const found = await announce(`measuring: ${part}`, () => Scope.during(scope => measure(scope, rounds)))
    for (const table of found) console.log(`\n${renderTable(table)}\n`)
    tables.push(...found)
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(tables, null, 2)}\n`)
}

interface Measured {
  readonly measure: (scope: Scope, rounds: number) => Promise<Table[]>
  readonly needsHosts: boolean
}

const MEASURED: { readonly [P in Part]: Measured } = {
  plan: { measure: benchPlan, needsHosts: false },
  deploy: { measure: benchDeploy, needsHosts: true },
  install: { measure: benchInstall, needsHosts: true },
  phases: { measure: benchPhases, needsHosts: true },
  wire: { measure: benchWire, needsHosts: true },
  agent: { measure: benchAgent, needsHosts: false },
}

function machine(): string {
  return `node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]!.toFixed(1)}`
}

function shout(text: string): void {
  const line = '!'.repeat(78)
  console.log([line, text, line].join('\n'))
}
