/** The agent on a host: starting it, and putting it there over the same connection. */

import { createReadStream } from 'node:fs'
import { BASE, BIN } from '../plan/places.ts'
import { type AgentBinary, type Agents, agentName, platformOf } from './agents.ts'
import { firstLine, lastLine, printable } from './clean.ts'
import { INSTALL_EXIT, INSTALL_MARK, INSTALLED_MARK, installScript } from './install-script.ts'
import { noise } from './noise.ts'
import type { Shell } from './shell.ts'
import { sudoTrouble } from './sudo.ts'
import { type AgentVersion, type Channel, type Exit, HostError, type HostErrorKind } from './transport.ts'

export function startAgent(shell: Shell, agent: AgentVersion): Promise<Channel> {
  return shell.run(asRoot(shell, `${BIN}/${agentName(agent)}`))
}

/** Rejects with HostError; the host then has the agents that it had before. */
export async function installAgent(shell: Shell, agents: Agents, script = installScript()): Promise<void> {
  const channel = await shell.run(asRoot(shell, `sh -c '${script}'`))
  const output = linesOf(channel.stdout)
  const first = (await output.next()).value ?? ''
  const [mark, system, machine] = first.split(' ')
  if (mark !== INSTALL_MARK || !system || !machine) throw await notStarted(shell, channel, first)

  const binary = binaryFor(shell, agents, system, machine)
  if (binary instanceof HostError) {
    channel.end()
    throw binary
  }
  // The script tells what went wrong by its exit, so that reading goes on whatever became of the writing.
  const sent = send(channel, binary, agentName(agents))
  const last = (await output.next()).value
  const exit = await exitAfter(output, channel)
  await sent
  if (last !== INSTALLED_MARK) throw failed(shell, exit, channel.stderr())
}

/**
 * For an agent that ended before it said a word: a disk that was full, or failing, may have left a part of it under its
 * final name. False where it cannot be told.
 */
export async function isAgentDamaged(shell: Shell, agents: Agents): Promise<boolean> {
  const channel = await shell.run(asRoot(shell, `sha256sum ${BIN}/${agentName(agents)}`))
  channel.end()
  const [sum = ''] = ((await linesOf(channel.stdout).next()).value ?? '').split(' ')
  const whole = [...agents.platforms.values()].some(({ sha256 }) => sha256 === sum)
  return /^[0-9a-f]{64}$/.test(sum) && !whole
}

/** sudo resolves no password prompt here: -n makes it fail instead. */
function asRoot({ user }: Shell, command: string): string {
  return user === 'root' ? command : `sudo -n ${command}`
}

function binaryFor(shell: Shell, agents: Agents, system: string, machine: string): AgentBinary | HostError {
  const found = agents.platforms.get(platformOf(system, machine))
  const known = [...agents.platforms.keys()].join(', ')
  return (
    found ??
    new HostError(
      shell.host,
      'platform',
      `cannot install the agent on ${printable(`${system} ${machine}`)}`,
      `this package has agents for ${known}`,
    )
  )
}

async function send(channel: Channel, binary: AgentBinary, name: string): Promise<void> {
  await channel.write(Buffer.from(`${binary.sha256} ${name}\n`))
  for await (const piece of createReadStream(binary.file, { highWaterMark: 256 * 1024 })) {
    await channel.write(piece)
  }
  channel.end()
}

/** The program's lines, each cut at 4 KiB; the program says little, but what a login shell prints is anybody's guess. */
async function* linesOf(stdout: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  let text = ''
  for await (const chunk of stdout) {
    text += Buffer.from(chunk).toString('latin1')
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield text.slice(0, end)
      text = text.slice(end + 1)
    }
    text = text.slice(0, 4096)
  }
  if (text !== '') yield text
}

async function exitAfter(output: AsyncGenerator<string, undefined>, channel: Channel): Promise<Exit> {
  while (!(await output.next()).done) {
    // Nothing more is expected: this lets the program end.
  }
  return channel.exit
}

async function notStarted(shell: Shell, channel: Channel, line: string): Promise<HostError> {
  channel.end()
  if (line !== '') return noise(shell.host, shell.user, line)
  const exit = await channel.exit
  return failed(shell, exit, channel.stderr())
}

function failed(shell: Shell, exit: Exit, stderr: string): HostError {
  if (exit.kind === 'lost') {
    return new HostError(shell.host, 'lost', `lost the connection while installing the agent: ${exit.why}`)
  }
  const because = lastLine(stderr)
  const [message, hint, kind] = reason(exit.kind === 'exited' ? exit.code : undefined, stderr)
  return (
    sudoTrouble(shell.host, shell.user, exit, stderr) ??
    new HostError(shell.host, kind, because === '' ? message : `${message}: ${firstLine(because, 200)}`, hint)
  )
}

type Reason = readonly [message: string, hint: string | undefined, kind: HostErrorKind]

function reason(code: number | undefined, stderr: string): Reason {
  if (/No space left|Disk quota/i.test(stderr)) {
    return [
      `cannot install the agent: no space in ${BASE}`,
      'free some space: the agent takes about 1 MB',
      'install',
    ]
  }
  if (/Read-only file system/i.test(stderr)) {
    return [
      `cannot install the agent: ${BASE} is read-only`,
      'make /var writable: the agent needs it',
      'install',
    ]
  }
  switch (code) {
    case INSTALL_EXIT.noexec:
      return [
        `cannot install the agent: programs in ${BIN} cannot be executed`,
        `if /var is mounted with noexec, mount a file system without this option on ${BIN}`,
        'install',
      ]
    case INSTALL_EXIT.checksum:
    case INSTALL_EXIT.cut:
      return ['cannot install the agent: the transfer was incomplete', 'try again', 'install']
    default:
      return ['cannot install the agent', undefined, 'install']
  }
}
