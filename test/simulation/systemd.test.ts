/** The simulated systemd says and does what a real one does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootHosts } from '../hosts/boot.ts'
import { realHosts } from '../hosts/real-hosts.ts'
import { CASES, type Command } from './systemd-cases.ts'
import { RealSide, type Side, SimulatedSide } from './systemd-sides.ts'

test('systemd, simulated and real', realHosts, async t => {
  const [web1] = await bootHosts(t, ['web1'])
  for (const [what, commands] of Object.entries(CASES))
    await t.test(what, async () => {
      await web1!.reset()
      const real = await transcript(await RealSide.on(web1!), commands)
      assert.equal(await transcript(new SimulatedSide(), commands), real)
    })
})

async function transcript(side: Side, commands: readonly Command[]): Promise<string> {
  let text = ''
  for (const command of commands) {
    const { stdout, stderr, code } = await side.run(command)
    text += `$ ${command.join(' ')}\n${sorted(stdout)}${relevant(stderr)}(exit ${code})\n`
  }
  return text
}

/** The properties of each unit in the order of their names. */
function sorted(stdout: string): string {
  const blocks = stdout.split('\n\n')
  return blocks
    .map(block => (/^\w+=/.test(block) ? block.trim().split('\n').sort().join('\n') : block))
    .join('\n')
}

/** Without what is only told for people to read. */
function relevant(stderr: string): string {
  return (stderr.match(/^(?:Failed to (?!enable auxiliary)|Job for ).*\n/gm) ?? []).join('')
}
