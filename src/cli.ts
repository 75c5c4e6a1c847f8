/** The command line: argv -> Command. The only importer of yargs, which is asked for a grammar and runs nothing. */
import type { InferredOptionTypes, Options } from 'yargs'
import { Parser } from 'yargs/helpers'
import {
  type Accepting,
  COLOR_WHEN,
  CONFIRM_BY,
  type ColorWhen,
  type Command,
  type CompletedVerb,
  type ConfirmBy,
} from './command.ts'
import type { Selection } from './plan/select.ts'
import { suggest } from './plan/suggest.ts'
import { helpText, synopsis } from './terminal/usage.ts'

/** What `argv`, without the program's own name, asks for. Never throws: wrong usage is a Command too. */
export function parseCommand(argv: readonly string[]): Command {
  const [first] = argv
  const name = first !== undefined && Object.hasOwn(VERBS, first) ? (first as VerbName) : undefined
  const verb = VERBS[name ?? 'deploy']
  try {
    return verb.read(name === undefined ? argv : argv.slice(1))
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    return { kind: 'misuse', message: error.message, hint: error.hint, usage: synopsis(verb.usage) }
  }
}

/** Whether records are to be written instead of words. Asked of wrong usage too. */
export function wantsJson(argv: readonly string[]): boolean {
  return argv.slice(0, argv.indexOf('--') + 1 || undefined).includes('--json')
}

/** Every option of every command, as it is typed: '-y', '--yes'. */
export function flagsOf(): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(VERBS).map(([name, verb]) => [name, Object.entries(verb.options).flatMap(spellings)]),
  )
}

type VerbName =
  | 'deploy'
  | 'plan'
  | 'apply'
  | 'diff'
  | 'status'
  | 'check'
  | 'verify'
  | 'sync'
  | 'ping'
  | 'log'
  | 'rollback'
  | 'forget'
  | 'init'
  | 'hooks'
  | 'completion'
type OptionTable = Readonly<Record<string, Options>>

interface Words {
  readonly words: readonly string[]
  readonly known: readonly string[]
  /** Options that the command does not know. */
  readonly unknown: readonly string[]
  /** What follows `--`; null where there is none. */
  readonly paths: readonly string[] | null
}

interface Grammar<O extends OptionTable> {
  readonly usage: readonly string[]
  readonly options: O
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  readonly command: (words: Words, given: InferredOptionTypes<O>) => Command
}

interface Verb extends Omit<Grammar<OptionTable>, 'command'> {
  readonly read: (argv: readonly string[]) => Command
}

class Misuse extends Error {
  readonly hint: string | null
  constructor(message: string, hint: string | null = null) {
    super(message)
    this.hint = hint
  }
}

const HELP = { help: { alias: 'h', type: 'boolean', describe: 'show this help' } } as const
const VERBOSE = { verbose: { alias: 'v', type: 'boolean', describe: 'list every file and host' } } as const
const COLOR = {
  color: { type: 'string', describe: 'when to colour: always, auto or never' },
  'no-color': { type: 'boolean', describe: 'the same as --color=never' },
} as const
const PRUNE = {
  prune: { type: 'boolean', describe: 'remove the apps of hosts that are not in the tree any more' },
} as const
const PROGRESS = {
  'no-progress': { type: 'boolean', describe: 'lines instead of a display that is redrawn' },
} as const
const SELECTION = {
  limit: { type: 'string', array: true, describe: 'only these hosts: names or globs, comma-separated' },
  exclude: { type: 'string', array: true, describe: 'all hosts but these' },
} as const
const JSON_LINES = { json: { type: 'boolean', describe: 'write JSON lines, for programs' } } as const
const ACCEPTING = {
  'dry-run': { alias: ['n', 'plan-only'], type: 'boolean', describe: 'show the plan and stop' },
  yes: { alias: ['y', 'no-confirm'], type: 'boolean', describe: 'deploy without asking' },
  'no-verify': { type: 'boolean', describe: 'do not ask the pre-deploy hook' },
  adopt: { type: 'boolean', describe: 'replace files that are where links go; keep a backup' },
  atomic: { type: 'boolean', describe: 'all hosts or none' },
  'no-atomic': { type: 'boolean', describe: 'each host for itself, whatever git config says' },
  wait: { type: 'string', describe: 'queue behind another deployment, for so many seconds' },
  confirm: { type: 'string', describe: 'reconnect: confirm over a new connection; or auto' },
} as const

