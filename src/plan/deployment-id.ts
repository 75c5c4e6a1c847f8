/**
 * A deployment's id: a UTC second and 40 random bits, as in 20261123T074502-3f9a1c0b7e. The second is that of an operator's
 * clock, which may be anything: no order comes from it.
 */
import type { Brand } from './names.ts'

export type DeploymentId = Brand<'DeploymentId'>

const ID = /^\d{8}T\d{6}-[0-9a-f]{10}$/

export function deploymentId(text: string): DeploymentId | undefined {
  return ID.test(text) ? (text as DeploymentId) : undefined
}

/** The random bits are against two operators in one second. */
export function newDeploymentId(now: Date, random: (bytes: number) => Uint8Array): DeploymentId {
  const second = now.toISOString().slice(0, 19).replace(/[-:]/g, '')
  const bits = Array.from(random(5), byte => byte.toString(16).padStart(2, '0')).join('')
  return `${second}-${bits}` as DeploymentId
}
