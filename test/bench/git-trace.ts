/** What GIT_TRACE2_EVENT writes, api-trace2(7): a JSON object a line. */

export interface GitTrace {
  /** The git commands in the order in which they began; `at` in milliseconds since 1970. */
  readonly began: readonly { readonly name: string; readonly at: number }[]
}

export function readTrace(text: string): GitTrace {
  const events = text.split('\n').filter(Boolean).map(asEvent)
  const began = events
    .filter(({ event }) => event === 'start')
    .map(({ argv, time }) => ({ name: argv?.[1] ?? '', at: milliseconds(time) }))
  return { began: began.sort((a, b) => a.at - b.at) }
}

interface Event {
  readonly event: string
  readonly time: string
  readonly argv?: readonly string[]
}

function asEvent(line: string): Event {
  return JSON.parse(line) as Event
}

/** '2026-11-23T08:16:38.123456Z'; Date.parse would drop the microseconds. */
function milliseconds(time: string): number {
  const [, seconds, micros] = /^(.*)\.(\d{6})Z$/.exec(time) ?? []
  return Date.parse(`${seconds}Z`) + Number(micros) / 1000
}
