/// <reference path="../../agent/host/native.d.ts" />
/**
 * The agent, as it is, on a machine that is a directory and takes itself for a real host: systemd is modelled, and the
 * fault in /run/model/fault strikes before one of the operations that change something.
 */
import * as native from 'native'
import type { Machine } from '../../agent/host/machine.ts'
import { SystemFailure } from '../../agent/host/machine.ts'
import { machine } from '../../agent/host/qjs.ts'
import { serve } from '../../agent/session.ts'
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { filesAround } from '../support/around-files.ts'
import type { Fault } from './fault.ts'
import { resolved, runSystemd } from './systemd.ts'

declare const VERSION: string
declare const BUILD: string

const FAULT = '/run/model/fault'
const raw = machine.files.read(FAULT)
const fault: Fault | undefined = raw && JSON.parse(decodeUtf8(raw)!)
let operations = 0
let cut = false

/** An operation that changes something, or half of it. */
function operate<T>(act: () => T, half?: () => void): T {
  if (++operations === fault?.at) strike(fault, half)
  return act()
}

function strike({ kind, torn }: Fault, half?: () => void): void {
  machine.files.unlink(FAULT)
  if (kind === 'cut') {
    cut = true
    native.close(0)
    native.close(1)
    return
  }
  if (kind === 'orphan' || kind === 'both')
    machine.run(['sh', '-c', 'set -- $(cat /proc/$PPID/stat); kill -KILL $4'])
  if (kind === 'orphan') return
  if (torn) half?.()
  machine.run(['sh', '-c', 'kill -KILL $PPID'])
  throw new Error('survived kill -9')
}

const { files: real } = machine

const files = filesAround(real, (_, act, half) => operate(act, half))

const modelled: Machine = {
  ...machine,
  root: '',
  systemd: true,
  files,
  bootId: () => decodeUtf8(real.read('/run/model/boot')!)!,
  write: bytes => !cut && machine.write(bytes),
  input: { read: ms => (cut ? 'end' : machine.input.read(ms)) },
  run: (argv, options) => {
    if (argv[0] === 'getent') throw new SystemFailure('ENOENT', 'getent')
    // Anything else is a command of 'validate'.
    return operate(() => runSystemd(real, argv) ?? machine.run(argv, options))
  },
  probe: place => {
    if ('path' in place && real.stat(resolved(real, place.path))) return ''
    throw new SystemFailure('ENOENT', 'connect')
  },
}

serve(modelled, { version: VERSION, build: BUILD })
