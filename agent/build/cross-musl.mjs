/**
 * musl for another platform, from Debian's packages, into build/: nothing of this machine's own packages changes, and
 * root is not needed.
 *
 *     node agent/build/cross-musl.mjs <platform>...
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const BUILD = fileURLToPath(new URL('../../build', import.meta.url))

/** Debian's names: of the architecture, and of musl's directory. */
const DEBIAN = { 'linux-aarch64': { architecture: 'arm64', triplet: 'aarch64-linux-musl' } }

/** The file of gcc specs with which a cross compiler takes musl instead of glibc; undefined where it is not there. */
export function crossMusl(platform) {
  const { triplet } = DEBIAN[platform] ?? {}
  const specs = join(BUILD, `musl-${platform}`, `${triplet}.specs`)
  return existsSync(specs) ? specs : undefined
}

/** Throws with what apt-get said. */
export function fetchCrossMusl(platform) {
  if (!DEBIAN[platform])
    throw new Error(`no musl for '${platform}', known are ${Object.keys(DEBIAN).join(', ')}`)
  if (crossMusl(platform) !== undefined) return
  const { architecture, triplet } = DEBIAN[platform]
  mkdirSync(BUILD, { recursive: true })
  const work = mkdtempSync(join(BUILD, 'musl-'))
  try {
    for (const file of download('musl-dev', architecture, work)) run('dpkg-deb', ['-x', file, work])
    const there = join(BUILD, `musl-${platform}`)
    const specs = readFileSync(join(work, 'usr/lib', triplet, 'musl-gcc.specs'), 'utf8')
    writeFileSync(join(work, `${triplet}.specs`), specs.replaceAll('/usr/', `${there}/usr/`))
    rmSync(there, { recursive: true, force: true })
    renameSync(work, there)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** With lists of its own, as if this were a machine of that architecture. */
function download(name, architecture, work) {
  for (const directory of ['lists/partial', 'cache']) mkdirSync(join(work, directory), { recursive: true })
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State::lists=${join(work, 'lists')}`,
    `Dir::State::status=/dev/null`,
    `Dir::Cache=${join(work, 'cache')}`,
    'APT::Sandbox::User=root',
    'Debug::NoLocking=1',
  ].flatMap(option => ['-o', option])
  run('apt-get', [...options, 'update', '-q'], work)
  run('apt-get', [...options, 'download', '-q', name], work)
  for (const directory of ['lists', 'cache']) rmSync(join(work, directory), { recursive: true })
  return readdirSync(work).map(file => join(work, file))
}

function run(command, args, cwd) {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    for (const platform of process.argv.slice(2)) fetchCrossMusl(platform)
  } catch (error) {
    process.stderr.write(`cross-musl: ${error.message}\n`)
    process.exitCode = 1
  }
}
