import { ensureRootfs, type OtherRelease } from '../hosts/rootfs.ts'
import { ensureNode } from './nodes.ts'
import { type Machine, TOP } from './rerun.ts'

/**
 * A machine that an operator with that release has: its Git, its OpenSSH and its manual pages, and the oldest Node that
 * we run on. It sees this directory, and what is written elsewhere is lost.
 */
export async function operatorsMachine(release: OtherRelease): Promise<Machine> {
  const [root, bin] = [await ensureRootfs(release), await ensureNode('20.10.0')]
  const options = [
    '--quiet',
    '--register=no',
    '--keep-unit',
    `--directory=${root}`,
    '--volatile=overlay',
    `--bind-ro=${TOP}`,
    `--bind-ro=${bin}`,
    '--resolv-conf=off',
    '--timezone=off',
    '--pipe',
    '--as-pid2',
    `--chdir=${TOP}`,
  ]
  const variables = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C.UTF-8' }
  return {
    enter: [
      'env',
      'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1',
      'systemd-nspawn',
      ...options,
      ...Object.entries(variables).map(([name, value]) => `--setenv=${name}=${value}`),
    ],
    node: `${bin}/node`,
  }
}
