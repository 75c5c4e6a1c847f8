/** A disk that is full from some moment on: the agent says so and ends in order, and the host is at old or new. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SystemFailure } from '../../agent/host/machine.ts'
import { serve } from '../../agent/session.ts'
import type { Request } from '../../src/protocol/messages.ts'
import { type Call, watchedFiles } from '../simulation/watched-files.ts'
import { makeRoot, NOTHING, prepare } from '../support/agent-driver.ts'
import { Conversation, confirmed } from '../support/conversation.ts'
import { copyOf } from '../support/copy-root.ts'
import { HostFiles } from '../support/host-files.ts'
import { MEMORY } from '../support/memory.ts'
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
    const root = makeRoot(t, MEMORY)
    const first = prepare(NOTHING, OLD)
    session(root, confirmed(first))
    const update = prepare(first, NEW)
    const old = shape(root)
    const reference = copyOf(t, root)
    const { writes } = session(reference, confirmed(update), {
      from: Number.POSITIVE_INFINITY,
      code,
    })
    const after = shape(reference)

    const seen = { old: 0, new: 0, told: 0 }
    for (let from = 1; from <= writes; from++) {
      const copy = copyOf(t, root)
      const { replies } = session(copy, confirmed(update), { from, code })
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

interface Fault {
  readonly from: number
  readonly code: string
}

function session(root: string, requests: readonly Request[], fault?: Fault) {
  const { files, ...machine } = nodeMachine({ root, alone: true })
  const { read, write, replies } = new Conversation(requests)
  let writes = 0
  const full = watchedFiles(files, ({ call, path }) => {
    if (!takesSpace(call) && !(fault?.code === 'EROFS' && freesSpace(call))) return
    if (++writes >= (fault?.from ?? Number.POSITIVE_INFINITY))
      throw new SystemFailure(fault!.code, `${call} '${path}'`)
  })
  try {
    serve({ ...machine, files: full, input: { read }, write }, { version: '0', build: 'test' })
  } finally {
    machine.exit()
  }
  return { writes, replies }
}

function takesSpace(call: Call['call']): boolean {
  return ['create', 'append', 'write', 'mkdir', 'symlink', 'link', 'rename'].includes(call)
}

/** On a full disk that succeeds; not on one that is read-only. */
function freesSpace(call: Call['call']): boolean {
  return call === 'unlink' || call === 'rmdir'
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
