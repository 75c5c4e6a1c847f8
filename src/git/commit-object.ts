/** A commit as `git cat-file` prints it: where that answers already, it takes no other process to read one. */
import { type Oid, oid } from '../plan/names.ts'
import { TRAILERS } from './trailers.ts'

export interface CommitObject {
  readonly tree: Oid | undefined
  readonly parents: readonly Oid[]
  readonly author: { readonly name: string; readonly email: string }
  /** The first line of the message. */
  readonly subject: string
  /** What a host's commit says of where its files came from; '' where it does not say. */
  readonly source: string
}

export function parseCommit(content: Uint8Array): CommitObject {
  const text = Buffer.from(content).toString()
  const end = text.indexOf('\n\n')
  const [head, message] = end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 2)]
  const lines = head.split('\n')
  const all = (key: string) =>
    lines.flatMap(line => (line.startsWith(`${key} `) ? line.slice(key.length + 1) : []))
  const [, name = '', email = ''] = /^(.*?) ?<([^<>]*)>/.exec(all('author')[0] ?? '') ?? []
  return {
    tree: oid(all('tree')[0] ?? ''),
    parents: all('parent').flatMap(parent => oid(parent) ?? []),
    author: { name: name || email, email },
    subject: message.trimStart().split('\n', 1)[0]!,
    source: SOURCE.exec(message)?.[1] ?? '',
  }
}

/** The last one: trailers stand at the end. */
const SOURCE = new RegExp(`^[^]*\\n${TRAILERS.source}: *(\\S+)\\s*?(?:\\n|$)`)
