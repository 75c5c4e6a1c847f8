/** Reading the journal of a predecessor, which may have been of another build. */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { id, object, step, unit } from '../../src/protocol/decode.ts'
import {
  type Decoder,
  integer,
  later,
  list,
  literal,
  nullable,
  ProtocolError,
  record,
  text,
  Unknown,
  variant,
} from '../../src/protocol/decoders.ts'
import { isReadable, whole } from '../../src/protocol/format.ts'
import type { Identity } from '../agent.ts'
import type { Machine } from '../host/machine.ts'
import { JOURNAL } from '../host/paths.ts'
import { Foreign } from './foreign.ts'
import type { Before, FormatLine, Header, Journal, Prepared, Was } from './journal.ts'

/**
 * The journal at `path`; undefined where there is none. 'empty': killed while it wrote the header. 'damaged': no killed
 * agent leaves that. Throws Foreign where another build has written what this one does not know.
 */
export function readJournal(
  machine: Machine,
  identity: Identity,
  path = JOURNAL,
): Journal | 'empty' | 'damaged' | undefined {
  const raw = machine.files.read(path)
  if (raw === undefined) return undefined
  // What is behind the last newline was cut off while it was written: it had not begun to count.
  const lines = linesOf(raw.subarray(0, raw.lastIndexOf(NEWLINE) + 1))
  const { format, rest } = splitFormat(lines)
  if (lines.length === 0 || (format && rest.length === 0)) return 'empty'
  try {
    return decodeLines(machine, format, rest)
  } catch (error) {
    // No build writes what it does not know itself.
    if (error instanceof Unknown && format?.build !== identity.build)
      throw cutOffElsewhere(format, rest[0], identity)
    if (error instanceof ProtocolError) return 'damaged'
    throw error
  }
}

function decodeLines(machine: Machine, format: FormatLine | undefined, lines: readonly unknown[]): Journal {
  if (format && !isReadable('journal', format)) throw new Unknown('its format is not known')
  const [first, second = [], ...marks] = lines
  const header = decodeHeader(first, 'header')
  const prepared = decodePrepared(second, 'prepared')
  // A mark that cannot be read may have been of any step: all count as begun, as after a power cut.
  const known = header.bootId === machine.bootId() && marks.every(Number.isSafeInteger)
  return { header, prepared, begun: known ? Math.max(-1, ...(marks as number[])) : prepared.length - 1 }
}

function splitFormat(lines: readonly unknown[]): {
  readonly format?: FormatLine
  readonly rest: readonly unknown[]
} {
  const [first, ...rest] = lines
  try {
    // Open to fields of later formats.
    return { format: decodeFormat(first, 'format'), rest }
  } catch {
    return { rest: lines }
  }
}

function linesOf(raw: Uint8Array): unknown[] {
  const content = decodeUtf8(raw)
  return (content ?? '?').split('\n').filter(Boolean).map(parse)
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function cutOffElsewhere(format: FormatLine | undefined, header: unknown, own: Identity): Foreign {
  const { id = '' } = (header ?? {}) as Partial<Header>
  const what = `deployment ${format?.deployment ?? id} was cut off on this host under ${nameOf(format, own)}`
  return new Foreign(what, "run 'git deploy ping' with that version to end it")
}

/** The build is of interest only where the version tells nothing. */
function nameOf(format: FormatLine | undefined, own: Identity): string {
  if (format === undefined) return 'another version of git-deploy'
  const { version, build } = format
  return version === own.version ? `git-deploy ${version}, build ${build}` : `git-deploy ${version}`
}

const NEWLINE = 10

const decodeFormat = record<FormatLine>({ format: integer, deployment: id, version: text, build: text })

const decodeHeader = whole(
  record<Header>({
    id,
    operator: text,
    from: nullable(object),
    to: object,
    started: integer,
    bootId: text,
  }),
)

const was = variant<Was, 'kind'>(
  {
    absent: record<Was & { kind: 'absent' }>({ kind: literal('absent') }),
    link: record<Was & { kind: 'link' }>({ kind: literal('link'), target: text }),
    file: record<Was & { kind: 'file' }>({ kind: literal('file'), backup: text }),
  },
  'kind',
)

/** What is known of each kind of record of what was before. */
export const befores: { readonly [K in Before['kind']]: Decoder<Extract<Before, { kind: K }>> } = {
  nothing: record<Before & { kind: 'nothing' }>({ kind: literal('nothing') }),
  app: record<Before & { kind: 'app' }>({
    kind: literal('app'),
    current: nullable(text),
    previous: nullable(text),
  }),
  path: record<Before & { kind: 'path' }>({ kind: literal('path'), was, madeDirectories: list(text) }),
  units: record<Before & { kind: 'units' }>({
    kind: literal('units'),
    running: list(unit),
    retried: later(list(unit)),
    beside: later(list(unit)),
  }),
  enablement: record<Before & { kind: 'enablement' }>({
    kind: literal('enablement'),
    links: list(record({ path: text, target: text })),
    directories: later(list(text)),
  }),
}

const decodePrepared: Decoder<readonly Prepared[]> = list(
  whole(record<Prepared>({ step, before: variant<Before, 'kind'>(befores, 'kind') })),
)
