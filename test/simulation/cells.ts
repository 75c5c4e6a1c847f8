/** The cells of the fault matrix for one situation on one kind of disk: a moment and a fault each, and what came of it. */
import assert from 'node:assert/strict'
import type { Reply } from '../../src/protocol/messages.ts'
import { confirmed, idOf } from '../support/conversation.ts'
import { Random } from '../support/random.ts'
import type { Loss, Order } from './disk.ts'
import { differences, type HostOptions, type Portrait, type SimulatedHost } from './host.ts'
import { LASTING_FAULTS, type LastingFault, type Moment, runSession } from './session.ts'
import type { Situation, Start } from './situations.ts'

export interface Cell {
  readonly situation: string
  readonly fault: 'kill -9' | LastingFault | `power cut, ${Order}` | 'power cut, /var apart'
  readonly step: string
  readonly when: Moment['when']
  /** What the host is at after the next session. */
  readonly state: 'old' | 'new'
}

export interface CellsOptions extends HostOptions {
  /** Every moment, rather than the first before and after each kind of step. */
  readonly every: boolean
  /** How many random losses a power cut is tried with, besides the extreme ones. */
  readonly seeds: number
}

const LOSSES = ['all', 'none', 'contents', 'zeros'] as const

export class Cells {
  readonly done: Cell[] = []
  /** Of cells that went wrong, what did. */
  readonly troubles: string[] = []
  private readonly situation: Situation
  private readonly options: CellsOptions
  private readonly start: Start
  private readonly before: Portrait
  private readonly after: Portrait

  constructor(situation: Situation, options: CellsOptions) {
    this.situation = situation
    this.options = options
    this.start = situation.start(options)
    const { old, update } = this.start
    this.before = old.portrait(SKIPPED)
    const reference = old.fork()
    const { replies } = runSession(reference, confirmed(update))
    assert.ok(replies.some(isTold('held')), JSON.stringify(replies))
    this.after = reference.portrait(SKIPPED)
  }

  run(): void {
    const { order, separateVar, every } = this.options
    // Without a power cut it makes no difference in which order a disk is written.
    const others = separateVar || (every && order === 'ordered')
    for (const { moment, host } of this.moments()) {
      this.cutPower(host, moment)
      if (others) this.kill(host, moment)
      if (others) for (const kind of LASTING_FAULTS) this.hinder(moment, kind)
    }
  }

  /** The moments that are tried, and the host as it is then. */
  private moments(): { readonly moment: Moment; readonly host: SimulatedHost }[] {
    const host = this.start.host.fork()
    const chosen: { readonly moment: Moment; readonly host: SimulatedHost }[] = []
    const once = new Set<string>()
    runSession(host, this.start.requests, {
      onMoment: moment => {
        const { phase, step, when, what } = moment
        const key = `${phase} ${step} ${when}`
        if (!this.situation.phases.includes(phase) && what !== 'the end') return
        if (!this.options.every && (when === 'within' || once.has(key))) return
        once.add(key)
        chosen.push({ moment, host: host.fork() })
      },
    })
    return chosen
  }

  private kill(host: SimulatedHost, moment: Moment): void {
    this.judge(host.fork(), moment, 'kill -9')
    const { bytes, path } = moment.call ?? {}
    if (bytes === undefined || path === undefined) return
    const torn = host.fork()
    torn
      .files()
      .append(path, 0o600)
      .write(bytes.subarray(0, bytes.length >> 1))
    this.judge(torn, moment, 'kill -9', 'half way')
  }

  private cutPower(host: SimulatedHost, moment: Moment): void {
    const { every, seeds, order, separateVar } = this.options
    const random = Array.from({ length: seeds }, (_, i) => new Random(moment.index * seeds + i))
    const extremes = every ? LOSSES : [LOSSES[moment.index % LOSSES.length]!]
    for (const loss of [...extremes, ...random] as Loss[]) {
      const dark = host.fork()
      dark.powerCut(loss)
      const lost =
        typeof loss === 'string' ? loss : `some, seed ${moment.index * seeds + random.indexOf(loss)}`
      this.judge(dark, moment, `power cut, ${separateVar ? '/var apart' : order}`, `lost: ${lost}`)
    }
  }

