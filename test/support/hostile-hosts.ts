/**
 * Hosts in the wrong hands: git-deploy as it is shipped, and between it and each embedded host's agent a program that
 * changes what the agent says and writes down what it is sent.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Operator } from './operator.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const AGENT = join(ROOT, 'dist/agent')

export interface HostileHosts {
  /**
   * From now on, what a host says is what this function body makes of each `reply` of its agent: a list. It also has
   * `request`, the last one, `host` (its name) and `object(type, content)`, which makes an object as it travels.
   */
  say(body: string): void
  /** The names of all objects that the host was sent since the last call of `forget`. */
  sentTo(host: string): Set<string>
  forget(): void
}

/** From now on the operator's hosts are hostile. */
export function makeHostile(operator: Operator): HostileHosts {
  const home = join(operator.home, 'hostile')
  mkdirSync(join(home, 'dist/agent'), { recursive: true })
  mkdirSync(join(home, 'bin'))
  for (const file of readdirSync(join(ROOT, 'dist')).filter(name => name.endsWith('.cjs')))
    cpSync(join(ROOT, 'dist', file), join(home, 'dist', file))
  cpSync(join(ROOT, 'bin/git-deploy'), join(home, 'bin/git-deploy'))
  symlinkSync(join(ROOT, 'bin/package.json'), join(home, 'bin/package.json'))
  cpSync(join(AGENT, 'agents.json'), join(home, 'dist/agent/agents.json'))
  const { platforms } = JSON.parse(readFileSync(join(AGENT, 'agents.json'), 'utf8')) as {
    readonly platforms: Readonly<Record<string, { readonly file: string }>>
  }
  for (const { file } of Object.values(platforms))
    writeFileSync(join(home, 'dist/agent', file), between(join(AGENT, file), home), { mode: 0o755 })
  operator.env['PATH'] = [join(home, 'bin'), operator.env['PATH']].join(delimiter)
  const say = (body: string) => writeFileSync(join(home, 'say.js'), body)
  say('return [reply]')
  return {
    say,
    forget: () => {
      for (const file of readdirSync(home).filter(name => name.startsWith('sent-'))) rmSync(join(home, file))
    },
    sentTo: host => {
      const file = join(home, `sent-${host}`)
      return new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [])
    },
  }
}

const between = (agent: string, home: string): string => `#!${process.execPath}
const { spawn } = require('child_process')
const { createHash } = require('crypto')
const fs = require('fs')
const { deflateSync } = require('zlib')
const { Packr } = require(${JSON.stringify(createRequire(import.meta.url).resolve('msgpackr'))})
const packr = new Packr({ useRecords: false })
const host = fs.readFileSync(process.env.DEPTOOL_ROOT + '/etc/hostname', 'utf8').trim()
const say = new Function('reply', 'request', 'host', 'object', fs.readFileSync(${JSON.stringify(join(home, 'say.js'))}, 'utf8'))
const object = (type, content) => {
  const raw = Buffer.concat([Buffer.from(type + ' ' + Buffer.byteLength(content) + '\\0'), Buffer.from(content)])
  return { oid: createHash('sha1').update(raw).digest('hex'), bytes: deflateSync(raw), last: true }
}
const agent = spawn(${JSON.stringify(agent)}, [], { stdio: ['pipe', 'pipe', 'inherit'] })
const frame = body => { const head = Buffer.alloc(4); head.writeUInt32BE(body.length); return Buffer.concat([head, body]) }
const frames = (stream, skip, each) => {
  let rest = Buffer.alloc(0)
  stream.on('data', chunk => {
    rest = Buffer.concat([rest, chunk])
    if (skip !== undefined) {
      const end = rest.indexOf(10) + 1
      if (end === 0) return
      skip(rest.subarray(0, end))
      skip = undefined
      rest = rest.subarray(end)
    }
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const body = rest.subarray(4, 4 + rest.readUInt32BE(0))
      rest = rest.subarray(4 + body.length)
      each(packr.unpack(body), body)
    }
  })
}
let request
frames(process.stdin, undefined, (message, body) => {
  if (message.type === 'objects')
    fs.appendFileSync(${JSON.stringify(`${home}/sent-`)} + host, message.objects.map(one => one.oid + '\\n').join(''))
  else request = message
  agent.stdin.write(frame(body))
})
process.stdin.on('end', () => agent.stdin.end())
process.stdout.on('error', () => {})
agent.stdin.on('error', () => {})
frames(agent.stdout, magic => process.stdout.write(magic), message => {
  for (const reply of say(message, request, host, object)) process.stdout.write(frame(packr.pack(reply)))
})
agent.on('close', code => { process.exitCode = code ?? 1 })
`
