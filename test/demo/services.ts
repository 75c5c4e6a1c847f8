import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the page says, or why there is none. */
export async function get(url: string): Promise<string> {
  try {
    return (await (await fetch(url)).text()).trim()
  } catch {
    return NO_ANSWER
  }
}

/** The addresses of a name, asked of one name server, or why there are none. */
export async function lookUp(name: string, server: string): Promise<string> {
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([server])
  try {
    return (await resolver.resolve4(name)).join(' ')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Gets a page again and again until the work is over. */
export async function getDuring(work: Promise<void>, url: string): Promise<Answers> {
  const ended = new AbortController()
  const watched = work.finally(() => ended.abort())
  const [answers] = await Promise.all([getUntil(ended.signal, url), watched])
  return answers
}

export interface Answers {
  readonly count: number
  readonly longestSilenceMs: number
}

const NO_ANSWER = 'no answer'

async function getUntil(ended: AbortSignal, url: string): Promise<Answers> {
  let count = 0
  let longestSilenceMs = 0
  let last = performance.now()
  while (!ended.aborted) {
    if ((await get(url)) !== NO_ANSWER) {
      count++
      longestSilenceMs = Math.max(longestSilenceMs, performance.now() - last)
      last = performance.now()
    }
    await sleep(2)
  }
  return { count, longestSilenceMs: Math.max(longestSilenceMs, performance.now() - last) }
}
