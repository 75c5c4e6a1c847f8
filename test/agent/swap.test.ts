/**
 * A user who exchanges what is his at every single thing the agent does, while a link in his directory is made, taken
 * away, undone and recovered: nothing outside of his home directory changes, and nothing in it tells what root may read.
 */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Machine } from '../../agent/host/machine.ts'
import { serve } from '../../agent/session.ts'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import { decodeReplyBytes, encodeMessage } from '../../src/protocol/codec.ts'
import { encodeFrame, FrameReader, MAGIC } from '../../src/protocol/frame.ts'
import type { Deploy, Reply, Request } from '../../src/protocol/messages.ts'
import { makeRoot, NOTHING, type Prepared, prepare } from '../support/agent-driver.ts'
import { type Around, filesAround, filesWatched } from '../support/around-files.ts'
import { asRoot } from '../support/as-root.ts'
import { nodeMachine } from '../support/node-machine.ts'

/** Otherwise only those calls that have to do with the home directory: what happens between two of them is one to them. */
const EVERY = process.env['GIT_DEPLOY_FAULTS'] === 'every'

const APP = 4242
const SECRET = 'for root alone'
const LINKED = {
  'a/config': 'plain\n',
  'a/manifest.json': JSON.stringify({
    symlinks: { '/home/app/conf/config': 'config' },
    files: { config: { owner: `${APP}`, group: `${APP}` } },
  }),
}

/** What the user does in his home directory; again, to take it back. */
type Trick = (home: string) => void

const swapped = (home: string, target: string) => {
  const [conf, was] = [join(home, 'conf'), join(home, 'conf.was')]
  if (lstatSync(was, { throwIfNoEntry: false })) {
    rmSync(conf)
    renameSync(was, conf)
  } else {
    renameSync(conf, was)
    symlinkSync(target, conf)
    lchownSync(conf, APP, APP)
  }
}

const planted = (path: string, target: string) => {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.isSymbolicLink() && readlinkSync(path) === target) rmSync(path)
  else {
    rmSync(path, { force: true })
    symlinkSync(target, path)
    lchownSync(path, APP, APP)
  }
}

const TRICKS: Readonly<Record<string, Trick>> = {
  'a link to cron.daily': home => swapped(home, join(home, '../../etc/cron.daily')),
  'a link that leads up': home => swapped(home, '../../etc/cron.daily'),
  'a link to a directory of his own': home => swapped(home, 'conf.was'),
  "a link in the file's place": home => planted(join(home, 'conf/config'), '../../../etc/secret'),
  'a link in the place of what is made ready': home =>
    planted(join(home, 'conf/config.deptool-new'), '../../../etc/cron.daily/new'),
}

interface Scenario {
  readonly before: 'nothing' | 'linked' | 'left behind'
  readonly requests: (update: Prepared) => readonly Request[]
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a link is made': { before: 'nothing', requests: update => saying(update, 'confirm') },
  'a link is made and undone': { before: 'nothing', requests: update => saying(update, 'undo') },
  'a link is taken away': { before: 'linked', requests: update => saying(update, 'confirm') },
  'a link is taken away and put back': { before: 'linked', requests: update => saying(update, 'undo') },
  'what a killed agent left is undone': {
    before: 'left behind',
    requests: update => [{ type: 'ask', id: idOf(update) }],
  },
}

for (const [name, scenario] of Object.entries(SCENARIOS))
  for (const [what, trick] of Object.entries(TRICKS))
    test(`${name}; ${what}`, asRoot, t => {
      const { start, update } = begin(t, scenario)
      let copies = 0
      const freshCopy = (from: string) => {
        const copy = `${from}.${++copies}`
        t.after(() => rmSync(copy, { recursive: true, force: true }))
        copied(from, copy)
        return copy
      }
      const requests = scenario.requests(update)
      const before = outside(start)
      const { calls } = session(freshCopy(start), requests)
      assert.ok(calls > 20, `${calls} calls`)
      let ended = 0
      for (let at = 1; at <= calls; at++)
        for (const lasting of EVERY ? [true, false] : [at % 2 === 0]) {
          const host = freshCopy(start)
          const moments = lasting ? [at] : [at, at + 1]
          const where = `at call ${at} of ${calls}, ${lasting ? 'for good' : 'until the next'}`
          const { replies } = session(host, requests, {
            onCall: call => {
              if (moments.includes(call)) trick(join(host, 'home/app'))
            },
          })
          assert.match(replies.at(-1)?.type ?? '', /^(?:outcome|undone|refused)$/, where)
          session(host, [{ type: 'ping' }])
          assert.deepEqual(outside(host), before, where)
          assert.deepEqual(secretsIn(join(host, 'home')), [], where)
          assert.deepEqual(secretsIn(join(host, 'var')), [], where)
          assert.ok(!lstatSync(join(host, 'var/lib/deptool/journal'), { throwIfNoEntry: false }), where)
          ended++
          rmSync(host, { recursive: true })
        }
      t.diagnostic(`${calls} calls, ${ended} sessions`)
    })

