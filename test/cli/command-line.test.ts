import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommand, wantsJson } from '../../src/cli/command-line.ts'
import type { Command } from '../../src/command.ts'

const parse = (line: string) => parseCommand(line === '' ? [] : line.split(' '))

function accepts(line: string, expected: Partial<Command>): void {
  const command: Readonly<Record<string, unknown>> = { ...parse(line) }
  const seen = Object.fromEntries(Object.keys(expected).map(key => [key, command[key]]))
  assert.deepEqual(seen, expected, `git deploy ${line}`)
}

function refuses(line: string, message: string, hint?: string | null): void {
  const command = parse(line)
  assert.equal(command.kind, 'misuse', `git deploy ${line}`)
  assert.equal(command.kind === 'misuse' && command.message, message)
  if (hint !== undefined) assert.equal(command.kind === 'misuse' && command.hint, hint)
}

test('deploy is the command without a name', () => {
  const plain = {
    rev: null,
    selection: { limit: [], exclude: [] },
    yes: false,
    dryRun: false,
    repair: false,
    force: false,
    verify: true,
    prune: false,
    adopt: false,
    verbose: false,
    progress: true,
    atomic: null,
    batch: null,
    confirm: 'auto',
    skipUnreachable: false,
    waitMs: 0,
    color: null,
  } as const
  assert.deepEqual(parse(''), { kind: 'deploy', cluster: null, ...plain })
  assert.deepEqual(parse('prod'), { kind: 'deploy', cluster: 'prod', ...plain })
  assert.deepEqual(parse('prod v1.2'), { kind: 'deploy', cluster: 'prod', ...plain, rev: 'v1.2' })
  accepts('2024 1', { kind: 'deploy', cluster: '2024', rev: '1' })
})

test('options of deploy, wherever they stand', () => {
  accepts('-y prod', { kind: 'deploy', cluster: 'prod', yes: true })
  accepts('prod -yn', { cluster: 'prod', yes: true, dryRun: true })
  accepts('--no-progress', { cluster: null, progress: false })
  accepts('--yes --dry-run -v', { cluster: null, yes: true, dryRun: true, verbose: true })
  accepts('--no-confirm --plan-only prod', { cluster: 'prod', yes: true, dryRun: true })
  accepts('--color=never prod', { color: 'never' })
  accepts('--atomic prod', { atomic: true, cluster: 'prod' })
  accepts('--no-atomic prod', { atomic: false })
  accepts('--wait prod', { waitMs: Number.POSITIVE_INFINITY, cluster: 'prod' })
  accepts('--wait=60 prod', { waitMs: 60_000, cluster: 'prod' })
  accepts('--batch 2 prod', { batch: { hosts: 2 }, cluster: 'prod' })
  accepts('rollback --batch=25%', { batch: { percent: 25 } })
  accepts('apply p.json --batch=100%', { batch: { percent: 100 } })
  for (const wrong of ['0', '0%', '101%', '-1', '1.5', 'two', '%', ''])
    refuses(
      `--batch=${wrong}`,
      "'--batch' takes a number of hosts or a percentage, as in '--batch=2' or '--batch=25%'",
    )
  accepts('--confirm=reconnect', { confirm: 'reconnect' })
  refuses('--wait=soon', "'--wait' takes a number of seconds, as in '--wait=60'")
  refuses('--confirm=same', "'--confirm' takes reconnect or auto, as in '--confirm=reconnect'")
  accepts('--no-color prod', { color: 'never', cluster: 'prod' })
})

test('the other commands', () => {
  accepts('plan prod main --exit-code', { kind: 'plan', cluster: 'prod', rev: 'main', exitCode: true })
  accepts('status', { kind: 'status', cluster: null })
  accepts('sync --changed prod', { kind: 'sync', cluster: 'prod', changed: true })
  accepts('ping', { kind: 'ping', cluster: null })
  accepts('log web1 web2', { kind: 'log', hosts: ['web1', 'web2'] })
  accepts('rollback -y web1', { kind: 'rollback', hosts: ['web1'], yes: true, dryRun: false })
  accepts('forget web9', { kind: 'forget', hosts: ['web9'] })
  accepts('diff --prune prod', { kind: 'diff', prune: true, options: [] })
  accepts('verify prod', { kind: 'verify', cluster: 'prod' })
  accepts('--repair prod', { kind: 'deploy', cluster: 'prod', repair: true })
  accepts('init staging', { kind: 'init', cluster: 'staging' })
  accepts('check prod main', { kind: 'check', cluster: 'prod', rev: 'main' })
  accepts('check --staged', { kind: 'check', cluster: null, rev: null, staged: true })
  refuses('check --cached prod v1', "'--staged' and the revision 'v1' cannot be used together")
  accepts('apply -y p.json', { kind: 'apply', file: 'p.json', yes: true, dryRun: false })
  accepts('apply -', { kind: 'apply', file: '-' })
  refuses('apply', 'no saved plan given')
  accepts('--version', { kind: 'version' })
  accepts('--no-verify prod', { kind: 'deploy', cluster: 'prod', verify: false })
  accepts('plan --short', { kind: 'plan', short: true })
  accepts('hooks uninstall', { kind: 'hooks', action: 'uninstall' })
  accepts('hooks run post-commit', { kind: 'hooks', action: 'post-commit' })
  accepts('completion zsh', { kind: 'completion', shell: 'zsh' })
})

