/** Words that were mistyped, and hints that keep to the command that was given. */
import { test } from 'node:test'
import { makeWorld } from '../support/world.ts'

const TREE = { 'web1/a/x': 'one\n' }

test('a command with a slip in it is told as such, whatever follows it', async t => {
  const world = await makeWorld(t, TREE)
  for (const [typed, meant] of [
    ['rolback web1', 'rollback web1'],
    ['rolback HEAD', 'rollback HEAD'],
    ['plna prod', 'plan prod'],
    ['aply prod.plan', 'apply prod.plan'],
  ] as const) {
    const [word] = typed.split(' ')
    await world
      .run(...typed.split(' '))
      .exits(1)
      .stderr(
        `fatal: cannot read '${word}': there is no such directory\nhint: did you mean 'git deploy ${meant}'?\n`,
      )
  }
  for (const [typed, what, meant] of [
    ['rolback web1 web2', "unexpected argument 'web2'", 'rollback'],
    ['statsu prod --porcelain', "unknown option '--porcelain'", 'status'],
  ] as const)
    await world
      .run(...typed.split(' '))
      .exits(129)
      .stderr(new RegExp(`^error: ${what}\\nhint: did you mean 'git deploy ${meant}'\\?\\n`))
})

test('what is a cluster, or one with a slip in it, is not taken for a command', async t => {
  const world = await makeWorld(t, TREE)
  await world
    .run('prdo', 'HEAD')
    .exits(1)
    .stderr(/^fatal: cannot read 'prdo' in revision 'HEAD': there is no such directory\n/)
  await world.git('mv', 'prod', 'plans')
  await world.commit()
  await world
    .run('plans', 'v1')
    .exits(1)
    .stderr(/^fatal: cannot read revision 'v1': there is no such commit\n/)
})

test('a hint keeps to the command that was given: none deploys for a plan', async t => {
  const world = await makeWorld(t, TREE)
  const host = (command: string) => `hint: 'web1' is a host of 'prod': run '${command} prod --limit web1'\n`
  for (const verb of ['plan', 'diff', 'check'])
    await world
      .run(verb, 'prod', 'web1')
      .exits(1)
      .stderr(`fatal: cannot read revision 'web1': there is no such commit\n${host(`git deploy ${verb}`)}`)
  await world
    .run('prod', 'web1')
    .exits(1)
    .stderr(`fatal: cannot read revision 'web1': there is no such commit\n${host('git deploy')}`)
  await world.run('plan').exits(1).stderr('fatal: no cluster given\nhint: git deploy plan prod\n')
  await world.run().exits(1).stderr('fatal: no cluster given\nhint: git deploy prod\n')
  await world.deploy()
  for (const verb of ['plan', 'status', 'verify', 'sync'])
    await world
      .run(verb, 'prod/web1')
      .exits(1)
      .stderr(
        `fatal: cannot use 'prod/web1' as a cluster: it is inside the cluster 'prod'\n${host(`git deploy ${verb}`)}`,
      )
})

test('a command that takes no revision is not told to name one', async t => {
  const world = await makeWorld(t, TREE)
  await world.git('clone', '--quiet', '--bare', '.', 'bare.git')
  await world.execute(['sh', '-c', 'cd bare.git && git deploy status prod']).then(({ stderr }) => {
    const hint = "hint: name a revision, as in 'git deploy plan prod HEAD'\n"
    if (!stderr.endsWith(hint)) throw new Error(stderr)
  })
})
