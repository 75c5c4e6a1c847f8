/** A Shell whose host is this machine: programs run as children of `sh -c`. */
import { spawn } from 'node:child_process'
import { hostName, must } from '../../src/plan/names.ts'
import { childChannel } from '../../src/remote/child-channel.ts'
import type { Shell } from '../../src/remote/shell.ts'

export function localShell(
  options: { readonly env?: NodeJS.ProcessEnv; readonly user?: string } = {},
): Shell {
  return {
    host: must(hostName, 'here'),
    user: options.user ?? 'root',
    run: async command =>
      childChannel(spawn('sh', ['-c', command], { stdio: 'pipe', env: options.env ?? process.env })),
    close: () => {},
  }
}
