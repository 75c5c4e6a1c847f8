/**
 * Runs the bundle as V8 compiled it before: compiling it again would cost every command 10 ms, ssh2 another 10. What
 * was compiled is kept in the user's cache directory, and V8 refuses what another version of it has made.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** Of this file, which is beside the bundles. */
declare const require: NodeJS.Require

interface Loaded {
  readonly script: Script
  /** What the bundle has to be, so that a cache is of it: V8 itself compares no more than its length. */
  readonly identity: string
  readonly cacheFile: string
  /** The commands that ran with what is cached: what they had V8 compile is in it. */
  readonly seen: readonly string[]
}

/** Either is loaded from the directory of this file. */
const BUNDLES = ['./main.cjs', './ssh2.cjs']

/** How often: a plan may be of nothing the first time. */
const TIMES = 3

/** Two for each of eight programs; one takes less than a megabyte. */
const KEPT = 16

const directory = cacheDirectory(process.env)
const loaded: Loaded[] = []

const main = load(join(__dirname, 'main.cjs')) as { readonly ran?: string }

process.on('exit', code => {
  // A command that failed may not have been everywhere.
  if (code === 0 && main.ran !== undefined) for (const one of loaded) keep(one, main.ran)
})

function load(file: string): unknown {
  // In one line, so that the lines of a stack trace are those of the file.
  const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(file, 'utf8')}\n})`
  const cacheFile = join(directory, `${basename(file)}-${process.version}-${process.arch}-${hash(file)}`)
  const identity = identityOf(file)
  const { code, seen } = readCache(cacheFile, identity)
  const script = new Script(source, { filename: file, ...(code && { cachedData: code }) })
  loaded.push({ script, identity, cacheFile, seen: script.cachedDataRejected ? [] : seen })
  const module = { exports: {} }
  const requireBundle = (name: string) =>
    BUNDLES.includes(name) ? load(join(dirname(file), name)) : require(name)
  script.runInThisContext()(module.exports, requireBundle, module, file, dirname(file))
  return module.exports
}

/** FNV-1a, 32 bits: two installs must not take turns with one cache, and node:crypto takes 3 ms to load. */
function hash(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** Whether it is the same file and has not been changed since, by what git asks too. */
function identityOf(file: string): string {
  const { dev, ino, size, ctimeMs } = statSync(file)
  return JSON.stringify([file, dev, ino, size, ctimeMs])
}

/** As the XDG Base Directory Specification has it. */
function cacheDirectory({ XDG_CACHE_HOME, HOME = '' }: NodeJS.ProcessEnv): string {
  return join(
    XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : join(HOME || '/nonexistent', '.cache'),
    'git-deploy',
  )
}

interface Cache {
  readonly code?: Buffer
  readonly seen: readonly string[]
}

function readCache(file: string, identity: string): Cache {
  try {
    if (!isOurs(lstatSync(directory))) return { seen: [] }
    const content = readOurs(file)
    const [own, seen, code] = split(content)
    return own === identity ? { code, seen: seen.split(' ') } : { seen: [] }
  } catch {
    // There is none yet, or none that can be read: the bundle is compiled.
    return { seen: [] }
  }
}

/** Whoever writes the cache says what this program does: it has to be us. */
function isOurs({ uid, mode }: Stats): boolean {
  return uid === process.getuid?.() && (mode & 0o022) === 0
}

function readOurs(file: string): Buffer {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    if (!isOurs(fstatSync(fd))) throw new Error(`'${file}' belongs to another user`)
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Two lines of text, then the code. */
function split(content: Buffer): [identity: string, seen: string, code: Buffer] {
  const first = content.indexOf('\n')
  const second = content.indexOf('\n', first + 1)
  if (first < 0 || second < 0) throw new Error('the cache is incomplete')
  return [
    content.toString('utf8', 0, first),
    content.toString('utf8', first + 1, second),
    content.subarray(second + 1),
  ]
}

/** Adds what a command has had compiled: the first times for each kind of command, so that this too costs nothing later. */
function keep({ script, identity, cacheFile, seen }: Loaded, ran: string): void {
  if (seen.filter(one => one === ran).length === TIMES) return
  try {
    makeDirectory()
    if (!existsSync(cacheFile)) dropOldest()
    const head = Buffer.from(`${identity}\n${[...seen, ran].join(' ')}\n`)
    replace(cacheFile, Buffer.concat([head, script.createCachedData()]))
  } catch {
    // A home directory that is read-only, full or missing: the next command compiles again, and that is all.
  }
}

/** Of programs that are gone, mostly: another place, another Node. */
function dropOldest(): void {
  const files = readdirSync(directory).map(name => join(directory, name))
  const age = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const newest = files.sort((a, b) => age(b) - age(a))
  for (const file of newest.slice(KEPT - 1)) rmSync(file, { force: true })
}

/** In one step, durably: half a cache is refused, but one with a hole, as a power cut leaves them, would crash V8. */
function replace(file: string, content: Buffer): void {
  const draft = `${file}.${process.pid}`
  try {
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** Not the home directory itself: where that is missing, it is not ours to make. */
function makeDirectory(): void {
  for (const path of [dirname(directory), directory])
    if (!statSync(path, { throwIfNoEntry: false })) mkdirSync(path, { mode: 0o700 })
  if (!isOurs(lstatSync(directory))) throw new Error(`'${directory}' belongs to another user`)
}
