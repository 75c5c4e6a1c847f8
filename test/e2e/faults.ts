/** The agent that kills itself, in the place of the real one. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestHost } from '../hosts/test-host.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PLATFORM = 'linux-x86_64'
const AGENTS = join(ROOT, 'dist/agent/agents.json')

export type Fault = number | 'confirmed' | 'holds' | 'stumbles' | null

export function buildFaultyAgent(): string {
  const out = join(ROOT, 'build/faulty')
  const build = [
    'agent/build/build.mjs',
    '--entry',
    'test/hosts/faulty-agent.ts',
    '--out',
    out,
    '--platform',
    PLATFORM,
  ]
  execFileSync(process.execPath, build, { cwd: ROOT, stdio: 'inherit' })
  return join(out, `deptool-${PLATFORM}`)
}

/** What happens, after the first, before the agent changes a name that is preceded by so many. */
export interface Then {
  readonly after: number
  readonly command: string
}

/**
 * Puts the faulty agent where the real one is. It dies before the step of this number, or: when it is 'confirmed'; when
 * it 'holds', before it says so; never. With a command it is that what happens before the step. One that 'stumbles'
 * cannot read the disk once it has settled.
 */
export function placeFault(host: TestHost, agent: string, at: Fault, command?: string, then?: Then): void {
  const { version, build } = JSON.parse(readFileSync(AGENTS, 'utf8')) as { version: string; build: string }
  copyFileSync(agent, `${host.root()}/var/lib/deptool/bin/deptool-${version}-${build}`)
  writeFileSync(`${host.root()}/root/deptool-fault`, JSON.stringify({ at, version, build, command, then }))
}
