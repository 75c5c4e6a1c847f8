import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { output } from '../support/execute.ts'

const INSTALL = fileURLToPath(new URL('install-packages.sh', import.meta.url))

/** Programs by name, each with the Debian package that brings it. */
export type Programs = Readonly<Record<string, string>>

export const HOST_PROGRAMS: Programs = {
  debootstrap: 'debootstrap',
  'systemd-nspawn': 'systemd-container',
  ssh: 'openssh-client',
  mount: 'mount',
  'mkfs.ext4': 'e2fsprogs',
}

/** The packages of the programs that this machine lacks. */
export function missingPackages(programs: Programs): string[] {
  return Object.entries(programs).flatMap(([program, name]) => (isInstalled(program) ? [] : [name]))
}

/** None of their services is started. Rejects with what apt-get said. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  await output(['bash', INSTALL, ...packages])
}

export function isInstalled(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some(folder => existsSync(join(folder, program)))
}
