/** Completion as the shells do it, through git's own. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { CompletedVerb } from '../../../src/command.ts'
import { completionScript } from '../../../src/terminal/completion/script.ts'
import { VERB_NAMES } from '../../../src/verb-names.ts'
import { needs } from '../../support/needs.ts'
import { makeWorld } from '../../support/world.ts'

const inBash = needs('git completion')
const inZsh = needs('zsh')

const TREE = { 'web1/nginx/nginx.conf': '1', 'web2/nginx/nginx.conf': '1', 'dns1/nsd/nsd.conf': '1' }

/** `ask` gives what a tab offers behind a line. */
async function makeShell(t: TestContext, shell: 'bash' | 'zsh', verbs?: readonly CompletedVerb[]) {
  const world = await makeWorld(t, TREE)
  world.write({ '../staging/db1/pg/pg.conf': '1', '../docs/index.md': '1' })
  await world.git('tag', 'v1.2')
  const script = verbs
    ? completionScript(shell, verbs)
    : (await world.execute(['git', 'deploy', 'completion', shell])).stdout
  const directory = join(world.home, 'completion')
  mkdirSync(directory)
  writeFileSync(join(directory, shell === 'bash' ? 'git-deploy' : '_git-deploy'), script)
  const driver = fileURLToPath(new URL(`ask.${shell}`, import.meta.url))
  const ask = async (line: string): Promise<string> => {
    const { stdout, stderr } = await world.execute([shell, driver, directory, line])
    assert.equal(stderr, '')
    return stdout.trim().split(/\s+/).sort().join(' ')
  }
  return { world, ask }
}

/** Every command, and the clusters. */
const FIRST_WORDS = [...VERB_NAMES.filter(verb => verb !== 'deploy'), 'help', 'prod', 'staging'].sort()

test('bash completes commands, options, clusters and revisions, by way of _git_deploy', inBash, async t => {
  const { world, ask } = await makeShell(t, 'bash')
  assert.equal(await ask('git deploy '), FIRST_WORDS.join(' '))
  assert.equal(await ask('git deploy pl'), 'plan')
  assert.equal(await ask('git deploy plan '), 'prod staging')
  assert.equal(await ask('git deploy prod '), 'HEAD main v1.2')
  assert.equal(await ask('git deploy plan prod v'), 'v1.2')
  assert.equal(await ask('git deploy plan --color never prod v'), 'v1.2')
  assert.equal(await ask('git deploy plan --e'), '--exclude= --exit-code')
  assert.equal(await ask('git deploy plan --color=a'), 'always auto')
  assert.equal(await ask('git deploy plan --color n'), 'never')
  assert.equal(await ask('git deploy hooks '), 'install list uninstall')
  assert.equal(await ask('git deploy help pl'), 'plan')
  assert.equal(await ask('git deploy diff --name-o'), '--name-only')
  assert.equal(await ask('git deploy diff prod -- '), 'dns1 web1 web2')
  assert.equal(await ask('git deploy diff prod -- web'), 'web1 web2')
  await world.git('config', 'alias.d', 'deploy')
  assert.equal(await ask('git d plan st'), 'staging')
  assert.equal(await ask('git -C prod/web1 deploy plan p'), 'prod')
})

test('bash completes what was deployed, also where the tree has it no more', inBash, async t => {
  const { world, ask } = await makeShell(t, 'bash')
  await world.deploy()
  await world.git('rm', '-r', '--quiet', '-f', 'prod')
  assert.equal(await ask('git deploy plan '), 'prod staging')
  assert.equal(await ask('git deploy diff prod -- d'), 'dns1')
})