test('hosts are selected by lists and by repetition, and never taken from what follows', () => {
  const selection = { limit: ['web1', 'dns*', 'mail'], exclude: ['web2'] }
  accepts('--limit web1,dns* prod v1 --exclude=web2 --limit mail', { cluster: 'prod', rev: 'v1', selection })
  for (const verb of ['plan', 'diff', 'status', 'sync', 'ping', 'verify'])
    accepts(`${verb} --limit=web1,dns*,mail prod --exclude web2`, { cluster: 'prod', selection })
  for (const verb of ['log', 'rollback'])
    accepts(`${verb} --limit=web1,dns* web1 --limit mail --exclude web2`, { hosts: ['web1'], selection })
  for (const wrong of ['--limit', '--limit=', '--limit web1,', '--limit ,web1'])
    refuses(`plan ${wrong}`, "'--limit' takes hosts, as in '--limit=web1,dns*'")
})

test('what excludes each other', () => {
  refuses('prod v1 --repair', "'--repair' restores what was deployed, and does not take the revision 'v1'")
  refuses('--repair --prune', "'--repair' and '--prune' cannot be used together")
})

test('of an option with one value, the last holds', () => {
  accepts('plan --color=never --color always -o a -o b', { color: 'always', output: 'b' })
})

test('a plan is saved where it is said', () => {
  accepts('plan prod', { output: null })
  accepts('plan -o - prod', { output: '-', cluster: 'prod' })
  refuses('plan prod -o', "'--output' takes a file, or '-' for stdout")
  refuses('plan --json -o -', "'--json' and '--output=-' cannot both write to stdout")
})

test('--json is seen in wrong usage too, but not behind --', () => {
  assert.equal(wantsJson(['plan', '--js']), true)
  assert.equal(wantsJson(['plan', '--json', '--no-json']), false)
  assert.equal(wantsJson(['--ver', '--json']), true)
  assert.equal(wantsJson(['plan', '--json', '--nonsense']), true)
  assert.equal(wantsJson(['diff', 'prod', '--', '--json']), false)
  refuses('diff --json --stat', "unknown option '--stat'")
})

test('a cluster with the name of a command', () => {
  accepts('./plan', { kind: 'deploy', cluster: './plan' })
  accepts('plan/ v1', { kind: 'deploy', cluster: 'plan/', rev: 'v1' })
  accepts('plan plan', { kind: 'plan', cluster: 'plan' })
  refuses(
    '-y plan prod',
    "the command 'plan' must come before its options",
    "if you mean a directory, write './plan'",
  )
  refuses('-y plan --exit-code prod main v1', "the command 'plan' must come before its options")
})

test('diff hands on what git diff understands', () => {
  accepts('diff prod v1 --stat -U5 --word-diff=color -Sfoo -- web1 dns*', {
    kind: 'diff',
    cluster: 'prod',
    rev: 'v1',
    options: ['--stat', '-U5', '--word-diff=color', '-Sfoo'],
    paths: ['web1', 'dns*'],
  })
  accepts('diff --name-only prod', { cluster: 'prod', options: ['--name-only'], paths: [] })
  accepts('diff --no-color -z', { cluster: null, options: ['--no-color', '-z'] })
  refuses('diff prod v1 web1', "unexpected argument 'web1'")
})

