/** A disk that is full from some moment on: the agent says so and ends in order, and the host is at old or new. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Files, type Machine, SystemFailure, type Writer } from '../../agent/host/machine.ts'
import { serve } from '../../agent/session.ts'
import { decodeReplyBytes, encodeMessage } from '../../src/protocol/codec.ts'
import { encodeFrame, FrameReader } from '../../src/protocol/frame.ts'
import type { Deploy, Reply, Request } from '../../src/protocol/messages.ts'
import { makeRoot, NOTHING, prepare } from '../support/agent-driver.ts'
import { HostFiles } from '../support/host-files.ts'
import { nodeMachine } from '../support/node-machine.ts'

const link = JSON.stringify({ symlinks: { '/etc/app.conf': 'app.conf' } })
const OLD = { 'app/app.conf': 'one', 'app/manifest.json': link, 'gone/sysusers/g.conf': '' }
const NEW = {
  'app/app.conf': 'two',
  'app/manifest.json': link,
  'fresh/systemd/f.service.d/x.conf': '[Service]',
}

for (const [code, words] of [
  ['ENOSPC', 'no space left on the device'],
  ['EROFS', 'the file system is read-only'],
] as const)
  test(`${code} from any moment on`, t => {
    const root = makeRoot(t)
    const first = prepare(NOTHING, OLD)
    session(root, confirmed(first.requests))
    const update = prepare(first, NEW)
    const old = shape(root)
    const reference = copyOf(t, root)
    const { writes } = session(reference, confirmed(update.requests), {
      from: Number.POSITIVE_INFINITY,
      code,
    })
    const after = shape(reference)

    const seen = { old: 0, new: 0, told: 0 }
    for (let from = 1; from <= writes; from++) {
      const copy = copyOf(t, root)
      const { replies } = session(copy, confirmed(update.requests), { from, code })
      const last = replies.at(-1)!
      assert.ok(last.type !== 'step' && last.type !== 'hello', `failing from write ${from}: ${last.type}`)
      if (JSON.stringify(last).includes(words)) seen.told++
      assert.doesNotMatch(JSON.stringify(last), /store is damaged/, `failing from write ${from}`)
      session(copy, [])
      const state = readRef(copy) === update.commit ? 'new' : 'old'
      assert.deepEqual(shape(copy), state === 'new' ? after : old, `failing from write ${from}: ${state}`)
      if (last.type === 'outcome') assert.equal(last.outcome, state === 'new' ? 'held' : 'undone')
      seen[state]++
      rmSync(copy, { recursive: true })
    }
    assert.ok(seen.old > 10 && seen.new > 0 && seen.told > 10, JSON.stringify(seen))
    t.diagnostic(`${writes} moments: ${JSON.stringify(seen)}`)
  })

function confirmed(requests: readonly Request[]): Request[] {
  return [...requests, { type: 'activate' }, { type: 'confirm', id: (requests[0] as Deploy).id }]
}

interface Fault {
  readonly from: number
  readonly code: string
}

function session(root: string, requests: readonly Request[], fault?: Fault) {
  const machine = nodeMachine({ root })
  const replies: Reply[] = []
  const reader = new FrameReader()
  const waiting = [...requests]
  let writes = 0
  let greeted = false
  const attempt = <T>(what: string, act: () => T): T => {
    if (++writes >= (fault?.from ?? Number.POSITIVE_INFINITY)) throw new SystemFailure(fault!.code, what)
    return act()
  }
  const told = (type: Reply['type']) => replies.some(reply => reply.type === type)
  const faulty: Machine = {
    ...machine,
    files: faultyFiles(machine.files, attempt, fault?.code === 'EROFS'),
    write: bytes => {
      for (const frame of greeted ? reader.push(bytes) : []) replies.push(decodeReplyBytes(frame))
      greeted = true
      return true
    },
    input: {
      read: () => {
        const [next] = waiting
        if (next === undefined) return 'end'
        if (next.type === 'activate' && !told('staged')) return told('refused') ? 'end' : 'timeout'
        if (next.type === 'confirm' && !told('settled')) return told('undone') ? 'end' : 'timeout'
        return encodeFrame(encodeMessage(waiting.shift()!))
      },
    },
  }
  try {
    serve(faulty, { version: '0', build: 'test' })
  } finally {
    machine.exit()
  }
  return { writes, replies }
}

type Attempt = <T>(what: string, act: () => T) => T

/** What takes space fails; on a read-only file system, what frees it too. */
function faultyFiles(files: Files, attempt: Attempt, readOnly: boolean): Files {
  const frees: Attempt = readOnly ? attempt : (_, act) => act()
  const writer = (inner: Writer): Writer => ({
    ...inner,
    write: bytes => attempt('write', () => inner.write(bytes)),
  })
  return {
    ...files,
    create: (path, mode) => writer(attempt(`open '${path}'`, () => files.create(path, mode))),
    append: (path, mode) => writer(attempt(`open '${path}'`, () => files.append(path, mode))),
    mkdir: (path, mode) => attempt(`mkdir '${path}'`, () => files.mkdir(path, mode)),
    symlink: (target, path) => attempt(`symlink '${path}'`, () => files.symlink(target, path)),
    link: (existing, path) => attempt(`link '${path}'`, () => files.link(existing, path)),
    rename: (from, to) => attempt(`rename '${to}'`, () => files.rename(from, to)),
    unlink: path => frees(`unlink '${path}'`, () => files.unlink(path)),
    rmdir: path => frees(`rmdir '${path}'`, () => files.rmdir(path)),
  }
}

function copyOf(t: TestContext, root: string): string {
  const copy = makeRoot(t)
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  return copy
}

/** All of /etc and of the apps, and that nothing is under way. */
function shape(root: string): unknown {
  const host = new HostFiles(() => root)
  return {
    etc: host.tree('/etc'),
    apps: host.tree('/var/lib/deptool/apps'),
    conf: host.read('/etc/app.conf'),
    left: ['journal', 'verdict', 'store/quarantine'].filter(name => host.exists(`/var/lib/deptool/${name}`)),
  }
}

function readRef(root: string): string {
  return readFileSync(join(root, 'var/lib/deptool/store/refs/deptool/current'), 'utf8').trim()
}