const VERBS: { readonly [name in VerbName]: Verb } = {
  deploy: verb({
    usage: [
      '[<options>] [<cluster>] [<rev>]',
      '(plan | diff | status | check | verify) [<cluster>]',
      'apply <file>',
      '(sync | ping) [<cluster>]',
      '(log | rollback | forget) [<host>…]',
      'init [<cluster>]',
      'hooks | completion',
    ],
    options: {
      ...ACCEPTING,
      ...SELECTION,
      ...PRUNE,
      repair: { type: 'boolean', describe: 'bring back what was deployed, where a host differs' },
      ...VERBOSE,
      ...PROGRESS,
      ...JSON_LINES,
      ...COLOR,
      version: { type: 'boolean', describe: 'show the version' },
      ...HELP,
    },
    examples: [
      ['git deploy prod', "show what 'prod/' changes, ask, deploy"],
      ['git deploy prod v1.2', "deploy 'prod/' as it is in v1.2"],
      ["git deploy prod --limit 'web*'", 'deploy to some of the hosts'],
      ['git deploy --yes prod HEAD', 'deploy what is committed, from a script'],
      ['git deploy --atomic prod', 'one host fails: all go back'],
      ['git deploy ./plan', "a cluster called 'plan'"],
    ],
    command: (words, given) =>
      given.version
        ? { kind: 'version' }
        : {
            kind: 'deploy',
            ...clusterAndRev(withoutVerb(words)),
            selection: selectionOf(given),
            prune: given.prune ?? false,
            repair: given.repair ?? false,
            ...accepting(given),
          },
  }),
  plan: verb({
    usage: ['plan [<options>] [<cluster>] [<rev>]'],
    options: {
      'exit-code': { type: 'boolean', describe: 'exit with 2 when changes are pending' },
      output: { alias: 'o', type: 'string', describe: "save the plan in a file, for 'git deploy apply'" },
      ...SELECTION,
      short: { type: 'boolean', describe: 'a line for each host' },
      ...PRUNE,
      ...VERBOSE,
      ...JSON_LINES,
      ...COLOR,
      ...HELP,
    },
    examples: [
      ['git deploy plan prod', "what 'prod/' would change, on which host"],
      ['git deploy plan prod main', 'the same for what is committed on main'],
      ['git deploy plan -v prod', 'with every file of every app'],
      ['git deploy plan -o p.json prod main', 'save the plan, to apply it later'],
      ['git deploy plan --exit-code prod', 'for scripts: 0 nothing to do, 2 changes pending'],
    ],
    command: (words, given) => ({
      kind: 'plan',
      ...clusterAndRev(words),
      selection: selectionOf(given),
      exitCode: given['exit-code'] ?? false,
      short: given.short ?? false,
      prune: given.prune ?? false,
      output: outputOf(given),
      verbose: given.verbose ?? false,
      color: colorWhen(given),
    }),
  }),
  apply: verb({
    usage: ['apply [<options>] <file>'],
    options: { ...ACCEPTING, ...VERBOSE, ...PROGRESS, ...JSON_LINES, ...COLOR, ...HELP },
    examples: [
      ['git deploy apply p.json', 'carry out the plan saved in p.json, and no other'],
      ['git deploy apply -n p.json', 'see whether it could be'],
      ['git deploy apply --yes - <p.json', 'the same from stdin, without asking'],
    ],
    command: (words, given) => ({
      kind: 'apply',
      file: planFile(atMost(words, 1)),
      ...accepting(given),
    }),
  }),
  diff: verb({
    usage: ['diff [<cluster>] [<rev>] [<git diff options>] [--] [<host>/<path>…]'],
    options: { ...SELECTION, ...PRUNE, ...JSON_LINES, ...HELP },
    examples: [
      ['git deploy diff prod', 'the pending changes, line by line'],
      ['git deploy diff prod v1.2 --stat', 'what deploying v1.2 would change, summarised'],
      ['git deploy diff --word-diff prod', "any of git diff's options"],
      ['git deploy diff prod -- web1', 'one host'],
      ["git deploy diff prod -- '*/nginx'", 'one app on every host'],
    ],
    command: (words, given) => ({
      kind: 'diff',
      prune: given.prune ?? false,
      // Records are the same whatever git diff is told.
      ...clusterAndRev(given.json ? words : { ...words, unknown: [], paths: null }),
      selection: selectionOf(given),
      options: words.unknown,
      paths: words.paths ?? [],
    }),
  }),
  status: verb({
    usage: ['status [<options>] [<cluster>]'],
    options: {
      porcelain: { type: 'boolean', describe: 'tab-separated columns that stay as they are, for scripts' },
      ...SELECTION,
      ...JSON_LINES,
      ...COLOR,
      ...HELP,
    },
    examples: [
      ['git deploy status', 'what runs on each host, as far as this repository knows'],
      ['git deploy status prod', "of the cluster 'prod'"],
      ['git log refs/deptool/web1', 'the history of one host'],
    ],
    command: (words, given) => ({
      kind: 'status',
      cluster: atMost(words, 1)[0] ?? null,
      selection: selectionOf(given),
      porcelain: given.porcelain ?? false,
      color: colorWhen(given),
    }),
  }),
  check: verb({
    usage: ['check [<options>] [<cluster>] [<rev>]'],
    options: {
      staged: { alias: 'cached', type: 'boolean', describe: 'what the next commit would have, for hooks' },
      ...JSON_LINES,
      ...COLOR,
      ...HELP,
    },
    examples: [
      ['git deploy check prod', "everything that is wrong with 'prod/', on every host"],
      ['git deploy check prod HEAD', 'the same for what is committed'],
      ['git deploy check --staged prod', 'the same for what is staged, from a hook'],
      ['git deploy check --json prod', 'for editors and CI'],
    ],
    command: (words, given) => {
      const { cluster, rev } = clusterAndRev(words)
      if (given.staged && rev !== null)
        throw new Misuse(`'--staged' and the revision '${rev}' exclude each other`)
      return { kind: 'check', cluster, rev, staged: given.staged ?? false, color: colorWhen(given) }
    },
  }),
  sync: verb({
    usage: ['sync [<options>] [<cluster>]'],
    options: {
      changed: { type: 'boolean', describe: 'name only hosts that are not where they were' },
      ...JSON_LINES,
      ...COLOR,
      ...HELP,
    },
    examples: [
      ['git deploy sync prod', 'ask every host what it runs, and how that came to be'],
      ['git deploy sync --changed', 'say only what is new'],
      ['git log refs/deptool', 'what others deployed'],
    ],
    command: (words, given) => ({
      kind: 'sync',
      cluster: atMost(words, 1)[0] ?? null,
      changed: given.changed ?? false,
      color: colorWhen(given),
    }),
  }),
  ping: verb({
    usage: ['ping [<options>] [<cluster>]'],
    options: { ...JSON_LINES, ...COLOR, ...HELP },
    examples: [
      ['git deploy ping prod', 'who answers, as whom, and runs what'],
      ['git deploy ping', 'the same in the configured cluster'],
      ['git -c deptool.transport=openssh deploy ping', 'with the ssh program'],
    ],
    command: (words, given) => ({
      kind: 'ping',
      cluster: atMost(words, 1)[0] ?? null,
      color: colorWhen(given),
    }),
  }),
  verify: verb({
    usage: ['verify [<options>] [<cluster>]'],
    options: { ...COLOR, ...HELP },
    examples: [
      ['git deploy verify prod', "ask every host of 'prod' whether it is as it was deployed"],
      ['git deploy --repair prod', 'put right what it finds'],
    ],
    command: (words, given) => ({
      kind: 'verify',
      cluster: atMost(words, 1)[0] ?? null,
      color: colorWhen(given),
    }),
  }),
  log: verb({
    usage: ['log [<options>] [<host>…]'],
    options: { ...JSON_LINES, ...COLOR, ...HELP },
    examples: [
      ['git deploy log', 'who deployed what when, and how it ended'],
      ['git deploy log web1 web2', 'on two hosts'],
      ['git log -p refs/deptool/web1', 'what held, line by line'],
    ],
    command: (words, given) => ({
      kind: 'log',
      hosts: atMost(words, Number.POSITIVE_INFINITY),
      color: colorWhen(given),
    }),
  }),
  rollback: verb({
    usage: ['rollback [<options>] [<host>…]'],
    options: { ...ACCEPTING, ...PROGRESS, ...VERBOSE, ...JSON_LINES, ...COLOR, ...HELP },
    examples: [
      ['git deploy rollback', 'take the last deployment back, on all its hosts'],
      ['git deploy rollback web1', 'take back what was last deployed to web1'],
      ['git deploy rollback -n', 'show what that would change'],
    ],
    command: (words, given) => ({
      kind: 'rollback',
      hosts: atMost(words, Number.POSITIVE_INFINITY),
      ...accepting(given),
    }),
  }),
  forget: verb({
    usage: ['forget <host>…'],
    options: { ...JSON_LINES, ...HELP },
    examples: [
      ['git deploy forget web9', 'stop tracking web9, and leave it as it is'],
      ['git deploy forget web8 web9', 'two of them'],
      ['git deploy --prune prod', 'remove the apps of hosts that have left the tree'],
    ],
    command: words => {
      const hosts = atMost(words, Number.POSITIVE_INFINITY)
      if (hosts.length === 0) throw new Misuse('no host given')
      return { kind: 'forget', hosts }
    },
  }),
  init: verb({
    usage: ['init [<cluster>]'],
    options: { ...JSON_LINES, ...HELP },
    examples: [
      ['git deploy init', "start with a cluster called 'prod'"],
      ['git deploy init staging', "make 'staging/' the cluster that 'git deploy' means"],
      ['git config deptool.cluster', 'which one it is now'],
    ],
    command: words => ({ kind: 'init', cluster: atMost(words, 1)[0] ?? null }),
  }),
  hooks: verb({
    usage: ['hooks (install | uninstall | list)'],
    options: { ...JSON_LINES, ...HELP },
    examples: [
      ['git deploy hooks install', 'a short plan after every commit that touches a cluster'],
      ['git deploy hooks list', 'which hooks there are, and where'],
      ['git deploy hooks uninstall', 'without them again, and with what was there before'],
    ],
    command: words => ({ kind: 'hooks', action: hookAction(words) }),
  }),
  completion: verb({
    usage: ['completion (bash | zsh)'],
    options: HELP,
    examples: [
      ['eval "$(git deploy completion bash)"', "in ~/.bashrc, beside git's own completion"],
      ['git deploy completion bash >git-deploy', 'for a directory of bash-completion'],
      ['git deploy completion zsh >_git-deploy', "for a directory of zsh's fpath"],
    ],
    command: words => ({ kind: 'completion', shell: oneOf(['bash', 'zsh'], words), verbs: completedVerbs() }),
  }),
}

