/** The operator's end of a session with an agent that runs in this process: the agent reads and writes here. */
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import { decodeReplyBytes, encodeMessage } from '../../src/protocol/codec.ts'
import { encodeFrame, FrameReader, MAGIC } from '../../src/protocol/frame.ts'
import type { Deploy, Reply, Request } from '../../src/protocol/messages.ts'
import type { Prepared } from './agent-driver.ts'

export class Conversation {
  readonly replies: Reply[] = []
  readonly #left: Request[]
  readonly #reader = new FrameReader()
  #greeting = MAGIC.length

  /** Each request is said once those before it were answered. */
  constructor(requests: readonly Request[]) {
    this.#left = [...requests]
  }

  told(...types: readonly Reply['type'][]): boolean {
    return this.replies.some(reply => types.includes(reply.type))
  }

  /** As the agent's input.read. */
  readonly read = (): Uint8Array | 'end' | 'timeout' => {
    const [next] = this.#left
    if (next === undefined || this.told('refused', 'undone', 'outcome')) return 'end'
    if (next.type === 'activate' && !this.told('staged')) return 'timeout'
    if ((next.type === 'confirm' || next.type === 'undo') && !this.told('settled')) return 'timeout'
    this.#left.shift()
    return encodeFrame(encodeMessage(next))
  }

  /** As the agent's write. */
  readonly write = (bytes: Uint8Array): boolean => {
    const skip = Math.min(this.#greeting, bytes.length)
    this.#greeting -= skip
    for (const frame of this.#reader.push(bytes.subarray(skip))) this.replies.push(decodeReplyBytes(frame))
    return true
  }
}

/** All that is said to have the version deployed. */
export function confirmed(version: Prepared): Request[] {
  return [...version.requests, { type: 'activate' }, { type: 'confirm', id: idOf(version) }]
}

export function idOf({ requests }: Prepared): DeploymentId {
  return (requests[0] as Deploy).id
}
