/**
 * From the bundle to a static program: bytecode, C objects, link. What does not depend on the bundle is compiled once
 * and kept in build/agent, under a name made from everything that went into it.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
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
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled } from './compilers.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ENGINE = join(ROOT, 'node_modules/qjsc/deps/quickjs_2021_03_27')
const NATIVE = join(ROOT, 'agent/host/native')
const CACHE = join(ROOT, 'build/agent')

const ENGINE_PARTS = ['quickjs.c', 'libregexp.c', 'libunicode.c', 'cutils.c']
const NATIVE_PARTS = readdirSync(NATIVE).filter(name => name.endsWith('.c') && name !== 'main.c')

const DEFINES = ['-D_GNU_SOURCE', '-DCONFIG_VERSION="2021-03-27"']
// Each function in a section of its own, so that the linker can leave out what this agent never calls.
const TARGET_FLAGS = [
  ...DEFINES,
  '-O2',
  '-ffunction-sections',
  '-fdata-sections',
  '-fno-asynchronous-unwind-tables',
]
const ENGINE_FLAGS = [...TARGET_FLAGS, '-w']
const NATIVE_FLAGS = [
  ...TARGET_FLAGS,
  '-std=gnu11',
  '-Wall',
  '-Wextra',
  '-iquote',
  NATIVE,
  '-isystem',
  ENGINE,
]
const LINK_FLAGS = ['-static', '-s', '-Wl,--gc-sections', '-Wl,--build-id=none']

/** The program, as bytes. `main` is another C file in tests only. */
export async function compileAgent(bundle, main, compiler) {
  if (compiler.note) process.stderr.write(`agent: ${compiler.note}\n`)
  mkdirSync(CACHE, { recursive: true })
  const work = mkdtempSync(join(CACHE, 'work-'))
  try {
    const source = join(work, 'agent.js')
    writeFileSync(source, bundle)
    const objects = [
      ...ENGINE_PARTS.map(name => () => object(compiler, join(ENGINE, name), ENGINE_FLAGS)),
      () => qjsc().then(compile => bytecode(compile, source, compiler)),
      ...[main, ...NATIVE_PARTS.map(name => join(NATIVE, name))].map(
        source => () => object(compiler, source, NATIVE_FLAGS),
      ),
    ]
    const program = join(work, 'agent')
    await run(compiler.command, [
      ...compiler.flags,
      ...LINK_FLAGS,
      '-o',
      program,
      ...(await inParallel(objects)),
      '-lm',
    ])
    return readFileSync(program)
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** What goes into every agent beside its bundle, without what differs from one building machine to the next. */
export function compilerInputs() {
  const flags = [...ENGINE_FLAGS, ...NATIVE_FLAGS, ...LINK_FLAGS].map(flag => flag.replace(ROOT, ''))
  return [...sourcesIn(ENGINE), ...sourcesIn(NATIVE), flags]
}

/** QuickJS's compiler for the machine that builds. Not optimised: that takes longer than it would ever save. */
function qjsc() {
  const sources = ['qjsc.c', 'quickjs-libc.c', ...ENGINE_PARTS].map(name => join(ENGINE, name))
  const compiler = ['cc', 'gcc'].find(isInstalled)
  if (!compiler) throw new Error('no C compiler for this machine: install gcc')
  const flags = [...DEFINES, '-O0', '-w']
  return cached('qjsc', [compiler, flags, sourcesIn(ENGINE)], file =>
    run(compiler, [...flags, '-o', file, ...sources, '-lm', '-ldl', '-lpthread']),
  )
}

async function bytecode(compile, source, compiler) {
  const c = source.replace(/js$/, 'c')
  const file = source.replace(/js$/, 'o')
  // In its directory, so that a stack trace says agent.js and no path of the machine that built it.
  const args = ['-c', '-m', '-M', 'native,native', '-N', 'agent', '-o', c, basename(source)]
  await run(compile, args, dirname(source))
  await run(compiler.command, [...compiler.flags, '-c', '-o', file, c])
  return file
}

function object({ command, flags: own }, source, common) {
  const flags = [...own, ...common]
  const headers = common === NATIVE_FLAGS ? [ENGINE, NATIVE] : [ENGINE]
  const inputs = [
    command,
    flags,
    hash(readFileSync(source)),
    ...headers.map(directory => sourcesIn(directory, /\.h$/)),
  ]
  return cached(`${basename(source, '.c')}.o`, inputs, file =>
    run(command, [...flags, '-c', '-o', file, source]),
  )
}

/** The file that `make` makes of these inputs, made at most once. Another build at the same time does no harm. */
async function cached(name, inputs, make) {
  const file = join(CACHE, `${hash(JSON.stringify(inputs)).slice(0, 16)}-${name}`)
  if (existsSync(file)) return file
  const unfinished = `${file}.${process.pid}`
  await make(unfinished)
  renameSync(unfinished, file)
  return file
}

/** Runs the jobs, as many at a time as there are processors. The results are in the order of the jobs. */
async function inParallel(jobs) {
  const results = []
  const next = jobs.entries()
  const worker = async () => {
    for (const [index, job] of next) results[index] = await job()
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

function run(command, args, cwd = ROOT) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', reject)
    child.on('close', code =>
      code === 0 ? resolve() : reject(new Error(`${basename(command)} ended with ${code}`)),
    )
  })
}

function sourcesIn(directory, pattern = /\.[ch]$/) {
  return readdirSync(directory)
    .filter(name => pattern.test(name))
    .sort()
    .map(name => [name, hash(readFileSync(join(directory, name)))])
}

export function hash(content) {
  return createHash('sha256').update(content).digest('hex')
}