test('options are abbreviated, and taken back, as those of git', () => {
  accepts('--dry prod', { cluster: 'prod', dryRun: true })
  accepts('plan --exit --out p.json prod', { exitCode: true, output: 'p.json', cluster: 'prod' })
  accepts('plan --lim web1 --exc=web2', { selection: { limit: ['web1'], exclude: ['web2'] } })
  accepts('--plan prod', { dryRun: true, cluster: 'prod' })
  accepts('--no-conf prod', { yes: true })
  refuses('--ver', "ambiguous option '--ver'", "did you mean '--verbose' or '--version'?")
  refuses('--exit-cod=1', "unknown option '--exit-cod=1'")
  refuses('plan --exit-cod=1', "option '--exit-cod' takes no value")

  accepts('--yes --atomic --no-yes --no-atomic', { yes: false, atomic: false })
  accepts('--no-atomic --atomic', { atomic: true })
  accepts('--no-verify --verify', { verify: true })
  accepts('--no-progress --progress', { progress: true })
  accepts('--color=always --no-color', { color: 'never' })
  accepts('--no-color --color=always', { color: 'always' })
  accepts('--limit web1 --no-limit --limit=web2', { selection: { limit: ['web2'], exclude: [] } })
  accepts('--batch=2 --wait=5 --no-batch --no-wait', { batch: null, waitMs: 0 })
  accepts('plan -op.json', { output: 'p.json' })
  accepts('plan -o p.json --no-output', { output: null })
  accepts('plan --output p.json --no-output', { output: null })
  accepts('--confirm=reconnect --no-confirm', { confirm: 'reconnect', yes: true })
})

test('what diff does not know exactly is for git diff', () => {
  accepts('diff --lim=1 --js --no-prune --no-limit', { options: ['--lim=1', '--js'], prune: false })
})

test('help on a command', () => {
  for (const [line, usage] of [
    ['help', 'git deploy [<options>] [<cluster>] [<rev>]\n'],
    ['help plan', 'git deploy plan [<options>]'],
    ['help deploy', 'git deploy [<options>] [<cluster>] [<rev>]\n'],
  ] as const) {
    const command = parse(line)
    assert.ok(command.kind === 'help' && command.text.startsWith(`usage: ${usage}`), line)
  }
  refuses('help rolback', "there is no command 'rolback'", "did you mean 'rollback'?")
  accepts('./help', { kind: 'deploy', cluster: './help' })
})

test("deptool's own command lines", () => {
  accepts('deploy --plan-only --limit web1,web2 --limit web3 prod', {
    kind: 'deploy',
    dryRun: true,
    cluster: 'prod',
    selection: { limit: ['web1', 'web2', 'web3'], exclude: [] },
  })
  accepts('deploy --no-confirm -- prod', { kind: 'deploy', yes: true, cluster: 'prod' })
  accepts('diff --stat --limit web1 prod', { kind: 'diff', options: ['--stat'], cluster: 'prod' })
  for (const verb of ['status', 'sync', 'ping', 'init'] as const)
    accepts(`${verb} -- prod`, { kind: verb, cluster: 'prod' })
  refuses('sync --all', "unknown option '--all'", "run 'git deploy sync' to ask every host")
  for (const verb of ['deploy', 'sync', 'init', 'status', 'ping'])
    refuses(
      `${verb} --store .deptool prod`,
      "unknown option '--store'",
      'git-deploy keeps what is deployed in this repository, as refs/deptool/<host>',
    )
  refuses(
    '--force-push prod',
    "unknown option '--force-push'",
    "run 'git deploy sync' to accept what a host runs",
  )
})

test('wrong usage names the word that is wrong, and the one that was meant', () => {
  refuses('--dry-rum prod', "unknown option '--dry-rum'", "did you mean '--dry-run'?")
  refuses('plan --exit-coed=1', "unknown option '--exit-coed=1'", "did you mean '--exit-code'?")
  refuses('-yx prod', "unknown option '-yx'")
  refuses('--no-why prod', "unknown option '--no-why'")
  refuses('--yes=false prod', "option '--yes' takes no value")
  refuses('status --color prod', "'--color' takes always, auto or never, as in '--color=always'")
  refuses('prod v1 web1', "unexpected argument 'web1'")
  refuses('prod -- web1', "unexpected argument 'web1'")
  refuses('completion', 'missing argument: bash or zsh')
  refuses('completion fish', "unknown argument 'fish', expected bash or zsh", null)
  refuses('hooks run', 'missing argument: post-commit')
  refuses('hooks list all', "unexpected argument 'all'")
  refuses('forget', 'no host given')
  refuses('status prod v1', "unexpected argument 'v1'")
})

for (const verb of [
  '',
  'plan',
  'apply',
  'diff',
  'status',
  'check',
  'sync',
  'ping',
  'verify',
  'log',
  'rollback',
  'forget',
  'init',
  'hooks',
  'completion',
])
  test(`git deploy ${verb} -h`.replace('  ', ' '), () => {
    for (const flag of ['-h', '--help']) {
      const command = parse(`${verb} ${flag}`.trim())
      assert.equal(command.kind, 'help')
      const text = command.kind === 'help' ? command.text : ''
      assert.match(text, new RegExp(`^usage: git deploy ${verb}`))
      assert.match(text, /\n {4}-h, --help {2}/)
      for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
      const examples = text.split('examples:\n')[1]?.match(/^ {4}\S/gm) ?? []
      assert.ok(examples.length >= 3 && examples.length <= 6)
    }
  })