function verb<const O extends OptionTable>(grammar: Grammar<O>): Verb {
  const { usage, options, examples, command } = grammar
  const read = (argv: readonly string[]): Command => {
    const { _: rest, '--': paths, ...found } = parse(argv, options)
    const given = lastOfEach(found, options)
    if (given['help']) return { kind: 'help', text: helpText(usage, describe(options), examples) }
    const isOption = (word: string) => word.length > 1 && word.startsWith('-')
    const words: Words = {
      known: Object.entries(options).flatMap(spellings),
      words: rest.filter(word => !isOption(word)),
      // yargs takes --no-<option> for its own even where it is told not to negate.
      unknown: [
        ...rest.filter(isOption),
        ...Object.keys(given).flatMap(key => (options[key] ? [] : `--${key}`)),
      ],
      paths: paths ?? null,
    }
    return command(words, given as InferredOptionTypes<O>)
  }
  return { usage, options, examples, read }
}

/** Options that yargs does not know stay in `_`, in order and as they were typed. */
function parse(argv: readonly string[], options: OptionTable) {
  const [valued] = argv.slice(0, argv.indexOf('--') + 1 || undefined).filter(word => takesNone(word, options))
  if (valued !== undefined) throw new Misuse(`option '${valued.replace(/=.*/s, '')}' takes no value`)
  const named = Object.entries(options)
  const ofType = (type: Options['type']) =>
    named.flatMap(([name, option]) => (option.type === type ? [name] : []))
  return Parser(
    argv.map(word => (word === '--wait' && options['wait'] ? '--wait=' : word)),
    {
      alias: Object.fromEntries(named.map(([name, { alias = [] }]) => [name, [alias].flat()])),
      array: named.flatMap(([name, { array }]) => (array ? [name] : [])),
      boolean: ofType('boolean'),
      string: ofType('string'),
      configuration: {
        'boolean-negation': false,
        'camel-case-expansion': false,
        'dot-notation': false,
        'greedy-arrays': false,
        'parse-numbers': false,
        'parse-positional-numbers': false,
        'populate--': true,
        'strip-aliased': true,
        'unknown-options-as-args': true,
      },
    },
  ) as { readonly _: string[]; readonly '--'?: string[]; readonly [option: string]: unknown }
}

