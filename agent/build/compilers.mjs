/** Which C compiler makes the agent for which platform, and whether this machine has it. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { crossMusl } from './cross-musl.mjs'

/** Each platform, named as `uname -sm` names it, with its machine in Node's words and its compiler elsewhere. */
const PLATFORMS = {
  'linux-x86_64': { arch: 'x64' },
  'linux-aarch64': { arch: 'arm64', cross: 'aarch64-linux-gnu-gcc', debian: 'gcc-aarch64-linux-gnu' },
}

export const platforms = Object.keys(PLATFORMS)

/** The platform of this machine, for which every C compiler will do. */
export const ownPlatform = platforms.find(name => PLATFORMS[name].arch === process.arch)

/**
 * `{ command, flags }`, with a `note` where it is a makeshift that need not keep to the budget; or `{ missing }`, what
 * would have to be installed. Throws where the platform is unknown.
 */
export function compilerFor(platform) {
  if (!PLATFORMS[platform])
    throw new Error(`unknown platform '${platform}', known are ${platforms.join(', ')}`)
  return platform === ownPlatform ? ownCompiler() : crossCompiler(platform)
}

export function isInstalled(command) {
  return (process.env.PATH ?? '').split(delimiter).some(directory => existsSync(join(directory, command)))
}

function ownCompiler() {
  if (isInstalled('musl-gcc')) return { command: 'musl-gcc', flags: [] }
  if (!isInstalled('gcc')) return { missing: 'musl-gcc or gcc' }
  const note = 'musl-gcc is missing (Debian: musl-tools), so the agent is twice as big'
  return { command: 'gcc', flags: [], note }
}

function crossCompiler(platform) {
  const { cross, debian } = PLATFORMS[platform]
  if (cross === undefined) return { missing: `a machine that is ${platform}` }
  if (!isInstalled(cross)) return { missing: `${cross} (Debian: ${debian})` }
  const specs = crossMusl(platform)
  if (specs === undefined) return { missing: `musl for it (node agent/build/cross-musl.mjs ${platform})` }
  return { command: cross, flags: [`-specs=${specs}`] }
}
