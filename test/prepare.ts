import {
  HOST_PROGRAMS,
  installPackages,
  isInstalled,
  missingPackages,
  type Programs,
} from './hosts/programs.ts'
import { whyNoRealHosts } from './hosts/real-hosts.ts'
import { ensureRootfs } from './hosts/rootfs.ts'
import { announce } from './support/announce.ts'

/** What the build uses beside gcc. */
const BUILD_PROGRAMS: Programs = { 'musl-gcc': 'musl-tools' }

/** What the tests of manual pages, completion and the agent for another platform use beside that. */
export const TEST_PROGRAMS: Programs = {
  mandoc: 'mandoc',
  zsh: 'zsh',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
}

/** Installs what this machine lacks, where that is possible, and builds what the test hosts start from. */
export async function prepare(more: Programs = {}): Promise<Prepared> {
  try {
    await installMissing({ ...BUILD_PROGRAMS, ...HOST_PROGRAMS, ...more })
    const leftOut = whyNoRealHosts()
    if (leftOut === undefined) await ensureRootfs()
    return { leftOut, broken: false }
  } catch (error) {
    return { leftOut: error instanceof Error ? error.message : String(error), broken: true }
  }
}

export interface Prepared {
  /** Why the tests on real hosts cannot run. */
  readonly leftOut: string | undefined
  /** Whether that is a failure, and not just a machine without root or apt-get. */
  readonly broken: boolean
}

async function installMissing(programs: Programs): Promise<void> {
  const missing = missingPackages(programs)
  if (missing.length === 0) return
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    await announce(`installing ${missing.join(' ')}`, () => installPackages(missing))
  } else {
    console.log(`missing, and not installed without root and apt-get: ${missing.join(' ')}`)
  }
}