/** Of an option that was given twice, the last value holds, unless it takes several. */
function lastOfEach(given: Readonly<Record<string, unknown>>, options: OptionTable): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      Array.isArray(value) && !options[name]?.array ? value.at(-1) : value,
    ]),
  )
}

/** yargs reads `--yes=sure` as `--yes=false`. */
function takesNone(word: string, options: OptionTable): boolean {
  const [flag, ...value] = word.split('=')
  return (
    value.length > 0 &&
    Object.entries(options).some(entry => entry[1].type === 'boolean' && spellings(entry).includes(flag!))
  )
}

function clusterAndRev(words: Words) {
  const [cluster = null, rev = null] = atMost(words, 2)
  return { cluster, rev }
}

function atMost({ words, unknown, known, paths }: Words, count: number): readonly string[] {
  const [option] = unknown
  if (option !== undefined)
    throw new Misuse(`unknown option '${option}'`, suggest(option.replace(/=.*/, ''), known))
  const extra = words[count] ?? paths?.[0]
  if (extra !== undefined) throw new Misuse(`unexpected argument '${extra}'`)
  return words
}

/** `git deploy -n plan prod` would deploy a directory called 'plan' in the state of a branch called 'prod'. */
function withoutVerb(words: Words): Words {
  const [first] = words.words
  if (first !== undefined && Object.hasOwn(VERBS, first))
    throw new Misuse(`'${first}' comes before its options`, `for a directory of that name use './${first}'`)
  return words
}

