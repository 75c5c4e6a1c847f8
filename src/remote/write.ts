/** Writing as Channel promises it: with backpressure, and never failing. */
import type { Writable } from 'node:stream'

export function writeTo(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.writable || stream.write(bytes)) return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      for (const event of EVENTS) stream.off(event, done)
      resolve()
    }
    for (const event of EVENTS) stream.on(event, done)
  })
}

/** Whichever comes first: room, or the news that there will never be any. */
const EVENTS = ['drain', 'close', 'error', 'finish']
