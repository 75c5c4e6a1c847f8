/// <reference path="../../agent/host/native.d.ts" />
/**
 * The agent, as it is, on a machine that is a directory and takes itself for a real host: systemd is simulated, and the
 * fault in /run/model/fault strikes before one of the operations that change something.
 */
import * as native from 'native'
import type { Machine } from '../../agent/host/machine.ts'
import { SystemFailure } from '../../agent/host/machine.ts'
import { machine } from '../../agent/host/qjs.ts'
import { serve } from '../../agent/session.ts'
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { resolved } from '../simulation/unit-files.ts'
import { type Call, watchedFiles } from '../simulation/watched-files.ts'
import type { Fault } from './fault.ts'
import { keepSystemd, readSystemd } from './memory.ts'

declare const VERSION: string
declare const BUILD: string

const FAULT = '/run/model/fault'
const raw = machine.files.read(FAULT)
const fault: Fault | undefined = raw && JSON.parse(decodeUtf8(raw)!)
let operations = 0
let cut = false

/** Before an operation that changes something. Nobody cuts the power here: a sync changes nothing. */
function count({ call, path, half }: Pick<Call, 'half'> & Partial<Call>): void {
  if (call === 'fsync' || call === 'syncfs') return
  operations++
  if (fault && (fault.at === operations || isNamed(fault, `${call} ${path}`))) strike(fault, half)
}

function isNamed({ at }: Fault, operation: string): boolean {
  return typeof at === 'string' && operation.startsWith(at)
}

function strike({ kind, torn }: Fault, half: () => void): void {
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
  if (torn) half()
  machine.run(['sh', '-c', 'kill -KILL $PPID'])
  throw new Error('survived kill -9')
}

const { files: real } = machine

const modelled: Machine = {
  ...machine,
  root: '',
  systemd: true,
  files: watchedFiles(real, count),
  bootId: () => decodeUtf8(real.read('/run/model/boot')!)!,
  write: bytes => !cut && machine.write(bytes),
  input: { read: ms => (cut ? 'end' : machine.input.read(ms)) },
  run: (argv, options) => {
    if (argv[0] === 'getent') throw new SystemFailure('ENOENT', 'getent')
    count({ half: () => {} })
    const systemd = readSystemd(real)
    const ran = systemd.run(argv)
    // Anything else is a command of 'validate'.
    if (ran === undefined) return machine.run(argv, options)
    keepSystemd(real, systemd)
    return ran
  },
  probe: place => {
    if ('path' in place && real.stat(resolved(real, place.path))) return ''
    throw new SystemFailure('ENOENT', 'connect')
  },
}

serve(modelled, { version: VERSION, build: BUILD })