function selectionOf(given: InferredOptionTypes<typeof SELECTION>): Selection {
  const patterns = (option: keyof typeof SELECTION) => {
    const names = given[option]?.flatMap(words => words.split(',').map(name => name.trim())) ?? []
    if (given[option]?.length === 0 || names.includes(''))
      throw new Misuse(`'--${option}' takes hosts, as in '--${option}=web1,dns*'`)
    return names
  }
  return { limit: patterns('limit'), exclude: patterns('exclude') }
}

function outputOf({ output, json }: { output?: string | undefined; json?: boolean | undefined }) {
  if (output === '') throw new Misuse("'--output' takes a file, or '-' for stdout")
  if (output === '-' && json) throw new Misuse("'--json' and '--output=-' cannot both write to stdout")
  return output ?? null
}

function planFile([file]: readonly string[]): string {
  if (file === undefined)
    throw new Misuse('no saved plan given', "'git deploy plan -o <file>' saves one; '-' reads it from stdin")
  return file
}

function hookAction(words: Words) {
  // What the post-commit hook runs, and nobody types.
  if (words.words[0] === 'run') return oneOf(['post-commit'], { ...words, words: words.words.slice(1) })
  return oneOf(['install', 'uninstall', 'list'], words)
}

function oneOf<const T extends string>(choices: readonly T[], words: Words): T {
  const [given] = atMost(words, 1)
  const choice = choices.find(word => word === given)
  if (choice !== undefined) return choice
  const list = choices.length === 1 ? choices[0] : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
  if (given === undefined) throw new Misuse(`one word is missing: ${list}`)
  throw new Misuse(`unknown argument '${given}', expected ${list}`, suggest(given, choices))
}

