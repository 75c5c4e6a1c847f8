import { OTHER_RELEASES, type OtherRelease } from '../hosts/rootfs.ts'
import { NODES, type NodeRelease } from './nodes.ts'

/** Whether the tests run on every release, or on one of each kind. */
export function everyRelease(): boolean {
  return process.env['GIT_DEPLOY_RELEASES'] === 'all'
}

/** Of Node: the oldest, or every one. */
export function nodes(): readonly NodeRelease[] {
  return everyRelease() ? NODES : NODES.slice(0, 1)
}

/** Of what hosts and operators' machines run beside bookworm. */
export function releases(): readonly OtherRelease[] {
  return everyRelease() ? OTHER_RELEASES : OTHER_RELEASES.slice(0, 1)
}
