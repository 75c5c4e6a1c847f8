/** An embedded host: a directory of this machine, with an agent of this machine's platform as a child. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { arch, platform, userInfo } from 'node:os'
import { type Agents, platformOf } from './agents.ts'
import { childChannel } from './child-channel.ts'
import type { LocalAddress } from './ssh/address.ts'
import { type Connection, type Env, HostError } from './transport.ts'

/** Throws HostError. */
export function connectLocal(
  { host, root }: LocalAddress,
  agents: Agents,
  env: Env,
): Omit<Connection, 'now' | 'tellSlow'> {
  const binary = agents.platforms.get(platformOf(platform(), arch()))
  if (!binary) {
    throw new HostError(
      host,
      'platform',
      `cannot run the agent on this machine: there is none for ${platform()} ${arch()}`,
    )
  }
  if (!isDirectory(root)) {
    throw new HostError(host, 'unreachable', `cannot find the directory '${root}'`, `run 'mkdir -p ${root}'`)
  }
  const children: ChildProcessWithoutNullStreams[] = []
  return {
    host,
    user: userInfo().username,
    agent: agents,
    startAgent: async () => {
      const child = start(binary.file, { ...env, DEPTOOL_ROOT: root })
      children.push(child)
      return childChannel(child)
    },
    installAgent: async () => {
      throw new HostError(
        host,
        'install',
        `cannot run the agent '${binary.file}'`,
        "run 'npm run build' to build it",
      )
    },
    isAgentDamaged: async () => false,
    close: () => {
      for (const child of children) leave(child)
    },
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** In a session of its own, so that Ctrl-C reaches only us, and the agent can undo in order. */
function start(file: string, env: Env): ChildProcessWithoutNullStreams {
  return spawn(file, [], { env, cwd: '/', detached: true, stdio: 'pipe' })
}

/** The agent sees that nobody is there any more and does what is then to be done; we do not wait for that. */
function leave(child: ChildProcessWithoutNullStreams): void {
  child.stdin.end()
  child.unref()
  // Pipes to a child are sockets, whatever the types say.
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as Socket).unref()
}
