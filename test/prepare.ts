import { fetchCrossMusl } from '../agent/build/cross-musl.mjs'
import {
  HOST_PROGRAMS,
  installPackages,
  isInstalled,
  missingPackages,
  type Programs,
} from './hosts/programs.ts'
import { ensureRootfs } from './hosts/rootfs.ts'
import { nodes, releases } from './releases/chosen.ts'
import { ensureNode } from './releases/nodes.ts'
import { announce } from './support/announce.ts'
import { type Lacks, type Need, whyNot } from './support/needs.ts'

/** What the build uses beside gcc. */
const BUILD_PROGRAMS: Programs = { 'musl-gcc': 'musl-tools' }

/** What the tests use beside that, where no real host is needed. */
export const TEST_PROGRAMS: Programs = {
  git: 'git',
  script: 'bsdutils',
  pkill: 'procps',
  sshd: 'openssh-server',
  tmux: 'tmux',
  man: 'man-db',
  mandoc: 'mandoc',
  zsh: 'zsh',
  ksh: 'ksh',
  busybox: 'busybox',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
}

/** Installs what this machine lacks, where that is possible, and builds what the test hosts start from. */
export async function prepare(more: Programs = {}): Promise<Prepared> {
  try {
    await installMissing({ ...BUILD_PROGRAMS, ...HOST_PROGRAMS, ...more })
    const leftOut = whyNot('real hosts')
    if (leftOut === undefined) await ensureRootfs()
    return { leftOut, broken: false }
  } catch (error) {
    return { leftOut: messageOf(error), broken: true }
  }
}

export interface Prepared {
  /** Why the tests on real hosts cannot run. */
  readonly leftOut: string | undefined
  /** Whether that is a failure, and not just a machine without root or apt-get. */
  readonly broken: boolean
}

/** Fetches what the agent for another platform is built with. Why it could not, where it could not. */
export function prepareOtherAgent(): Lacks {
  if (!isInstalled('aarch64-linux-gnu-gcc')) return {}
  try {
    fetchCrossMusl('linux-aarch64')
    return {}
  } catch (error) {
    console.log(messageOf(error))
    return { 'aarch64 agent': 'apt-get cannot fetch musl for linux-aarch64' }
  }
}

/** Fetches the other releases of Node and Debian that the tests run on. What could not be fetched, with the reason. */
export async function prepareReleases(): Promise<Lacks> {
  const tried = [
    ...nodes().map(release =>
      attempt(`node ${release}`, () => ensureNode(release), `npm cannot fetch Node ${release}`),
    ),
    ...releases().map(release =>
      attempt(`hosts of ${release}`, () => ensureRootfs(release), `debootstrap cannot fetch ${release}`),
    ),
  ]
  return Object.assign({}, ...(await Promise.all(tried))) as Lacks
}

async function attempt(need: Need, fetch: () => Promise<string>, failure: string): Promise<Lacks> {
  if (whyNot(need) !== undefined) return {}
  try {
    await fetch()
    return {}
  } catch (error) {
    console.log(messageOf(error))
    return { [need]: failure }
  }
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
