/** An embedded host: a directory of this machine, with an agent of this machine's platform as a child. */
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { arch, platform, userInfo } from 'node:os'
import type { LocalAddress } from './address.ts'
import { type Agents, platformOf } from './agents.ts'
import { childChannel } from './child-channel.ts'
import { type Channel, type Connection, type Env, HostError } from './transport.ts'

/** Throws HostError. */
export function connectLocal({ host, root }: LocalAddress, agents: Agents, env: Env): Connection {
  const binary = agents.platforms.get(platformOf(platform(), arch()))
  if (!binary) {
    throw new HostError(
      host,
      'platform',
      `cannot run the agent here: there is none for ${platform()} ${arch()}`,
    )
  }
  if (!isDirectory(root)) {
    throw new HostError(host, 'unreachable', `cannot find the directory '${root}'`, `mkdir -p ${root}`)
  }
  return {
    host,
    user: userInfo().username,
    agent: agents,
    startAgent: () => start(binary.file, { ...env, DEPTOOL_ROOT: root }),
    installAgent: async () => {
      throw new HostError(host, 'install', `cannot run the agent '${binary.file}'`, 'npm run build')
    },
    close: () => {
      // Each agent ends by itself with its input.
    },
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** In a session of its own, so that Ctrl-C reaches only us, and the agent can undo in order. */
async function start(file: string, env: Env): Promise<Channel> {
  return childChannel(spawn(file, [], { env, cwd: '/', detached: true, stdio: 'pipe' }))
}
