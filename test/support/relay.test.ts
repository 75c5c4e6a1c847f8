import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Relay, startRelay } from './relay.ts'

test('bytes take the round trip they were told to, and are counted', async t => {
  const relay = await startRelay(t, await echoServer(t), { roundTripMs: 100 })
  const socket = await open(relay)
  const start = performance.now()
  assert.equal(await ask(socket, 'hello'), 'hello')
  const took = performance.now() - start
  assert(took >= 95, `${took} ms`)
  assert.deepEqual([relay.connections, relay.sent, relay.received], [1, 5, 5])
})

test('a cut connection is reset, and the next one works', async t => {
  const relay = await startRelay(t, await echoServer(t))
  const socket = await open(relay)
  await ask(socket, 'hello')
  relay.cut()
  const [error] = await once(socket, 'error')
  assert.equal(error.code, 'ECONNRESET')
  assert.equal(await ask(await open(relay), 'again'), 'again')
})

test('a frozen relay holds back what it thaws with', async t => {
  const relay = await startRelay(t, await echoServer(t))
  const socket = await open(relay)
  await ask(socket, 'hello')
  relay.freeze()
  const answer = ask(socket, 'late')
  // Nothing shows that nothing comes.
  const first = await Promise.race([answer, new Promise(resolve => setTimeout(resolve, 100, 'silence'))])
  assert.equal(first, 'silence')
  relay.thaw()
  assert.equal(await answer, 'late')
})

test('a slow line takes its time', async t => {
  const relay = await startRelay(t, await echoServer(t))
  const socket = await open(relay)
  relay.trickle(2000)
  const start = performance.now()
  let length = 0
  socket.on('data', data => {
    length += data.length
  })
  socket.write(Buffer.alloc(1000))
  while (length < 1000) await once(socket, 'data')
  const took = performance.now() - start
  assert(took >= 450, `${took} ms`)
  relay.trickle(Number.POSITIVE_INFINITY)
  relay.slowDown(100)
  const asked = performance.now()
  await ask(socket, 'hello')
  assert(performance.now() - asked >= 95)
})

async function echoServer(t: TestContext): Promise<{ address: string; port: number }> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  t.after(() => void server.close())
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  return { address, port }
}

async function open(relay: Relay): Promise<Socket> {
  const socket = connect({ host: relay.address, port: relay.port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

async function ask(socket: Socket, question: string): Promise<string> {
  socket.write(question)
  const [answer] = await once(socket, 'data')
  return String(answer)
}
