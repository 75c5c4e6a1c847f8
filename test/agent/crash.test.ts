/**
 * kill -9 at every single thing the agent does to its host: after the next session the host is at old or new, as
 * that session says, and nothing is left over. Files and links here; test/e2e/kill.test.ts does the same at each
 * step on a host with systemd.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
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
import type { Files, Machine, Writer } from '../../agent/host/machine.ts'
import { serve } from '../../agent/session.ts'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { Repair } from '../../src/plan/drift.ts'
import type { AppName, HostPath } from '../../src/plan/names.ts'
import { decodeReplyBytes, encodeMessage } from '../../src/protocol/codec.ts'
import { encodeFrame, FrameReader, MAGIC } from '../../src/protocol/frame.ts'
import type { Deploy, Reply, Request } from '../../src/protocol/messages.ts'
import { makeRoot, NOTHING, type Prepared, prepare, type Version } from '../support/agent-driver.ts'
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
    const { operations } = session(nodeMachine({ root: reference }), confirmed(update))
    const after = hostTree(reference)
    assert.equal(readRef(reference), update.commit)
    assert.ok(operations > 50, `${operations} operations`)

    const seen = { old: 0, new: 0 }
    for (let killAt = 1; killAt <= operations; killAt++)
      for (const torn of [false, true]) {
        const root = copyOf(t, start.root)
        const { replies } = session(nodeMachine({ root }), confirmed(update), { killAt, torn })
        const ask: Request = { type: 'ask', id: idOf(update) }
        const [hello, asked] = session(nodeMachine({ root }), [ask]).replies
        assert.ok(hello?.type === 'hello')
        const state = readRef(root) === update.commit ? 'new' : 'old'
        const where = `killed at operation ${killAt} of ${operations}${torn ? ', half way' : ''}: the host is ${state}`
        assert.deepEqual(hostTree(root), state === 'new' ? after : before, where)
        assert.equal(hello.recovered?.outcome ?? '', hello.recovered ? OUTCOME[state] : '', where)
        // Whoever asks for it by its id, also later, hears the same.
        const told = asked?.type === 'outcome' && asked.outcome
        assert.ok(
          told === OUTCOME[state] || (told === 'unknown' && !hello.recovered && state === 'old'),
          where,
        )
        // Whoever was told that it holds was told the truth.
        if (replies.some(reply => reply.type === 'outcome')) assert.equal(state, 'new', where)
        seen[state]++
        rmSync(root, { recursive: true })
      }
    assert.ok(seen.old > 0 && seen.new > 0)
    t.diagnostic(`${operations} operations, killed before and half way through each: ${JSON.stringify(seen)}`)
  })

const OUTCOME = { old: 'undone', new: 'held' }

function hostAt(t: TestContext, files: Tree | null): { root: string; version: Version | typeof NOTHING } {
  const root = makeRoot(t)
  mkdirSync(join(root, 'var/lib/deptool'), { recursive: true })
  // A file that is adopted on the way.
  writeFileSync(join(root, 'etc/motd'), 'hello', { mode: 0o640 })
  symlinkSync('/elsewhere', join(root, 'etc/foreign'))
  writeFileSync(join(root, 'etc/passwd'), `app:x:${ACCOUNT.uid}:1::/:/bin/sh\n`)
  writeFileSync(join(root, 'etc/group'), `keys:x:${ACCOUNT.gid}:\n`)
  mkdirSync(join(root, 'etc/systemd'))
  if (files === null) return { root, version: NOTHING }
  const version = prepare(NOTHING, files)
  session(nodeMachine({ root }), confirmed(version))
  return { root, version }
}

function copyOf(t: TestContext, root: string): string {
  const copy = makeRoot(t)
  // With owners and hard links, which cpSync drops.
  execFileSync('cp', ['-a', `${root}/.`, copy])
  return copy
}

function idOf({ requests }: Prepared): DeploymentId {
  return (requests[0] as Deploy).id
}

function confirmed({ requests }: Prepared): Request[] {
  const [deploy] = requests as [Deploy]
  return [...requests, { type: 'activate' }, { type: 'confirm', id: deploy.id }]
}

class KilledNow extends Error {}

/** Runs a session whose operator says the next thing once the last was answered. `killAt`: dies before that operation. */
function session(
  machine: ReturnType<typeof nodeMachine>,
  requests: readonly Request[],
  { killAt = Number.POSITIVE_INFINITY, torn = false } = {},
): { operations: number; replies: Reply[] } {
  const replies: Reply[] = []
  const reader = new FrameReader()
  const waiting = [...requests]
  let operations = 0
  let first = true
  const operate = <T>(act: () => T, half?: () => void): T => {
    if (++operations >= killAt) {
      if (operations === killAt && torn) half?.()
      throw new KilledNow()
    }
    return act()
  }
  const told = (type: Reply['type']) => replies.some(reply => reply.type === type)
  const ready = (request: Request | undefined) =>
    request?.type === 'activate'
      ? told('staged')
      : request?.type === 'confirm'
        ? told('settled')
        : request !== undefined
  const killable: Machine = {
    ...machine,
    files: killableFiles(machine.files, operate),
    write: bytes => {
      for (const frame of first ? [] : reader.push(bytes)) replies.push(decodeReplyBytes(frame))
      if (first) assert.deepEqual(Buffer.from(bytes), Buffer.from(MAGIC))
      first = false
      return true
    },
    input: {
      read: () => {
        if (waiting.length === 0) return 'end'
        return ready(waiting[0]) ? encodeFrame(encodeMessage(waiting.shift()!)) : 'timeout'
      },
    },
  }
  try {
    serve(killable, IDENTITY)
  } catch (error) {
    if (!(error instanceof KilledNow)) throw error
  } finally {
    machine.exit()
  }
  return { operations, replies }
}

type Operate = <T>(act: () => T, half?: () => void) => T

function killableFiles(files: Files, operate: Operate): Files {
  const writer = (inner: Writer): Writer => ({
    write: bytes =>
      operate(
        () => inner.write(bytes),
        () => inner.write(bytes.subarray(0, bytes.length >> 1)),
      ),
    sync: () => operate(() => inner.sync()),
    close: () => inner.close(),
  })
  return {
    ...files,
    create: (path, mode) => writer(operate(() => files.create(path, mode))),
    append: (path, mode) => writer(operate(() => files.append(path, mode))),
    mkdir: (path, mode) => operate(() => files.mkdir(path, mode)),
    symlink: (target, path) => operate(() => files.symlink(target, path)),
    link: (existing, path) => operate(() => files.link(existing, path)),
    rename: (from, to) => operate(() => files.rename(from, to)),
    unlink: path => operate(() => files.unlink(path)),
    rmdir: path => operate(() => files.rmdir(path)),
    chmod: (path, mode) => operate(() => files.chmod(path, mode)),
    chown: (path, uid, gid) => operate(() => files.chown(path, uid, gid)),
    sync: path => operate(() => files.sync(path)),
    syncFileSystem: path => operate(() => files.syncFileSystem(path)),
  }
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
