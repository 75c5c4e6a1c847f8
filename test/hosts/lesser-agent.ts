/// <reference path="../../agent/host/native.d.ts" />
/** The agent as a build would be that has one kind of step less, and one field less of what was before a step. */
import { machine } from '../../agent/host/qjs.ts'
import { serve } from '../../agent/session.ts'
import { befores } from '../../agent/store/read-journal.ts'
import { steps } from '../../src/protocol/decode.ts'
import { list, literal, record, text } from '../../src/protocol/decoders.ts'

const known: { -readonly [K in keyof typeof steps]?: (typeof steps)[K] } = steps
delete known.link

const fewer = { kind: literal('enablement'), links: list(record({ path: text, target: text })) }
Object.assign(befores, { enablement: record(fewer) })

serve(machine, { version: '0.0.9', build: '0123456789' })
