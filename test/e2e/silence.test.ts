/** What never answers on the way to a host keeps nobody: neither who says no, nor who ends the program. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'

/** Takes connections, and says nothing; whether one has come. */
function silence(t: TestContext, path: string): () => boolean {
  const sockets = new Set<Socket>()
  const server = createServer(socket => sockets.add(socket.on('error', () => {}))).listen(path)
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return () => sockets.size > 0
}

test('a host that does not answer is given one ConnectTimeout, although it was connected to ahead', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' })
  const sockets = new Set<Socket>()
  const server = createServer(socket => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await world.git('config', 'deptool-host.web1.url', `ssh://root@127.0.0.1:${port}`)
  const config = join(world.home, '.ssh/config')
  writeFileSync(config, `ConnectTimeout 1\n${readFileSync(config, 'utf8')}`)
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/no answer/)
  assert.equal(sockets.size, 1)
})

// The deadline of a connection would be a minute.
for (const [what, setting] of [
  ['ssh-agent', 'IdentityAgent'],
  ['ControlMaster', 'ControlPath'],
] as const)
  for (const transport of ['auto', 'openssh']) {
    const makeSilentWorld = async (t: TestContext) => {
      const world = await makeWorld(t, { 'web1/a/x': 'one\n' }, { hosts: 'real' })
      await world.git('config', 'deptool.transport', transport)
      const path = join(world.home, 'silent')
      const config = join(world.home, '.ssh/config')
      writeFileSync(config, `${setting} ${path}\nConnectTimeout 60\n${readFileSync(config, 'utf8')}`)
      return { world, asked: silence(t, path) }
    }

    test(`${transport}: 'n' ends the program while an ${what} is silent`, realHosts, async t => {
      const { world } = await makeSilentWorld(t)
      await world
        .runInTerminal(['prod'], [['[y/N/d] ', 'n\n']])
        .exits(3)
        .stdout(/not deployed/)
    })

    test(`${transport}: SIGTERM ends the program while an ${what} is silent`, realHosts, async t => {
      const { world, asked } = await makeSilentWorld(t)
      const { outcome, kill } = world.start('prod', '--yes')
      const ended = outcome
        // git's own.
        .exits('SIGTERM')
        .stdout(anything)
        .stderr(/no host was changed/)
      await waitFor(`the ${what}`, asked)
      // Its handler of signals is there when the rollout begins.
      await sleep(1000)
      kill('SIGTERM')
      await ended
    })
  }
