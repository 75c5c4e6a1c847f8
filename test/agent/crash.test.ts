/**
 * kill -9 at every single thing the agent does to its host: after the next session the host is at old or new, as
 * that session says, and nothing is left over. Files and links here; test/e2e/kill.test.ts does the same at each
 * step on a host with systemd.
 */
import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { serve } from '../../agent/session.ts'
import type { Repair } from '../../src/plan/drift.ts'
import type { AppName, HostPath } from '../../src/plan/names.ts'
import type { Reply, Request } from '../../src/protocol/messages.ts'
import { type Call, watchedFiles } from '../simulation/watched-files.ts'
import { makeRoot, NOTHING, prepare, type Version } from '../support/agent-driver.ts'
import { Conversation, confirmed, idOf } from '../support/conversation.ts'
import { copyOf } from '../support/copy-root.ts'
import { MEMORY } from '../support/memory.ts'
import { nodeMachine } from '../support/node-machine.ts'
import type { Tree } from '../support/tree-builder.ts'

const IDENTITY = { version: '0', build: 'test' }
const link = JSON.stringify({ symlinks: { '/etc/app.conf': 'app.conf' } })
/** An id that no file has by itself, where the tests run as root. */
const ACCOUNT =
  process.getuid!() === 0 ? { uid: 4242, gid: 4343 } : { uid: process.getuid!(), gid: process.getgid!() }
const keyed = (mode: string) =>
  JSON.stringify({ files: { key: { mode, owner: 'app', group: 'keys' }, other: { group: 'keys' } } })
const OLD: Tree = {
  'secret/key': 'key',
  'secret/other': 'one',
  'secret/manifest.json': keyed('0640'),
  'app/app.conf': 'one',
  'app/same': 'same',
  'app/manifest.json': link,
  'gone/x': 'x',
  'gone/sysusers/g.conf': '',
  'gone/systemd/g.service.d/x.conf': '',
}
const NEW: Tree = {
  'secret/key': 'key',
  'secret/other': 'two',
  'secret/tmpfiles/s.conf': 'd /run/s',
  'secret/manifest.json': keyed('0600'),
  'app/app.conf': 'two',
  'app/same': 'same',
  'app/d/l': { mode: '120000', text: '../same' },
  'app/manifest.json': link,
  'fresh/motd': 'hello',
  'fresh/systemd/f.service': '[Service]',
  'fresh/systemd/f.service.d/x.conf': '[Service]',
  'fresh/manifest.json': JSON.stringify({ symlinks: { '/etc/motd': 'motd' } }),
}

const LEFT = '/var/lib/deptool/apps/left/current/left.conf' as HostPath

interface Scenario {
  readonly old: Tree | null
  readonly next: Tree
  readonly adopt?: boolean
  /** What somebody did to the host meanwhile, and its repair. */
  readonly spoil?: (root: string) => void
  readonly repair?: Repair
}

const scenarios: { readonly [name: string]: Scenario } = {
  'a first deployment': { old: null, next: NEW },
  'an update that adds, changes and removes': { old: OLD, next: NEW },
  'a deployment that adopts a file and a link': {
    old: null,
    next: {
      'a/motd': 'other',
      'a/manifest.json': JSON.stringify({ symlinks: { '/etc/motd': 'motd', '/etc/foreign': 'motd' } }),
    },
    adopt: true,
  },
  'the removal of everything': { old: OLD, next: {} },
  'a repair': {
    old: OLD,
    next: OLD,
    spoil(root) {
      const apps = join(root, 'var/lib/deptool/apps')
      writeFileSync(join(apps, 'app/current/app.conf'), 'edited')
      rmSync(join(apps, 'secret/current'))
      chmodSync(join(apps, 'gone/current/x'), 0o600)
      rmSync(join(root, 'etc/app.conf'))
      mkdirSync(join(apps, 'left/0123456789'), { recursive: true })
      symlinkSync('0123456789', join(apps, 'left/current'))
      symlinkSync(LEFT, join(root, 'etc/left.conf'))
    },
    repair: {
      apps: ['app', 'gone', 'secret'] as AppName[],
      links: ['/etc/app.conf'] as HostPath[],
      enable: [],
      restart: [],
      goneApps: ['left'] as AppName[],
      goneLinks: [{ path: '/etc/left.conf' as HostPath, target: LEFT }],
      goneUnits: [],
    },
  },
}

