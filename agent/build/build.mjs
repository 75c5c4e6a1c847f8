/**
 * Builds the agent: bundle, bytecode, one static program for each platform, and dist/agent/agents.json about them.
 * Uses node_modules and the system's C compilers, nothing else. Does nothing where all is there and of this build.
 * A platform that was not asked for by name is left out, with a word, where there is no compiler for it.
 *
 *     node agent/build/build.mjs [--platform <name>]... [--entry <file>] [--main <C file>] [--out <directory>]
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build as esbuild } from 'esbuild'
import { compileAgent, compilerInputs, hash } from './compile.mjs'
import { compilerFor, ownPlatform, platforms } from './compilers.mjs'
import { lazyFflate } from './lazy-fflate.mjs'
import { thirdPartyLicenses } from './third-party.mjs'

/** Of one agent, in bytes: it travels to a host that has none before anything else can happen. */
const BUDGET = 1024 * 1024

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Stands in the bundle for what is computed from the bundle. */
const BUILD_MARK = '@@agent-build@@'

const { values: options } = parseArgs({
  options: {
    platform: { type: 'string', multiple: true },
    entry: { type: 'string', default: join(ROOT, 'agent/main.ts') },
    main: { type: 'string', default: join(ROOT, 'agent/host/native/main.c') },
    out: { type: 'string', default: join(ROOT, 'dist/agent') },
  },
})

try {
  await buildAgents(options)
} catch (error) {
  process.stderr.write(`agent: ${error.message}\n`)
  process.exitCode = 1
}

async function buildAgents({ platform: named, entry, main, out }) {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const { bundle, metafile } = await makeBundle(entry, version)
  const build = buildId(bundle)
  const known = knownAgents(out, { version, build })
  for (const platform of named ?? platforms) {
    const compiler = compilerFor(platform)
    if (compiler.missing && !named && platform !== ownPlatform) {
      process.stdout.write(`${platform} left out: install ${compiler.missing}\n`)
      continue
    }
    if (compiler.missing) throw new Error(`no C compiler for ${platform}: install ${compiler.missing}`)
    if (known[platform]?.compiler === compiler.command) continue
    const program = await compileAgent(bundle.replaceAll(BUILD_MARK, build), main, compiler)
    known[platform] = saveAgent(program, platform, compiler, out)
    writeWhole(join(out, 'agents.json'), `${JSON.stringify({ version, build, platforms: known }, null, 2)}\n`)
  }
  saveLicenses(out, metafile)
}

async function makeBundle(entry, version) {
  const { outputFiles, metafile } = await esbuild({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2020',
    // msgpackr's portable build, not the one for Node.
    mainFields: ['module', 'main'],
    conditions: ['browser'],
    external: ['native'],
    plugins: [lazyFflate],
    define: { VERSION: JSON.stringify(version), BUILD: JSON.stringify(BUILD_MARK) },
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
  })
  return { bundle: outputFiles[0].text, metafile }
}

/** Of what goes into the agent, not of what comes out: the same on every machine that builds it, for every platform. */
function buildId(bundle) {
  return hash(JSON.stringify([bundle, compilerInputs()])).slice(0, 10)
}

/** What an earlier run left in `out`, where it is of this very build. */
function knownAgents(out, { version, build }) {
  const file = join(out, 'agents.json')
  if (!existsSync(file)) return {}
  const agents = JSON.parse(readFileSync(file, 'utf8'))
  if (agents.version !== version || agents.build !== build) return {}
  const whole = ({ file, sha256 }) =>
    existsSync(join(out, file)) && hash(readFileSync(join(out, file))) === sha256
  return Object.fromEntries(Object.entries(agents.platforms).filter(([, agent]) => whole(agent)))
}

function saveAgent(program, platform, { command, note }, out) {
  const file = `deptool-${platform}`
  const size = program.length
  process.stdout.write(
    `${platform} ${size} bytes (${command}), ${Math.round((size * 100) / BUDGET)} % of the budget\n`,
  )
  if (size > BUDGET && !note) throw new Error(`${platform}: over the budget of ${BUDGET} bytes`)
  mkdirSync(out, { recursive: true })
  writeWhole(join(out, file), program, 0o755)
  return { file, size, sha256: hash(program), compiler: command }
}

/** Beside the rest of the program, where tsup has just built that and says what it put into it. */
function saveLicenses(out, metafile) {
  const program = join(out, '../metafile-cjs.json')
  if (!existsSync(program)) return
  const text = thirdPartyLicenses([metafile, JSON.parse(readFileSync(program, 'utf8'))])
  writeWhole(join(out, '../THIRD-PARTY-LICENSES'), text)
}

function writeWhole(file, content, mode = 0o644) {
  writeFileSync(`${file}.${process.pid}`, content, { mode })
  renameSync(`${file}.${process.pid}`, file)
}
