/** The user's ssh-agent: which keys it holds, and signing with one (draft-ietf-sshm-ssh-agent). */
import { connect } from 'node:net'
import { Silent } from './no-answer.ts'
import { uint32, WireReader, wireString } from './wire.ts'

export interface AgentKey {
  readonly blob: Buffer
  readonly comment: string
}

/**
 * Every key, also of types that only the agent knows. Rejects where no agent listens; with Silent where one does not
 * answer within `ms`. Does not keep the program alive.
 */
export async function listAgentKeys(socket: string, ms: number): Promise<AgentKey[]> {
  const answer = new WireReader(await ask(socket, Buffer.of(REQUEST_IDENTITIES), IDENTITIES_ANSWER, ms))
  const count = answer.uint32()
  return Array.from({ length: Math.min(count, MAX_KEYS) }, () => ({
    blob: answer.string(),
    comment: answer.string().toString('utf8'),
  }))
}

/**
 * The bare signature, without its algorithm's name. `hash` matters for RSA only. Waits as long as it takes: somebody may
 * have to touch a key. Does not keep the program alive.
 */
export async function signWithAgent(
  socket: string,
  blob: Buffer,
  data: Buffer,
  hash: string | undefined,
): Promise<Buffer> {
  const flags = hash === 'sha256' ? RSA_SHA2_256 : hash === 'sha512' ? RSA_SHA2_512 : 0
  const request = Buffer.concat([Buffer.of(SIGN_REQUEST), wireString(blob), wireString(data), uint32(flags)])
  const signature = new WireReader(new WireReader(await ask(socket, request, SIGN_RESPONSE)).string())
  signature.string()
  return signature.string()
}

const REQUEST_IDENTITIES = 11
const IDENTITIES_ANSWER = 12
const SIGN_REQUEST = 13
const SIGN_RESPONSE = 14
const RSA_SHA2_256 = 2
const RSA_SHA2_512 = 4

const MAX_KEYS = 1024
/** As ssh-agent's own. */
const MAX_MESSAGE = 256 * 1024

/** One request, one answer: the answer's content where it is of the expected type. */
function ask(path: string, request: Buffer, expected: number, ms?: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The connection to a host keeps the program alive, as long as anybody waits for it.
    const socket = connect(path).unref()
    if (ms !== undefined)
      setTimeout(() => {
        reject(new Silent('ssh-agent does not answer'))
        socket.destroy()
      }, ms).unref()
    let answer = Buffer.alloc(0)
    const fail = (why: string) => {
      socket.destroy()
      reject(new Error(`ssh-agent ${why}`))
    }
    socket.on('connect', () => socket.write(wireString(request)))
    socket.on('error', error => fail(`at ${path}: ${error.message}`))
    socket.on('close', () => fail('closed the connection'))
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk])
      const length = answer.length < 4 ? Number.POSITIVE_INFINITY : answer.readUInt32BE(0)
      if (answer.length > MAX_MESSAGE) return fail('sent too long an answer')
      if (answer.length < 4 + length) return
      if (answer[4] !== expected) return fail('refused the request')
      socket.destroy()
      resolve(answer.subarray(5, 4 + length))
    })
  })
}