function completedVerbs(): CompletedVerb[] {
  return Object.entries(VERBS).map(([name, { usage, options }]) => ({
    name,
    options: Object.entries(options).map(entry => ({
      spellings: spellings(entry),
      takesValue: entry[1].type !== 'boolean',
      meaning: entry[1].describe ?? '',
    })),
    ...operandsOf(usage[0] ?? ''),
  }))
}

/** From 'rollback [<options>] [<host>…]' or 'hooks (install | list)'. */
function operandsOf(usage: string): Pick<CompletedVerb, 'operands' | 'repeats'> {
  const matches = [...usage.matchAll(/\(([a-z| ]+)\)|<([a-z]+)>/g)]
  const operands = matches.map(([, words, name = '']) => words?.replaceAll(' | ', ' ') ?? name)
  return { operands: operands.filter(operand => operand !== 'options'), repeats: usage.includes('…') }
}

type Given = InferredOptionTypes<typeof ACCEPTING & typeof VERBOSE & typeof PROGRESS & typeof COLOR>

function accepting(given: Given): Accepting {
  return {
    yes: given.yes ?? false,
    dryRun: given['dry-run'] ?? false,
    verify: !given['no-verify'],
    adopt: given.adopt ?? false,
    atomic: given['no-atomic'] ? false : (given.atomic ?? null),
    confirm: confirmBy(given.confirm),
    waitMs: waitMs(given.wait),
    verbose: given.verbose ?? false,
    progress: !(given['no-progress'] ?? false),
    color: colorWhen(given),
  }
}

function colorWhen(given: InferredOptionTypes<typeof COLOR>): ColorWhen | null {
  if (given['no-color']) return 'never'
  if (given.color === undefined) return null
  const when = COLOR_WHEN.find(word => word === given.color)
  if (when === undefined) throw new Misuse("'--color' takes always, auto or never, as in '--color=always'")
  return when
}

function confirmBy(given: string | undefined): ConfirmBy {
  const by = CONFIRM_BY.find(word => word === (given ?? 'auto'))
  if (by === undefined) throw new Misuse("'--confirm' takes reconnect or auto, as in '--confirm=reconnect'")
  return by
}

/** `--wait` alone is without end. */
function waitMs(given: string | undefined): number {
  if (given === undefined) return 0
  if (given === '') return Number.POSITIVE_INFINITY
  if (/^\d{1,6}$/.test(given)) return Number(given) * 1000
  throw new Misuse("'--wait' takes a number of seconds, as in '--wait=60'")
}

function spellings([name, { alias = [] }]: [string, Options]): string[] {
  const words = [name, alias].flat()
  return [
    ...words.filter(word => word.length === 1).map(letter => `-${letter}`),
    ...words.filter(word => word.length > 1).map(word => `--${word}`),
  ]
}

function describe(options: OptionTable) {
  return Object.entries(options).map(([name, option]) => ({
    flags: spellings([name, option]).join(', '),
    meaning: option.describe ?? '',
  }))
}