for (const [name, { old, next, adopt = false, spoil, repair = null }] of Object.entries(scenarios))
  test(`kill -9 during ${name}`, t => {
    const start = hostAt(t, old)
    spoil?.(start.root)
    const update = prepare(start.version, next, { adopt, repair })
    const before = hostTree(start.root)
    const reference = copyOf(t, start.root)
    const operations: Call[] = []
    session(reference, confirmed(update), call => void operations.push(call))
    const after = hostTree(reference)
    assert.equal(readRef(reference), update.commit)
    assert.ok(operations.length > 50, `${operations.length} operations`)

    const seen = { old: 0, new: 0 }
    const killAt = (at: number, torn: boolean) => {
      const root = copyOf(t, start.root)
      const replies = session(root, confirmed(update), killer(at, torn))
      const ask: Request = { type: 'ask', id: idOf(update) }
      const [hello, asked] = session(root, [ask])
      assert.ok(hello?.type === 'hello')
      const state = readRef(root) === update.commit ? 'new' : 'old'
      const where = `killed at operation ${at} of ${operations.length}${torn ? ', half way' : ''}: the host is ${state}`
      assert.deepEqual(hostTree(root), state === 'new' ? after : before, where)
      assert.equal(hello.recovered?.outcome ?? '', hello.recovered ? OUTCOME[state] : '', where)
      // Whoever asks for it by its id, also later, hears the same.
      const told = asked?.type === 'outcome' && asked.outcome
      assert.ok(told === OUTCOME[state] || (told === 'unknown' && !hello.recovered && state === 'old'), where)
      // Whoever was told that it holds was told the truth.
      if (replies.some(reply => reply.type === 'outcome')) assert.equal(state, 'new', where)
      seen[state]++
      rmSync(root, { recursive: true })
    }
    for (const [at, { bytes }] of operations.entries()) {
      killAt(at, false)
      if (bytes) killAt(at, true)
    }
    assert.ok(seen.old > 0 && seen.new > 0)
    t.diagnostic(
      `${operations.length} operations, each killed before, and writes half way: ${JSON.stringify(seen)}`,
    )
  })

const OUTCOME = { old: 'undone', new: 'held' }

function hostAt(t: TestContext, files: Tree | null): { root: string; version: Version | typeof NOTHING } {
  const root = makeRoot(t, MEMORY)
  mkdirSync(join(root, 'var/lib/deptool'), { recursive: true })
  // A file that is adopted on the way.
  writeFileSync(join(root, 'etc/motd'), 'hello', { mode: 0o640 })
  symlinkSync('/elsewhere', join(root, 'etc/foreign'))
  writeFileSync(join(root, 'etc/passwd'), `app:x:${ACCOUNT.uid}:1::/:/bin/sh\n`)
  writeFileSync(join(root, 'etc/group'), `keys:x:${ACCOUNT.gid}:\n`)
  mkdirSync(join(root, 'etc/systemd'))
  if (files === null) return { root, version: NOTHING }
  const version = prepare(NOTHING, files)
  session(root, confirmed(version))
  return { root, version }
}

class KilledNow extends Error {}

/** Kills the agent before the operation of this number, or half way through it. */
function killer(at: number, torn: boolean): (call: Call) => void {
  let operations = 0
  return ({ half }) => {
    // A dead agent does nothing more, also where it catches what is thrown.
    if (operations === at && torn) half()
    if (operations++ >= at) throw new KilledNow()
  }
}

/** What the agent said until its end. */
function session(
  root: string,
  requests: readonly Request[],
  onCall: (call: Call) => void = () => {},
): readonly Reply[] {
  const { files, ...machine } = nodeMachine({ root, alone: true })
  const { read, write, replies } = new Conversation(requests)
  try {
    serve({ ...machine, files: watchedFiles(files, onCall), input: { read }, write }, IDENTITY)
  } catch (error) {
    if (!(error instanceof KilledNow)) throw error
  } finally {
    machine.exit()
  }
  return replies
}

function readRef(root: string): string | null {
  try {
    return readFileSync(join(root, 'var/lib/deptool/store/refs/deptool/current'), 'utf8').trim()
  } catch {
    return null
  }
}

/** Every path, with its mode and content. Of our own directory only the apps, and that nothing is under way. */
function hostTree(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  const walk = (path: string) => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const below = join(path, name)
      if (OURS.test(below)) continue
      const stat = lstatSync(join(root, below))
      const mode = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`
      if (stat.isDirectory()) {
        if (!ROOMS.test(below)) found[below] = `${mode} directory`
        walk(below)
      } else if (stat.isSymbolicLink()) found[below] = `-> ${readlinkSync(join(root, below))}`
      else found[below] = `${mode} ${readFileSync(join(root, below), 'utf8')}`
    }
  }
  walk('')
  return found
}

/** What may differ between two hosts in one state. The journal, a quarantine or a verdict may not: they are shown. */
const OURS =
  /^var\/lib\/deptool\/(?:log(?:\.lock)?|inventory|lock|backup\/.*|store\/(?:objects|refs|logs|HEAD|config).*)$/

/** Made by the first deployment that is tried, and kept. */
const ROOMS = /^var\/lib\/deptool\/(?:apps|store|backup)$/
