import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { announce } from '../support/announce.ts'
import { output } from '../support/execute.ts'
import { CACHE } from './cache.ts'

const RECIPE = fileURLToPath(new URL('rootfs.sh', import.meta.url))

/** What else than Debian's bookworm hosts run in tests: two of its other releases, and one of Ubuntu, for its Git. */
export const OTHER_RELEASES = ['trixie', 'bullseye', 'jammy'] as const
export type OtherRelease = (typeof OTHER_RELEASES)[number]
export type Release = 'bookworm' | OtherRelease

/** What the hosts of this process run. */
export const HOSTS = (process.env['GIT_DEPLOY_HOSTS'] ?? 'bookworm') as Release

/**
 * Beside what every host has. The others are operators' machines as well; that hosts need no Git shows on bookworm.
 * Of the Debians, trixie has Ubuntu's keys.
 */
const PACKAGES: Readonly<Record<Release, string>> = {
  bookworm: '',
  trixie: 'git,man-db,ubuntu-keyring',
  bullseye: 'git,man-db',
  jammy: 'git,man-db',
}

/** The directory of a root file system, built where missing. Safe to call from many processes. */
export async function ensureRootfs(release: Release = HOSTS): Promise<string> {
  const rootfs = rootfsOf(release)
  if (existsSync(rootfs)) return rootfs
  const options = release === 'jammy' ? await ubuntu() : []
  await announce(`building ${rootfs} with debootstrap (once, about a minute)`, () =>
    output(['bash', RECIPE, rootfs, release, PACKAGES[release], ...options]),
  )
  return rootfs
}

/** Where it is once it has been built. */
export function rootfsOf(release: Release): string {
  const recipe = createHash('sha256').update(readFileSync(RECIPE)).update(PACKAGES[release])
  return `${CACHE}/${release}-${recipe.digest('hex').slice(0, 10)}`
}

async function ubuntu(): Promise<string[]> {
  const keys = `${await ensureRootfs('trixie')}/usr/share/keyrings/ubuntu-archive-keyring.gpg`
  return [`--keyring=${keys}`, '--components=main,universe']
}
