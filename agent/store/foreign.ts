import type { Obstacle } from '../../src/protocol/messages.ts'

/** Something on this host that another build has to deal with. It is kept, and stops every session. */
export class Foreign extends Error {
  readonly obstacle: Obstacle
  constructor(what: string, hint: string) {
    super(what)
    this.obstacle = { what, hint }
  }
}

/** Of a file that is of no deployment's making alone. */
export function writtenByNewer(path: string): Foreign {
  return new Foreign(
    `cannot read '${path}': a newer version of git-deploy wrote it`,
    'use that version, or a newer one',
  )
}
