/** The real agent on an embedded root, spoken to frame by frame: no operator's side in between. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { deflateSync } from 'node:zlib'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import { makeSteps } from '../../src/plan/deployment-steps.ts'
import { digest } from '../../src/plan/digest.ts'
import { EMPTY_HOST, type HostState } from '../../src/plan/host-state.ts'
import type { HostName, Oid } from '../../src/plan/names.ts'
import { newObjects } from '../../src/plan/new-objects.ts'
import { repairSteps } from '../../src/plan/repair-steps.ts'
import type { Step } from '../../src/plan/steps.ts'
import { decodeReplyBytes, encodeMessage } from '../../src/protocol/codec.ts'
import { encodeFrame, FrameReader, MAGIC } from '../../src/protocol/frame.ts'
import type { Deploy, Reply, Request } from '../../src/protocol/messages.ts'
import { type Built, buildTree, stateOf, type Tree } from './tree-builder.ts'

export const AGENT = agentFor('linux-x86_64')

/** The program that was built for a platform. */
export function agentFor(platform: string): string {
  return new URL(`../../dist/agent/deptool-${platform}`, import.meta.url).pathname
}

export interface Version {
  readonly commit: Oid
  readonly tree: Oid | null
  readonly state: HostState
}

export const NOTHING = { commit: null, tree: null, state: EMPTY_HOST } as const

/** A version of the host's tree that can be sent, with the commit that follows `from`. */
export interface Prepared extends Version {
  readonly tree: Oid
  readonly steps: readonly Step[]
  readonly requests: readonly Request[]
}

/** An empty root for an embedded host that says it is 'web1'. */
export function makeRoot(t: TestContext, inDirectory = tmpdir()): string {
  const root = mkdtempSync(join(inDirectory, 'deptool-agent-'))
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/hostname'), 'web1\n')
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return root
}

let count = 0

/** Everything that is said to bring the host from one version to the next, up to 'stage'. */
export function prepare(from: Version | typeof NOTHING, files: Tree, change: Partial<Deploy> = {}): Prepared {
  const built = buildTree(files)
  const state = stateOf(files)
  const steps = change.repair ? repairSteps(state, change.repair) : makeSteps(from.state, state)
  const raw = Buffer.from(
    `tree ${built.root}\n${from.commit ? `parent ${from.commit}\n` : ''}author T <t@t> 1 +0000\ncommitter T <t@t> 1 +0000\n\nv\n`,
  )
  const commit = hash('commit', raw)
  const deploy: Deploy = {
    type: 'deploy',
    id: `20261123T000000-${String(++count).padStart(10, '0')}` as DeploymentId,
    host: 'web1' as HostName,
    operator: 'Test <t@t>',
    from: from.commit,
    to: commit,
    digest: digest({ fromTree: from.tree, toTree: built.root, steps }, bytes => sha('sha256', bytes)),
    confirmMs: 5000,
    adopt: false,
    reconnect: false,
    repair: null,
    ...change,
  }
  // A repair sends everything: what is damaged may be the store.
  const chunks = newObjects(change.repair ? EMPTY_HOST : from.state, state).map(oid =>
    chunk(oid, typed(built, oid, state)),
  )
  const objects = [...chunks, chunk(commit, loose('commit', raw))]
  return {
    commit,
    tree: built.root,
    state,
    steps,
    requests: [deploy, { type: 'objects', objects }, { type: 'stage' }],
  }
}

function typed(built: Built, oid: Oid, state: HostState): Uint8Array {
  const content = built.objects.get(oid)!
  return loose(state.trees.includes(oid) ? 'tree' : 'blob', content)
}

function chunk(oid: Oid, bytes: Uint8Array) {
  return { oid, bytes, last: true }
}

function loose(type: string, content: Uint8Array): Uint8Array {
  return deflateSync(Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]))
}

function hash(type: string, content: Uint8Array): Oid {
  return sha('sha1', Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])) as Oid
}

function sha(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex')
}

export type Command = readonly [program: string, ...args: string[]]

/** A running agent. */
export class Driver {
  readonly child: ChildProcessWithoutNullStreams
  private readonly replies: Reply[] = []
  private readonly waiting: ((reply: Reply | 'end') => void)[] = []
  private ended = false
  stderr = ''

  constructor(root: string, env: NodeJS.ProcessEnv = {}, [program, ...args]: Command = [AGENT]) {
    this.child = spawn(program, args, { env: { PATH: process.env['PATH'], DEPTOOL_ROOT: root, ...env } })
    const reader = new FrameReader()
    let noise = MAGIC.length
    this.child.stdout.on('data', (bytes: Buffer) => {
      const skip = Math.min(noise, bytes.length)
      noise -= skip
      for (const frame of reader.push(bytes.subarray(skip))) this.take(decodeReplyBytes(frame))
    })
    this.child.stderr.on('data', (bytes: Buffer) => {
      this.stderr += bytes
    })
    this.child.stdin.on('error', () => {})
    this.child.stdout.on('end', () => {
      this.ended = true
      for (const wake of this.waiting.splice(0)) wake('end')
    })
  }

  say(...requests: readonly Request[]): this {
    for (const request of requests) this.child.stdin.write(encodeFrame(encodeMessage(request)))
    return this
  }

  /** The next reply that is no 'step'. */
  async next(): Promise<Reply | 'end'> {
    for (;;) {
      const reply = await this.any()
      if (reply === 'end' || reply.type !== 'step') return reply
    }
  }

  any(): Promise<Reply | 'end'> {
    const reply = this.replies.shift()
    if (reply) return Promise.resolve(reply)
    if (this.ended) return Promise.resolve('end')
    return new Promise(resolve => this.waiting.push(resolve))
  }

  /** Closes stdin and waits for the agent to end. */
  async end(): Promise<number | null> {
    this.child.stdin.end()
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit')
    return this.child.exitCode
  }

  private take(reply: Reply): void {
    const wake = this.waiting.shift()
    if (wake) wake(reply)
    else this.replies.push(reply)
  }
}

/** A whole deployment, confirmed. What the agent said, 'step' left out. */
export async function deployTo(
  root: string,
  version: Prepared,
  command: Command = [AGENT],
): Promise<(Reply | 'end')[]> {
  const driver = new Driver(root, {}, command).say(...version.requests)
  const said = [await driver.next(), await driver.next()]
  const staged = said[1]
  if (staged !== 'end' && staged?.type === 'staged') {
    driver.say({ type: 'activate' })
    const settled = await driver.next()
    said.push(settled)
    const [deploy] = version.requests as [Deploy]
    if (settled !== 'end' && settled.type === 'settled') {
      driver.say({ type: 'confirm', id: deploy.id })
      said.push(await driver.next())
    }
  }
  await driver.end()
  if (driver.stderr !== '') throw new Error(`the agent said on stderr: ${driver.stderr}`)
  return said
}

export function readIn(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
