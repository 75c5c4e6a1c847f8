/** An agent of a few lines for tests: a real program that speaks real frames, and misbehaves when told to. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Agents, loadAgents } from '../../src/remote/agents.ts'

export interface FakeAgent {
  /** One of another build does not say what time it is: the first builds did not. */
  readonly build?: string
  /** What it prints before anything else. */
  readonly noise?: string
  /** JavaScript that runs in place of the conversation. */
  readonly instead?: string
}

const OWN = 'abcdef0123'

/** Writes a directory as agent/build/build.mjs does, for this machine's platform. */
export function fakeAgents(directory: string, agent: FakeAgent = {}): Agents {
  const build = agent.build ?? OWN
  const program = source({ ...agent, build })
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'agent'), program, { mode: 0o755 })
  const sha256 = createHash('sha256').update(program).digest('hex')
  const binary = { file: 'agent', size: Buffer.byteLength(program), sha256 }
  const platforms = { 'linux-x86_64': binary, 'linux-aarch64': binary }
  writeFileSync(join(directory, 'agents.json'), JSON.stringify({ version: '1.0.0', build: OWN, platforms }))
  return loadAgents(directory)
}

/** Answers `ask` with an outcome whose `why` counts the objects' bytes so far; `undo` tells it how to fail. */
const source = ({ build, noise = '', instead }: FakeAgent): string => `#!${process.execPath}
const fs = require('fs')
const { Packr } = require(${JSON.stringify(createRequire(import.meta.url).resolve('msgpackr'))})
const packr = new Packr({ useRecords: false })
const out = bytes => { for (let at = 0; at < bytes.length; ) {
  try { at += fs.writeSync(1, bytes, at) } catch (error) { if (error.code !== 'EAGAIN') throw error }
} }
const frame = body => { const head = Buffer.alloc(4); head.writeUInt32BE(body.length); out(Buffer.concat([head, body])) }
const reply = message => frame(packr.pack(message))
out(Buffer.from(${JSON.stringify(noise)}))
const talk = () => {
  out(Buffer.from('\\0git-deploy 1\\n'))
  reply({ type: 'hello', version: '1.0.0', build: '${build}', hostname: 'fake\\u001b[2J', current: null, recovered: null, pending: null${build === OWN ? ', now: Date.now()' : ''} })
  let bytes = 0
  let rest = Buffer.alloc(0)
  process.stdin.on('data', chunk => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const message = packr.unpack(rest.subarray(4, 4 + rest.readUInt32BE(0)))
      rest = rest.subarray(4 + rest.readUInt32BE(0))
      if (message.type === 'objects') for (const one of message.objects) bytes += one.bytes.length
      if (message.type === 'ask') reply({ type: 'outcome', id: message.id, outcome: 'held', why: String(bytes) })
      if (message.type === 'undo') ({
        die: () => { process.stderr.write('first\\nlast \\x1b[31mwords\\n'); process.exit(3) },
        garbage: () => frame(Buffer.from([0xc1])),
        flood: () => out(Buffer.from([0x7f, 0, 0, 0])),
      })[message.why]()
    }
  })
}
${instead ?? 'talk()'}
`
