import type { DeploymentId } from '../protocol/messages.ts'

/** An id that sorts by time: the UTC second, and 40 random bits against two operators in one second. */
export function deploymentId(now: Date, random: (bytes: number) => Uint8Array): DeploymentId {
  const second = now.toISOString().slice(0, 19).replace(/[-:]/g, '')
  return `${second}-${Buffer.from(random(5)).toString('hex')}`
}
