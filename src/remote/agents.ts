/** The agents that were built together with this program (agent/build/build.mjs), one for each platform. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentVersion } from './transport.ts'

export interface Agents extends AgentVersion {
  readonly platforms: ReadonlyMap<string, AgentBinary>
}

export interface AgentBinary {
  /** Where it is on this machine. */
  readonly file: string
  readonly size: number
  /** In hexadecimal. */
  readonly sha256: string
}

/** Throws where they were not built, or not whole. */
export function loadAgents(directory: string = builtAgents()): Agents {
  const file = join(directory, 'agents.json')
  const { version, build, platforms } = fields(JSON.parse(readFileSync(file, 'utf8')), file)
  return {
    version: text(version, WORD, `${file}: version`),
    build: text(build, WORD, `${file}: build`),
    platforms: new Map(
      Object.entries(fields(platforms, `${file}: platforms`)).map(([platform, binary]) => [
        platform,
        binaryOf(fields(binary, `${file}: ${platform}`), directory, `${file}: ${platform}`),
      ]),
    ),
  }
}

export function agentName({ version, build }: AgentVersion): string {
  return `deptool-${version}-${build}`
}

/** The name of a platform as `uname -sm` there gives it: 'Linux x86_64' is 'linux-x86_64'. */
export function platformOf(system: string, machine: string): string {
  const alias: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64', x64: 'x86_64' }
  return `${system.toLowerCase()}-${alias[machine] ?? machine}`
}

/** Both go into a file's name on the host and into a shell's command line. npm allows all of these in a version. */
const WORD = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,99}$/
const FILE = /^[0-9A-Za-z][0-9A-Za-z._-]*$/
const SHA256 = /^[0-9a-f]{64}$/

/** Beside the bundle, else where a checkout builds them. */
function builtAgents(): string {
  const places = ['agent', '../../dist/agent'].map(place => join(import.meta.dirname, place))
  return places.find(place => existsSync(join(place, 'agents.json'))) ?? places[0]!
}

function binaryOf(binary: Record<string, unknown>, directory: string, at: string): AgentBinary {
  const { file, size, sha256 } = binary
  if (typeof size !== 'number') throw new Error(`${at}: size is not a number`)
  return {
    file: join(directory, text(file, FILE, `${at}: file`)),
    size,
    sha256: text(sha256, SHA256, `${at}: sha256`),
  }
}

function fields(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`${at} is not an object`)
  return value as Record<string, unknown>
}

function text(value: unknown, form: RegExp, at: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw new Error(`${at} is not valid`)
  return value
}