test('bash offers no name that would run something once it is on the command line', inBash, async t => {
  const { world, ask } = await makeShell(t, 'bash')
  world.write({ '../$(touch owned)/web1/a/x': '1', '../a b/web1/a/x': '1', '../q;id/web1/a/x': '1' })
  world.write({ '$(id)/a/x': '1', '`id`/a/x': '1', 'web3&/a/x': '1' })
  assert.equal(await ask('git deploy plan '), 'prod staging')
  assert.equal(await ask('git deploy diff prod -- '), 'dns1 web1 web2')
  assert.equal(await ask('git deploy plan --limit='), 'db1 dns1 web1 web2')
})

test('bash completes hosts wherever they are meant, and lists of them', inBash, async t => {
  const { ask } = await makeShell(t, 'bash')
  for (const verb of ['rollback', 'log', 'forget']) {
    assert.equal(await ask(`git deploy ${verb} `), 'db1 dns1 web1 web2', verb)
    assert.equal(await ask(`git deploy ${verb} web1 d`), 'db1 dns1', verb)
  }
  for (const verb of ['', 'plan', 'diff', 'status', 'sync', 'ping', 'verify', 'log', 'rollback'])
    for (const option of ['--limit', '--exclude']) {
      assert.equal(await ask(`git deploy ${verb} ${option}=web1,d`), 'web1,db1 web1,dns1', verb)
      assert.equal(await ask(`git deploy ${verb} ${option} web`), 'web1 web2', verb)
    }
  assert.equal(await ask('git deploy --limit='), 'db1 dns1 web1 web2')
  assert.equal(await ask('git deploy prod --limit='), 'dns1 web1 web2')
  assert.equal(await ask('git deploy sync --limit web1 pr'), 'prod')
  assert.equal(await ask('git deploy --confirm=r'), 'reconnect')
  assert.equal(await ask('git deploy rollback --ba'), '--batch=')
  assert.equal(await ask('git deploy --wait pr'), 'prod')
})

test('zsh completes hosts wherever they are meant, and lists of them', inZsh, async t => {
  const { ask } = await makeShell(t, 'zsh')
  for (const verb of ['rollback', 'log', 'forget'])
    assert.equal(await ask(`git deploy ${verb} web1 `), 'db1 dns1 web1 web2', verb)
  for (const verb of ['prod', 'sync', 'ping', 'verify', 'log', 'rollback'])
    assert.equal(await ask(`git deploy ${verb} --limit=dns1,`), 'db1 dns1 web1 web2', verb)
  assert.equal(await ask('git deploy --confirm='), 'auto reconnect')
  assert.equal(await ask('git deploy --wait pr'), 'prod')
})

const ODD: readonly CompletedVerb[] = [
  {
    name: 'deploy',
    options: [
      { spellings: ['-l', '--limit'], takesValue: true, meaning: "the operator's [choice]: of hosts" },
    ],
    operands: ['cluster', 'rev'],
    repeats: false,
  },
]

test('zsh shows what options mean, whatever the words', inZsh, async t => {
  const { ask } = await makeShell(t, 'zsh', ODD)
  assert.match(await ask('git deploy --l'), /--limit \[choice\]: hosts of operator's the/)
})

test('bash knows a letter that takes a value', inBash, async t => {
  const { ask } = await makeShell(t, 'bash', ODD)
  assert.equal(await ask('git deploy -l web1 pr'), 'prod')
})

test('zsh completes the same, by way of _git-deploy', inZsh, async t => {
  const { ask } = await makeShell(t, 'zsh')
  const offered = (await ask('git deploy ')).split(' ')
  // The list is so long that zsh writes the line below it again.
  assert.deepEqual(
    FIRST_WORDS.filter(word => !offered.includes(word)),
    [],
  )
  assert.equal(await ask('git deploy plan '), 'prod staging')
  assert.equal(await ask('git deploy prod v'), 'v1.2')
  assert.equal(await ask('git deploy hooks '), 'install list uninstall')
  assert.equal(await ask('git deploy help roll'), 'rollback')
  assert.match(await ask('git deploy plan --'), /--exit-code/)
  assert.equal(await ask('git-deploy plan --color='), 'always auto never')
})
