/** What a host that was asked says about itself: a line for each finding, 'ok' where there is none. */
import { type Answered, runsAnother } from '../../inspected.ts'
import type { FileDrift, Finding, LinkDrift } from '../../plan/drift.ts'
import type { Oid } from '../../plan/names.ts'
import type { Verified } from '../../protocol/messages.ts'
import { printable, quoted } from '../clean.ts'
import type { Colors } from '../terminal.ts'
import { atMost } from './at-most.ts'
import { lockedBy } from './ends.ts'
import { recoveredText } from './events.ts'

/** `recorded` is the commit that this repository knows to be deployed there. */
export function driftLines(answer: Answered, recorded: Oid, colors: Colors): string[] {
  const { host, hello, verified } = answer
  const bad = atMost(
    [...elsewhere(answer, recorded), ...verified.findings.map(findingText)],
    count => `… and ${count} more`,
  )
  const notes = [...inProgress(verified), ...recovered(hello), ...lastFailed(verified)]
  const lines = [...bad.map(line => colors.red(line)), ...notes.map(line => colors.yellow(line))]
  if (bad.length === 0 && verified.pending === null) lines.unshift(colors.green('ok'))
  return lines.map(line => `${host}  ${line}`)
}

function elsewhere(answer: Answered, recorded: Oid): string[] {
  const { hello } = answer
  if (!runsAnother(answer, recorded)) return []
  return [
    hello.current === null
      ? `has no record of any deployment; this repository has deployed ${recorded.slice(0, 7)} there`
      : `runs ${hello.current.slice(0, 7)}, this repository knows of ${recorded.slice(0, 7)}`,
  ]
}

const FILE_WORDS: { readonly [how in FileDrift]: string } = {
  missing: 'is missing',
  changed: 'was changed',
  mode: 'has another mode',
  owner: 'has another owner',
  kind: 'is no plain file any more',
  extra: 'was not deployed',
}

const LINK_WORDS: { readonly [how in LinkDrift]: string } = {
  missing: 'is missing: a link of ours was there',
  elsewhere: 'leads elsewhere than it should',
  foreign: 'is not ours any more: something else has taken the place of our link',
}

const WORDS: {
  readonly [K in Finding['kind']]: (finding: Extract<Finding, { kind: K }>) => string
} = {
  file: ({ app, path, how }) => `${quoted(`${app}/${path}`)} ${FILE_WORDS[how]}`,
  more: ({ app, count }) => `${quoted(app)}: … and ${count} more files`,
  current: ({ app, found }) =>
    found === null
      ? `${quoted(app)} does not run: its 'current' is missing`
      : `${quoted(app)} does not run: its 'current' leads to '${printable(found)}'`,
  link: ({ path, how }) => `${quoted(path)} ${LINK_WORDS[how]}`,
  disabled: ({ unit, state }) => `${unit} is ${printable(state)}, and should be enabled`,
  unit: ({ unit, state }) => `${unit} ${printable(state)}`,
  leftoverApp: ({ app }) => `${quoted(app)} is left over: no such app is deployed`,
  leftoverLink: ({ path }) => `${quoted(path)} is left over: a link of ours that nothing declares`,
  leftoverUnit: ({ unit }) => `${unit} is left over: enabled by us, and declared by nothing`,
  object: ({ oid }) => `the host's store has lost the object ${oid}, or part of it`,
  journal: () => 'a deployment was cut off, and its journal cannot be read',
  damaged: ({ id, why }) => `deployment ${printable(id)} was undone, but not everything: ${printable(why)}`,
}

export function findingText(finding: Finding): string {
  return (WORDS[finding.kind] as (finding: Finding) => string)(finding)
}

function inProgress({ pending }: Verified): string[] {
  return pending ? [`is being deployed to, ${lockedBy(pending)}`] : []
}

function recovered({ recovered }: Answered['hello']): string[] {
  return recovered ? [recoveredText(recovered)] : []
}

function lastFailed({ last }: Verified): string[] {
  if (last?.outcome !== 'undone') return []
  return [`the last deployment, ${printable(last.id)}, was rolled back: ${printable(last.why)}`]
}
