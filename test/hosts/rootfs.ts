import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { announce } from '../support/announce.ts'
import { output } from '../support/execute.ts'

const RECIPE = fileURLToPath(new URL('rootfs.sh', import.meta.url))
// Outside the repository: built once per machine, not once per clone.
const CACHE = '/var/cache/git-deploy'

/** The directory of the root file system under all test hosts, built where missing. Safe to call from many processes. */
export async function ensureRootfs(): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(RECIPE)).digest('hex').slice(0, 10)
  const rootfs = `${CACHE}/rootfs-${hash}`
  if (!existsSync(rootfs)) {
    await announce(`building ${rootfs} with debootstrap (once, about a minute)`, () =>
      output(['bash', RECIPE, rootfs]),
    )
  }
  return rootfs
}
