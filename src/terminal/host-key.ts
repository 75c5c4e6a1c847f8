/** ssh's question about a host whose key is not known yet. */
import { printable } from './clean.ts'
import { readLine } from './prompt.ts'
import type { Terminal } from './terminal.ts'
import { wrap } from './wrap.ts'

interface UnknownKey {
  readonly host: string
  readonly address: string
  readonly type: string
  readonly fingerprint: string
}

/** Whether the operator says that this is the host's key: only the whole word counts, or the fingerprint itself. */
export function confirmHostKey(key: UnknownKey, terminal: Terminal): Promise<boolean> {
  const { live } = terminal
  return live ? live.hold(() => confirm(key, terminal)) : confirm(key, terminal)
}

const QUESTION = 'Trust this key and remember it? (yes/no/[fingerprint])'

async function confirm(key: UnknownKey, terminal: Terminal): Promise<boolean> {
  const { input } = terminal
  if (!input) return false
  const name = key.address === key.host ? `'${key.host}'` : `'${key.host}' (${printable(key.address)})`
  terminal.note(`The authenticity of host ${name} cannot be established.`)
  terminal.note(`${printable(key.type)} key fingerprint is ${printable(key.fingerprint)}`)
  const abort = new AbortController()
  const release = terminal.onInterrupt(() => abort.abort())
  try {
    for (;;) {
      terminal.prompt(`${wrap(QUESTION.split(' '), terminal.columns - 2).join('\n')} `)
      const answer = (await readLine(input, abort.signal))?.trim()
      if (answer === undefined || answer === 'no') return false
      if (answer === 'yes' || answer === key.fingerprint) return true
      terminal.note("type 'yes', 'no' or the fingerprint")
    }
  } finally {
    release()
  }
}
