/// <reference path="../../agent/host/native.d.ts" />
/**
 * The agent, as it is, on a machine that does it harm. /root/deptool-fault on the host says where, before step `at`
 * begins, and what: a command, kill -9 by default; and what happens `then`.
 * It gives itself out for the build that the operator's side expects.
 */
import { type Files, type Machine, SystemFailure } from '../../agent/host/machine.ts'
import { JOURNAL, LOCK, LOG, VERDICT } from '../../agent/host/paths.ts'
import { machine } from '../../agent/host/qjs.ts'
import { serve } from '../../agent/session.ts'
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { STORE } from '../../src/plan/places.ts'

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

/** Before a name is given, taken or changed. */
function count(): void {
  if (left-- === 0) machine.run(['sh', '-c', fault.then!.command])
}

const files: Files = {
  ...machine.files,
  read(path) {
    // Only once it has settled: everything before is caught where it is tried.
    if (fault.at === 'stumbles' && path === VERDICT && isSettled())
      throw new SystemFailure('EIO', `read '${path}'`)
    return machine.files.read(path)
  },
  symlink(target, path) {
    count()
    machine.files.symlink(target, path)
  },
  rename(from, to) {
    count()
    machine.files.rename(from, to)
  },
  unlink(path) {
    count()
    return machine.files.unlink(path)
  },
  append(path, mode) {
    // Not in the session that finds it so, and finishes.
    if (fault.at === 'holds' && held && path === LOG) die()
    return machine.files.append(path, mode)
  },
  create(path, mode) {
    // The point of no return is the rename that follows.
    if (path.startsWith(`${STORE}/refs/deptool/current`)) {
      if (fault.at === 'confirmed') die()
      held = true
    }
    const writer = machine.files.create(path, mode)
    if (path !== JOURNAL) return writer
    return {
      ...writer,
      write(bytes) {
        if ((decodeUtf8(bytes) ?? '').trim() === String(fault.at)) suffer()
        writer.write(bytes)
      },
    }
  },
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

const faulty: Machine = { ...machine, files }
serve(faulty, fault)
