/** sshd asks for new keys whenever so much has been sent (RekeyLimit): often enough here that every test meets it often. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { offerFor } from '../../../src/remote/ssh/algorithms.ts'
import { KeyStore } from '../../../src/remote/ssh/keys.ts'
import { resolveHost } from '../../../src/remote/ssh/resolve.ts'
import { connectSsh2 } from '../../../src/remote/ssh/ssh2-shell.ts'
import { Turns } from '../../../src/remote/turns.ts'
import { needs } from '../../support/needs.ts'
import { type Sshd, startSshd } from '../sshd.ts'

async function addressOf(sshd: Sshd) {
  const address = await resolveHost(sshd.host, null, sshd.env)
  assert(address.kind === 'ssh')
  return address
}

/** So many KiB to the host and back, both at the same time. */
async function echo(t: TestContext, sshd: Sshd, kib: number): Promise<void> {
  const options = {
    keys: new KeyStore(),
    questions: new Turns(),
    confirmHostKey: undefined,
    random: randomBytes,
    signal: undefined,
  }
  const shell = await connectSsh2(await addressOf(sshd), options)
  t.after(() => shell.close())
  const channel = await shell.run('cat')
  const pieces = Array.from({ length: kib / 64 }, () => randomBytes(64 * 1024))
  const send = async () => {
    for (const piece of pieces) await channel.write(piece)
    channel.end()
  }
  const back = createHash('sha256')
  const receive = async () => {
    for await (const chunk of channel.stdout) back.update(chunk)
  }
  await Promise.all([send(), receive()])
  assert.deepEqual(await channel.exit, { kind: 'exited', code: 0 })
  assert.equal(back.digest('hex'), createHash('sha256').update(Buffer.concat(pieces)).digest('hex'))
}

/** More than ssh2's window, so that it answers while keys change. A cipher that authenticates by itself takes no MAC. */
const OFFERED = {
  cipher: { settings: ['Ciphers %'], kib: 2560 },
  mac: { settings: ['Ciphers aes128-ctr', 'MACs %'], kib: 2560 },
  kex: { settings: ['KexAlgorithms %'], kib: 2560 },
} as const

for (const [name, { settings, kib }] of Object.entries(OFFERED))
  test(`new keys while data flows both ways, by every ${name} that is offered`, needs('sshd'), async t => {
    const sshd = await startSshd(t, { sshd: ['RekeyLimit 64K'] })
    const offered = offerFor(await addressOf(sshd))[name as keyof typeof OFFERED]
    assert.ok(offered.length > 0)
    for (const algorithm of offered) {
      sshd.configure(...settings.map(line => line.replace('%', algorithm)))
      await t.test(algorithm, () => echo(t, sshd, kib))
    }
  })