function begin(t: TestContext, { before }: Scenario) {
  const start = makeRoot(t)
  for (const path of ['etc/cron.daily', 'home', 'home/app', 'home/app/conf', 'var/lib/deptool'])
    mkdirSync(join(start, path), { recursive: true })
  chmodSync(start, 0o755)
  writeFileSync(join(start, 'etc/cron.daily/job'), 'echo\n', { mode: 0o755 })
  writeFileSync(join(start, 'etc/secret'), SECRET, { mode: 0o600 })
  writeFileSync(join(start, 'home/app/conf/config'), 'plain\n')
  for (const path of ['home/app', 'home/app/conf', 'home/app/conf/config'])
    chownSync(join(start, path), APP, APP)
  const first = prepare(NOTHING, LINKED)
  if (before === 'nothing') return { start, update: first }
  session(start, saying(first, 'confirm'), before === 'left behind' ? { killAtStep: 'settled' } : {})
  if (before === 'left behind') return { start, update: first }
  return { start, update: prepare(first, {}) }
}

function idOf({ requests }: Prepared): DeploymentId {
  return (requests[0] as Deploy).id
}

function saying(update: Prepared, word: 'confirm' | 'undo'): Request[] {
  const id = idOf(update)
  const last: Request = word === 'undo' ? { type: 'undo', id, why: 'never mind' } : { type: 'confirm', id }
  return [...update.requests, { type: 'activate' }, last]
}

function copied(from: string, to: string): void {
  const { mode, uid, gid } = lstatSync(from)
  if (lstatSync(from).isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to)
    lchownSync(to, uid, gid)
    return
  }
  if (lstatSync(from).isDirectory()) {
    mkdirSync(to)
    for (const name of readdirSync(from)) copied(join(from, name), join(to, name))
  } else writeFileSync(to, readFileSync(from))
  chownSync(to, uid, gid)
  chmodSync(to, mode & 0o7777)
}

interface Options {
  readonly onCall?: (call: number) => void
  /** Dies when it has said so. */
  readonly killAtStep?: Reply['type']
}

class KilledNow extends Error {}

function session(directory: string, requests: readonly Request[], { onCall, killAtStep }: Options = {}) {
  const machine = nodeMachine({ root: directory })
  const replies: Reply[] = []
  const reader = new FrameReader()
  const waiting = [...requests]
  let noise = MAGIC.length
  let calls = 0
  const called = (path: string) => {
    if (!EVERY && !path.startsWith('/home')) return
    if (killAtStep !== undefined && told(killAtStep)) throw new KilledNow()
    calls++
    onCall?.(calls)
  }
  const around: Around = ({ call, path }, act) => {
    called(path)
    // Nobody cuts the power here, and thousands of sessions wait for the disk otherwise.
    return call === 'sync' || call === 'syncFileSystem' ? (undefined as ReturnType<typeof act>) : act()
  }
  const told = (...types: Reply['type'][]) => replies.some(({ type }) => types.includes(type))
  const seen: Machine = {
    ...machine,
    files: filesWatched(filesAround(machine.files, around), called),
    lock: () => true,
    write: bytes => {
      for (const frame of reader.push(bytes.subarray(Math.min(noise, bytes.length))))
        replies.push(decodeReplyBytes(frame))
      noise -= Math.min(noise, bytes.length)
      return true
    },
    input: {
      read: () => {
        const [next] = waiting
        if (next === undefined || told('refused', 'undone', 'outcome')) return 'end'
        if (next.type === 'activate' && !told('staged')) return 'timeout'
        if ((next.type === 'confirm' || next.type === 'undo') && !told('settled')) return 'timeout'
        return encodeFrame(encodeMessage(waiting.shift()!))
      },
    },
  }
  try {
    serve(seen, { version: '0', build: 'test' })
  } catch (error) {
    if (!(error instanceof KilledNow)) throw error
  }
  return { calls, replies }
}

/** All but the user's home directory and what is git-deploy's own. */
function outside(directory: string): string[] {
  return filesIn(directory, path => path !== 'home/app' && path !== 'var/lib/deptool').map(path => {
    const { mode, uid, gid } = lstatSync(join(directory, path))
    return `${mode.toString(8)} ${uid}:${gid} ${path}`
  })
}

function secretsIn(directory: string): string[] {
  return filesIn(directory).filter(path => {
    const at = join(directory, path)
    return lstatSync(at).isFile() && readFileSync(at, 'utf8').includes(SECRET)
  })
}

function filesIn(directory: string, enter: (path: string) => boolean = () => true, below = ''): string[] {
  return readdirSync(join(directory, below))
    .sort()
    .flatMap(name => {
      const path = join(below, name)
      const inner = lstatSync(join(directory, path)).isDirectory() && enter(path)
      return [path, ...(inner ? filesIn(directory, enter, path) : [])]
    })
}
