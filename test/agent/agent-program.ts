/** Programs on the agent's machine that are no agents: what the tests of the machine run. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Builds a static program of `source`, which finds `machine` and `say` defined. Its path, below `directory`. */
export function buildProgram(directory: string, name: string, source: string, platform = OWN): string {
  const entry = join(directory, `${name}.ts`)
  const out = join(directory, name)
  writeFileSync(entry, `import { machine } from '${join(ROOT, 'agent/host/qjs.ts')}'\n${SAY}\n${source}`)
  return build(out, platform, '--entry', entry)
}

/** The C program that lets allocations of the agent's C side fail. Its path, below `directory`. */
export function buildStarved(directory: string): string {
  return build(join(directory, 'starved'), OWN, '--main', join(ROOT, 'test/agent/native/starved.c'))
}

function build(out: string, platform: string, ...source: readonly string[]): string {
  const args = [join(ROOT, 'agent/build/build.mjs'), ...source, '--out', out, '--platform', platform]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return join(out, `deptool-${platform}`)
}

/** Runs the one of the machine's cases that the environment names, and says that it passed. */
export const CASES = `
import { getenv } from 'native'
import { machineCases } from '${join(ROOT, 'test/agent/machine-cases.ts')}'
machineCases[getenv('CASE')](machine)
say('passed')`

const OWN = 'linux-x86_64'

const SAY = "const say = text => machine.write(Uint8Array.from(text + '\\n', char => char.charCodeAt(0)))"