  private hinder(moment: Moment, kind: LastingFault): void {
    const host = this.start.host.fork()
    const { replies } = runSession(host, this.start.requests, { fault: { at: moment.index, kind } })
    const told = [...replies]
    if (kind === 'SIGTERM')
      this.check(moment, kind, '', () =>
        assert.ok(host.files().read('/var/lib/deptool/journal') === undefined, 'it left a journal'),
      )
    // Somebody may well ask before the disk has room again.
    else {
      const asked = runSession(host, [this.ask()], { fault: { at: -1, kind } }).replies
      told.push(...asked)
      this.check(moment, kind, 'asked meanwhile', () =>
        assert.match(asked.at(-1)?.type ?? '', /^(?:outcome|refused)$/),
      )
    }
    this.judge(host, { ...moment, told }, kind)
  }

  private judge(host: SimulatedHost, moment: Moment, fault: Cell['fault'], more = ''): void {
    this.check(moment, fault, more, () => {
      const { situation } = this
      const state = this.stateAfterNext(host, moment)
      if (fault.startsWith('power cut')) assertVerified(host)
      const step = moment.step ?? `(${moment.phase})`
      this.done.push({ situation: situation.name, fault, step, when: moment.when, state })
    })
  }

  private check({ phase, when, step, what }: Moment, fault: string, more: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      const where = [this.situation.name, phase, `${when} ${step ?? 'other things'}`, what, fault, more]
      this.troubles.push(`${where.filter(Boolean).join(', ')}:\n${(error as Error).message}`)
    }
  }

  /** What the next session makes of it; what it says, and what was said before, must be so. */
  private stateAfterNext(host: SimulatedHost, { told }: Moment): Cell['state'] {
    const [hello, outcome, ...more] = runSession(host, [this.ask()]).replies
    const telling = [...told, hello, outcome, ...more].filter(reply => reply?.type !== 'step')
    const said = `it said: ${JSON.stringify(telling, null, 1)}`
    assert.ok(hello?.type === 'hello' && outcome?.type === 'outcome' && more.length === 0, said)
    const state = hello.current === this.start.update.commit ? 'new' : 'old'
    const wanted = state === 'new' ? this.after : this.before
    const found = differences(forgive(host.portrait(SKIPPED), state), forgive(wanted, state))
    assert.deepEqual(found, [], `the host is not ${state}:\n${found.join('\n')}\n${said}`)
    const truth = state === 'new' ? 'held' : 'undone'
    assert.ok(hello.recovered === null || hello.recovered.outcome === truth, said)
    // A deployment that never came as far as its first step may have left nothing to be told.
    const begun = told.some(({ type }) => type === 'step')
    const unheardOf = !begun && state === 'old' && outcome.outcome === 'unknown'
    assert.ok(outcome.outcome === truth || unheardOf, said)
    assert.ok(!told.some(isTold(truth === 'held' ? 'undone' : 'held')), said)
    assert.ok(state === 'old' || !this.situation.phases.includes('undo'), said)
    return state
  }

  private ask() {
    return { type: 'ask', id: idOf(this.start.update) } as const
  }
}

/** Also what the portrait leaves out: the store, and the inventory. */
function assertVerified(host: SimulatedHost): void {
  const verified = runSession(host, [{ type: 'verify' }]).replies.at(-1)
  assert.ok(verified?.type === 'verified' && verified.pending === null, JSON.stringify(verified))
  assert.deepEqual(verified.findings, [])
}

function isTold(outcome: 'held' | 'undone'): (reply: Reply) => boolean {
  return reply =>
    reply.type === 'outcome'
      ? reply.outcome === outcome
      : reply.type === 'undone' && reply.leftovers.length === 0 && outcome === 'undone'
}

/** What is not undone: docs/deployment-phases.md. What sysusers was writing when it was cut off is its own. */
function forgive({ files, units }: Portrait, state: Cell['state']): Portrait {
  if (state === 'new') return { files, units }
  const kept = Object.entries(files).filter(([path]) => !/^\/srv\/|^\/etc\/\.#/.test(path))
  const accounts = (path: string, content: string) =>
    /^\/etc\/(?:passwd|group)$/.test(path) ? content.replace(/^made:.*\n/gm, '') : content
  return {
    files: Object.fromEntries(kept.map(([path, content]) => [path, accounts(path, content)])),
    units,
  }
}

/** What may differ between two hosts in one state. A journal, a quarantine or a verdict may not. */
const SKIPPED =
  /^\/(?:run|var\/lib\/deptool\/(?:apps|store|backup|log(?:\.lock)?|inventory(?:\.lock)?|lock|backup\/.*|store\/(?:objects|refs|logs|HEAD|config).*))$/
