/** What some tests need and not every machine has. A test that needs what is not here is skipped, with the reason. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { crossMusl } from '../../agent/build/cross-musl.mjs'
import { HOST_PROGRAMS, isInstalled, missingPackages } from '../hosts/programs.ts'
import { OTHER_RELEASES, type OtherRelease } from '../hosts/rootfs.ts'
import { NODES, type NodeRelease } from '../releases/nodes.ts'

export const GIT_COMPLETION = '/usr/share/bash-completion/completions/git'

/** Each: why it is not here, or undefined. */
const WHY_NOT = {
  'real hosts': whyNoRealHosts,
  root: () => (isRoot() ? undefined : 'only root can give files to others'),
  'no root': () => (isRoot() ? 'root can read everything' : undefined),
  mounts: () =>
    spawnSync('unshare', ['--mount', 'true']).status === 0 ? undefined : 'mounts are not allowed',
  sshd: () => whyNoProgram('sshd') ?? (isRoot() ? undefined : 'an sshd that is not root lets nobody in'),
  tmux: () => whyNoProgram('tmux'),
  zsh: () => whyNoProgram('zsh'),
  busybox: () => whyNoProgram('busybox'),
  ksh: () => whyNoProgram('ksh'),
  mandoc: () => whyNoProgram('mandoc'),
  'git completion': () => (existsSync(GIT_COMPLETION) ? undefined : `there is no ${GIT_COMPLETION}`),
  reftable: whyNoReftable,
  'aarch64 agent': whyNoOtherAgent,
  // Fetched when it is needed, so nothing is in its way but what was tried in vain.
  ...(Object.fromEntries(NODES.map(release => [`node ${release}`, () => undefined])) as {
    readonly [K in `node ${NodeRelease}`]: Why
  }),
  ...(Object.fromEntries(OTHER_RELEASES.map(release => [`hosts of ${release}`, whyNoRealHosts])) as {
    readonly [K in `hosts of ${OtherRelease}`]: Why
  }),
} satisfies Readonly<Record<string, Why>>

type Why = () => string | undefined

export type Need = keyof typeof WHY_NOT

/** What was tried in vain before the tests, each with the reason. */
export type Lacks = { readonly [K in Need]?: string }

/** In which test/run.mjs tells its lacks to the tests, as JSON. */
const LACKS = 'GIT_DEPLOY_LACKS'

export function tellLacks(env: NodeJS.ProcessEnv, lacks: Lacks): void {
  env[LACKS] = JSON.stringify({ ...toldLacks(env), ...lacks })
}

/** Options for `test`: what it needs is here, or it is skipped. */
export function needs(...wanted: readonly Need[]): { readonly skip: string | false } {
  return { skip: wanted.map(whyNot).find(reason => reason !== undefined) ?? false }
}

export function whyNot(need: Need): string | undefined {
  return toldLacks(process.env)[need] ?? WHY_NOT[need]()
}

/** Every reason for which this machine skips some test. */
export function reasons(): string[] {
  const all = (Object.keys(WHY_NOT) as Need[]).flatMap(need => whyNot(need) ?? [])
  return [...new Set(all)]
}

function toldLacks(env: NodeJS.ProcessEnv): Lacks {
  return JSON.parse(env[LACKS] ?? '{}') as Lacks
}

function whyNoRealHosts(): string | undefined {
  if (process.platform !== 'linux') return 'test hosts need Linux'
  if (!isRoot()) return 'test hosts need root'
  const missing = missingPackages(HOST_PROGRAMS)
  return missing.length > 0 ? `test hosts need the packages ${missing.join(' ')}` : undefined
}

function whyNoProgram(name: string): string | undefined {
  return isInstalled(name) ? undefined : `${name} is not installed`
}

function whyNoOtherAgent(): string | undefined {
  const lacking = ['qemu-aarch64-static', 'aarch64-linux-gnu-gcc'].map(whyNoProgram).find(Boolean)
  return lacking ?? (crossMusl('linux-aarch64') ? undefined : 'there is no musl for linux-aarch64')
}

function whyNoReftable(): string | undefined {
  const git = (...args: string[]) => spawnSync('git', args, { encoding: 'utf8' }).stdout
  if (git('init', '-h').includes('--ref-format')) return undefined
  return `${git('version').trim().replace('git version', 'git')} has no reftable`
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
