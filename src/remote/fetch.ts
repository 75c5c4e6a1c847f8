/** What a host has to tell: its history, and how deployments ended there. */

import type { DeploymentId } from '../plan/deployment-id.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { InProgress, LoggedDeployment, ObjectChunk } from '../protocol/messages.ts'
import { printable } from './clean.ts'
import { unexpected } from './refused.ts'
import { openSession, type Session } from './session.ts'
import { type Connection, HostError } from './transport.ts'

export interface Fetched {
  /** The commit that holds on the host. */
  readonly current: Oid | null
  /** The oldest first. */
  readonly log: readonly LoggedDeployment[]
  /** Deployments of which a newer version has recorded the outcome, in words that the agent does not know. */
  readonly unread: readonly DeploymentId[]
  /** The deployment under way there. */
  readonly inProgress: InProgress | null
  /** By how much this clock is ahead of the host's, in milliseconds. */
  readonly aheadMs: number
}

interface FetchOptions {
  /** The newest commit of this host that we have. */
  readonly have: Oid | null
  /** Takes objects as they come. No more are read from the host until it has resolved. */
  receive(objects: readonly ObjectChunk[]): Promise<void>
}

/** How long a host may be silent while it reads its history, in milliseconds. */
const SILENCE_MS = 60_000

/** Rejects with HostError. The caller closes the connection. */
export async function fetchHistory(connection: Connection, options: FetchOptions): Promise<Fetched> {
  const { have, receive } = options
  const session = await openSession(connection, { flight: () => [{ type: 'fetch', have }] })
  try {
    assertName(connection, session)
    for (;;) {
      const reply = await session.next(SILENCE_MS)
      if (reply.type === 'objects') await receive(reply.objects)
      else if (reply.type === 'fetched')
        return { ...reply, inProgress: session.hello.pending, aheadMs: session.aheadMs }
      else if (reply.type === 'refused' && reply.refusal.kind === 'error')
        throw historyLost(connection.host, reply.refusal.message)
      else throw unexpected(connection, 'fetch', reply)
    }
  } finally {
    session.close()
  }
}

/** A disk that lost old objects: what runs is whole as a rule, and another clone has the rest. */
function historyLost(host: HostName, why: string): HostError {
  const ref = `refs/deptool/${host}`
  return new HostError(
    host,
    'protocol',
    `cannot read the host's history: ${printable(why)}`,
    `the running version is not affected; to get the history from a clone that has it, run 'git fetch <clone> ${ref}:${ref}'`,
  )
}

/** What another host says would become this one's history. */
export function assertName({ host }: Connection, { hello }: Session): void {
  if (hello.hostname !== host)
    throw new HostError(
      host,
      'refused',
      `the host calls itself '${hello.hostname}'`,
      `check the address; /etc/hostname on the host must contain the name of its directory, '${host}'`,
    )
}
