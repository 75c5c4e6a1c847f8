import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ensureRootfs } from './rootfs.ts'
import { TestHost } from './test-host.ts'

const GUARDIAN = fileURLToPath(new URL('guardian.sh', import.meta.url))

/**
 * Boots pristine Debian hosts, all at once, and resolves when they are up. They are the caller's own, on addresses
 * that nobody else on this machine uses, until the test (or whatever `owner` is) ends or this process does.
 */
export async function bootHosts(
  owner: Owner,
  names: readonly string[],
  { storage = 'memory' }: BootOptions = {},
): Promise<TestHost[]> {
  const rootfs = await ensureRootfs()
  return Promise.all(
    names.map(async name => {
      const guardian = startGuardian([rootfs, name, storage])
      owner.after(() => stop(guardian))
      const host = new TestHost(name, await hostNumber(guardian))
      await host.untilUp()
      return host
    }),
  )
}

/** A test's context, or the functions of node:test themselves. */
export interface Owner {
  after(release: () => Promise<void>): void
}

export interface BootOptions {
  /**
   * Where a host's changes are kept. Only `disk` pays for fsync(2), which matters when time is measured. An `image` is
   * an ext4 of its own, of which a power cut loses what was not synced.
   */
  readonly storage?: 'memory' | 'disk' | 'image'
}

function startGuardian(args: readonly string[]): ChildProcess {
  // In a session of its own, so that a Ctrl-C meant for the tests leaves it the time to clean up.
  return spawn('unshare', ['--mount', 'bash', GUARDIAN, ...args], { detached: true })
}

async function hostNumber(guardian: ChildProcess): Promise<number> {
  const complaint = text(guardian.stderr!)
  for await (const line of guardian.stdout!) return Number(line)
  throw new Error(`no test host: ${await complaint}`)
}

async function stop(guardian: ChildProcess): Promise<void> {
  if (guardian.exitCode !== null) return
  const ended = once(guardian, 'exit')
  guardian.stdin!.end()
  await ended
}
