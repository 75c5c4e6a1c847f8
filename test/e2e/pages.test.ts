/**
 * The transcripts in README.md and the tutorial are what the program really shows. Where it shows something else on
 * purpose by now, RECORD_PAGES=1 writes the transcripts anew: read the difference before you commit it.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { demoTree } from '../demo/demo-tree.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { type Piece, parsePage, printPage, type Typed } from '../support/console-page.ts'
import { needs } from '../support/needs.ts'
import { openTmux, type Tmux } from '../support/tmux.ts'
import { makeWorld, type World } from '../support/world.ts'

const withHosts = needs('tmux', 'real hosts')

test('README.md shows what happens', withHosts, async t => {
  const world = await makeWorld(
    t,
    { README: '' },
    { hosts: 'real', moreHosts: ['dns1', 'web1'], commit: false },
  )
  world.write(demoTree(world.hosts))
  await world.commit('nginx on web1, nsd on dns1')
  await world.deploy()
  await follow(t, 'README.md', world, world.repo)
})

test('the tutorial, step by step', withHosts, async t => {
  const world = await makeWorld(t, {}, { hosts: 'real', moreHosts: ['web1'], commit: false })
  await follow(t, 'docs/tutorial.md', world, world.home)
})

/** Types everything that the page has, and compares what the terminal shows then. */
async function follow(t: TestContext, name: string, world: World<TestHost>, cwd: string): Promise<void> {
  const file = fileURLToPath(new URL(`../../${name}`, import.meta.url))
  const page = parsePage(readFileSync(file, 'utf8'))
  const tmux = await openTmux(t, { columns: 80, rows: 100, cwd, env: { ...world.env, GIT_PAGER: 'cat' } })
  // Hosts share the network with this machine, so a server needs an address of its own.
  const [port, there] = ['listen 80', `listen ${world.host('web1').address}:80`]
  const seen: Piece[] = []
  for (const piece of page) {
    if (typeof piece === 'string') seen.push(piece)
    else {
      const typed: Typed[] = []
      for (const { command, shown } of piece) {
        const screen = await type(tmux, command.replace(`${port};`, `${there};`), shown)
        typed.push({ command, shown: screen.replace(there, port) + (shown.endsWith('\n\n') ? '\n' : '') })
      }
      seen.push(typed)
    }
  }
  if (process.env['RECORD_PAGES']) writeFileSync(file, printPage(seen))
  else assert.deepEqual(steady(seen, world), steady(page, world))
}

/** What the screen shows, if it is asked the question that is expected. */
async function type(tmux: Tmux, command: string, expected: string): Promise<string> {
  await tmux.type('clear', 'Enter')
  await tmux.showing(/^\$$/)
  const lines = command.split('\n')
  for (const line of lines) await tmux.type('-l', `${line}\n`)
  if (/\[y\/N\/d\] y$/m.test(expected)) {
    await tmux.showing(/\[y\/N\/d\]$/)
    await tmux.type('y', 'Enter')
  }
  await tmux.showing(/\n\$$/)
  // Without what was typed, and the prompt.
  const shown = (await tmux.unwrapped()).split('\n').slice(lines.length, -1)
  return shown.map(line => `${line}\n`).join('')
}

/** Without what differs from run to run, and where lines are broken because of that. */
function steady(page: readonly Piece[], world: World<TestHost>): string[] {
  return page
    .flatMap(piece => (typeof piece === 'string' ? [] : piece))
    .map(
      ({ command, shown }) =>
        `$ ${command}\n${world.normalise(shown).replace(VARYING, '<now>').replace(/\s+/g, ' ')}`,
    )
}

const VARYING = /\d+ seconds? ago|\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[emerg\] \d+#\d+/g
