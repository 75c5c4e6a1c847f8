import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { output } from '../support/execute.ts'

/** Programs by name, each with the Debian package that brings it. */
export type Programs = Readonly<Record<string, string>>

export const HOST_PROGRAMS: Programs = {
  debootstrap: 'debootstrap',
  'systemd-nspawn': 'systemd-container',
  ssh: 'openssh-client',
  findmnt: 'mount',
}

/** The packages of the programs that this machine lacks. */
export function missingPackages(programs: Programs): string[] {
  return Object.entries(programs).flatMap(([program, name]) => (isInstalled(program) ? [] : [name]))
}

/** Rejects with what apt-get said. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await output(['apt-get', 'update', '-q'], { env })
  await output(['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages], { env })
}

export function isInstalled(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some(folder => existsSync(join(folder, program)))
}
