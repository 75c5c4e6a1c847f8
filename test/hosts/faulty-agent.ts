/// <reference path="../../agent/host/native.d.ts" />
/**
 * The agent, as it is, on a machine that does it harm. /root/deptool-fault on the host says where, before step `at`
 * begins, and what: a command, kill -9 by default; and what happens `then`.
 * It gives itself out for the build that the operator's side expects.
 */
import { type Machine, SystemFailure } from '../../agent/host/machine.ts'
import { JOURNAL, LOCK, LOG, VERDICT } from '../../agent/host/paths.ts'
import { machine } from '../../agent/host/qjs.ts'
import { serve } from '../../agent/session.ts'
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { STORE } from '../../src/plan/places.ts'
import { type Call, watchedFiles } from '../simulation/watched-files.ts'

interface Fault {
  readonly at: number | 'confirmed' | 'holds' | 'stumbles' | null
  readonly version: string
  readonly build: string
  readonly command?: string
  /** Before the name after so many that it has given, taken or changed since the first. */
  readonly then?: { readonly after: number; readonly command: string }
}

const fault = JSON.parse(decodeUtf8(machine.files.read('/root/deptool-fault')!)!) as Fault

let held = false
let left = Number.POSITIVE_INFINITY

const files = watchedFiles(machine.files, ({ call, path, bytes }) => {
  if (GIVES_NAMES.includes(call) && left-- === 0) machine.run(['sh', '-c', fault.then!.command])
  // Not in the session that finds it so, and finishes.
  if (fault.at === 'holds' && held && call === 'append' && path === LOG) die()
  if (call === 'create' && path.startsWith(`${STORE}/refs/deptool/current`)) {
    // The point of no return is the rename that follows.
    if (fault.at === 'confirmed') die()
    held = true
  }
  if (path === JOURNAL && bytes && (decodeUtf8(bytes) ?? '').trim() === String(fault.at)) suffer()
})

/** A name is given, taken or changed. */
const GIVES_NAMES: readonly Call['call'][] = ['symlink', 'link', 'rename', 'unlink']

function read(path: string): Uint8Array | undefined {
  // Only once it has settled: everything before is caught where it is tried.
  if (fault.at === 'stumbles' && path === VERDICT && isSettled())
    throw new SystemFailure('EIO', `read '${path}'`)
  return machine.files.read(path)
}

function suffer(): void {
  if (fault.command === undefined) die()
  else machine.run(['sh', '-c', fault.command])
  left = fault.then?.after ?? left
}

function isSettled(): boolean {
  return (decodeUtf8(machine.files.read(LOCK)!) ?? '').includes('ticks')
}

function die(): never {
  machine.run(['sh', '-c', 'kill -KILL $PPID'])
  throw new Error('survived kill -9')
}

const faulty: Machine = { ...machine, files: { ...files, read } }
serve(faulty, fault)
