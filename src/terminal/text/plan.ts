/** A plan as the operator reads it before saying yes. */
import type { ClusterName, HostName } from '../../plan/names.ts'
import type { AppPlan, FileChange, HostPlan, LeftOut, Plan } from '../../plan/plan.ts'
import type { TakenBack } from '../../plan/taken-back.ts'
import { printable, quoted, visible } from '../clean.ts'
import { foldLine } from '../fold-line.ts'
import type { Colors } from '../terminal.ts'
import { wrap } from '../wrap.ts'
import { noHosts } from './names.ts'
import { stepLines } from './steps.ts'
import { takenBackLines } from './taken-back.ts'
import { nothingToChange, unsettledBlock } from './unsettled.ts'

/** Where the config tree was taken from. */
export type PlanSource =
  | {
      readonly kind: 'worktree'
      readonly commit: string | null
      readonly branch: string | null
      readonly dirty: boolean
      readonly during?: { readonly kind: string; readonly of: string | null }
    }
  | { readonly kind: 'revision'; readonly rev: string; readonly commit: string }
  | {
      readonly kind: 'rollback'
      readonly undoes: { readonly deployment: string; readonly by: string } | null
    }
  /** What this repository has deployed, to be put right where it has drifted. */
  | { readonly kind: 'recorded' }

export interface Look {
  readonly colors: Colors
  readonly columns: number
  /** Every file and every host by name, however many they are. */
  readonly verbose: boolean
  /** How many digits of a commit's name are shown, where core.abbrev says it. */
  readonly abbrev?: number
}

/** The lines of a plan, hosts with the same changes together. */
export function renderPlan(plan: Plan, source: PlanSource, look: Look): string[] {
  const { cluster, hosts, vanished, leaving, leftOut, unsettled } = plan
  const emptied = leaving.filter(host => !hosts.some(plan => plan.host === host))
  const left = [
    ...(vanished.length > 0 ? [vanishedBlock(cluster, vanished, look)] : []),
    ...(emptied.length > 0 ? [emptiedBlock(cluster, emptied, look)] : []),
    ...(unsettled.length > 0 ? [unsettledBlock(plan, look)] : []),
    ...(plan.takenBack.length > 0 ? [takenBackLines(plan.takenBack, nameOf(source, look), look)] : []),
  ]
  const selected = leftOut && leftOut.hosts.length > 0 ? [[leftOutLine(leftOut, look)]] : []
  if (hosts.length === 0) return paragraphs([...left, [upToDate(plan)], ...selected])
  const blocks = together(plan, look).map(group => [...heading(group, look), ...group.body])
  return paragraphs([foldLine(header(cluster, source, look), look.columns), ...blocks, ...left, ...selected])
}

/** What is deployed, in a word. */
export function nameOf(source: PlanSource, { abbrev = 7 }: Pick<Look, 'abbrev'>): string {
  if (source.kind === 'revision') return source.rev
  if (source.kind !== 'worktree') return 'the plan'
  return source.branch ?? source.commit?.slice(0, abbrev) ?? 'the working tree'
}

/** What the operator answers with y or n. */
export function question(plan: Plan, waves = 1): string {
  const how = waves > 1 ? `, in ${waves} waves` : ''
  return `Deploy to ${count(plan.hosts.length, 'host')} in '${plan.cluster}'${how}? A host that fails rolls back by itself.`
}

function upToDate({ cluster, total, leftOut, unsettled }: Plan): string {
  const out = leftOut?.hosts.length ?? 0
  if (total + out === 0) return noHosts(cluster)
  if (unsettled.length > 0) return nothingToChange(cluster)
  if (out === 0) return `${cluster} is up to date (${count(total, 'host')})`
  return `${cluster} is up to date on ${total} of ${count(total + out, 'host')}`
}

/** How many names are listed before the rest is only counted. */
const MANY = 20

function header(cluster: ClusterName, source: PlanSource, { colors, abbrev = 7 }: Look): string {
  if (source.kind === 'recorded') return `${cluster} as last deployed, to repair its hosts`
  if (source.kind === 'rollback') return `${cluster} back to what ran before${deploymentOf(source)}`
  const commit = source.commit?.slice(0, abbrev) ?? null
  if (source.kind === 'revision') return `${cluster} from ${visible(source.rev)} (${commit})`
  const dirty = source.dirty ? `, ${colors.yellow('with uncommitted changes')}` : ''
  const where = whereabouts(source.branch && visible(source.branch), commit)
  return `${cluster} from the working tree (${where}${duringWords(source, colors)}${dirty})`
}

function duringWords({ during, branch }: Extract<PlanSource, { kind: 'worktree' }>, colors: Colors): string {
  if (during === undefined) return ''
  const of = during.of === null || during.of === branch ? '' : ` of ${visible(during.of)}`
  return `, ${colors.yellow(`in the middle of a ${during.kind}${of}`)}`
}

function deploymentOf({ undoes }: Extract<PlanSource, { kind: 'rollback' }>): string {
  return undoes ? ` deployment ${printable(undoes.deployment)} by ${printable(undoes.by)}` : ''
}

function whereabouts(branch: string | null, commit: string | null): string {
  if (commit === null) return branch === null ? 'no commit yet' : `${branch}, no commit yet`
  return branch === null ? commit : `${branch} ${commit}`
}

interface Group {
  readonly hosts: HostName[]
  /** 'new', or why it is here though the tree does not have it. */
  readonly note: string | null
  readonly body: readonly string[]
}

function together({ cluster, hosts, leaving, takenBack }: Plan, look: Look): Group[] {
  const groups = new Map<string, Group>()
  for (const plan of hosts) {
    const left = leaving.includes(plan.host)
    const note = left ? `no longer in '${cluster}'` : plan.from === null ? 'new' : null
    const back = takenBack.filter(({ host }) => host === plan.host).flatMap(({ files }) => files)
    const body = hostBody(plan, back, look)
    const key = [note, ...body].join('\n')
    const group = groups.get(key)
    if (group) group.hosts.push(plan.host)
    else groups.set(key, { hosts: [plan.host], note, body })
  }
  return [...groups.values()]
}

function heading({ hosts, note }: Group, look: Look): string[] {
  const { colors, columns } = look
  const { shown, more } = cut(hosts, look)
  const names = commas(more > 0 ? [...shown, `… and ${more} more`] : shown)
  const kind = kindOf(hosts.length, note)
  return wrap(kind === '' ? names : [...names, kind], columns).map(line => colors.bold(line))
}

function kindOf(hosts: number, note: string | null): string {
  if (note !== 'new' && note !== null) return hosts > 1 ? `(${hosts} hosts, ${note})` : `(${note})`
  if (hosts > 1) return `(${hosts} ${note === null ? '' : 'new '}hosts)`
  return note === null ? '' : '(new host)'
}

function hostBody(plan: HostPlan, takenBack: TakenBack['files'], look: Look): string[] {
  const isBack = (app: string) => (path: string) =>
    takenBack.some(one => one.app === app && one.path === path)
  const steps = stepLines(plan)
  const of = (app: string | null) => steps.filter(line => line.app === app).map(line => line.text)
  const apps = new Set<string | null>(plan.apps.map(({ app }) => app))
  // A repair may touch a link of an app that is otherwise as it should be.
  const rest = steps.filter(line => !apps.has(line.app)).map(line => line.text)
  return [
    ...plan.apps.flatMap(app => [
      `    ${action(app, look)} ${quoted(app.app)}`,
      ...[...fileLines(app.files, isBack(app.app), look), ...of(app.app)].map(line => `        ${line}`),
    ]),
    ...rest.map(line => `    ${line}`),
    ...reconnectLine(plan, look),
    ...(plan.apps.length + steps.length === 0 ? ["    repair the host's record"] : []),
  ]
}

function reconnectLine({ reconnect }: HostPlan, { colors, verbose }: Look): string[] {
  if (reconnect.length === 0) return []
  const [first, ...more] = reconnect.map(quoted)
  const why = verbose ? [first, ...more].join(', ') : `${first}${more.length > 0 ? ', …' : ''}`
  return [`    ${colors.yellow('confirmed over a new connection')} (${why})`]
}

function action({ action }: AppPlan, { colors }: Look): string {
  return { add: colors.green, update: colors.cyan, repair: colors.yellow, remove: colors.red }[action](action)
}

function fileLines(files: readonly FileChange[], isBack: (path: string) => boolean, look: Look): string[] {
  const { colors } = look
  const signs = { add: colors.green('+'), modify: colors.cyan('~'), delete: colors.red('-') }
  const { shown, more } = cut(files, look)
  const lines = shown.map(
    ({ path, action }) =>
      `${signs[action]} ${quoted(path)}${isBack(path) ? colors.yellow('  taken back') : ''}`,
  )
  const [same] = new Set(files.map(file => file.action)).size === 1 ? files : []
  return more > 0 ? [...lines, `${same ? signs[same.action] : ' '} … and ${more} more files`] : lines
}

function vanishedBlock(
  cluster: ClusterName,
  hosts: readonly HostName[],
  { colors, columns }: Look,
): string[] {
  const [are, their] = hosts.length === 1 ? ['is', 'its'] : ['are', 'their']
  const fact = `${are} no longer in '${cluster}' and ${are} left alone`
  return [
    ...wrap([...commas(hosts), ...fact.split(' ')], columns).map(line => colors.yellow(line)),
    `hint: to remove ${their} apps, use --prune`,
    `hint: to stop tracking ${hosts.length === 1 ? 'it' : 'them'}, run 'git deploy forget ${hosts.length > MANY ? '<host>…' : hosts.join(' ')}'`,
  ]
}

function emptiedBlock(cluster: ClusterName, hosts: readonly HostName[], { colors, columns }: Look): string[] {
  const [has, is, them] = hosts.length === 1 ? ['has', 'is', 'it'] : ['have', 'are', 'them']
  const fact = `${has} no apps and ${is} no longer in '${cluster}': --prune stops tracking ${them}`
  return wrap([...commas(hosts), ...fact.split(' ')], columns).map(line => colors.yellow(line))
}

function leftOutLine({ hosts, changed }: LeftOut, { colors }: Look): string {
  const line = `${count(hosts.length, 'host')} left out by --limit or --exclude`
  return changed.length > 0 ? colors.yellow(`${line}, ${changed.length} with changes`) : line
}

function commas(names: readonly string[]): string[] {
  return names.map((name, i) => (i + 1 < names.length ? `${name},` : name))
}

function cut<T>(items: readonly T[], { verbose }: Look): { shown: readonly T[]; more: number } {
  // Counting one away would take the line that it has.
  const shown = verbose || items.length <= MANY + 1 ? items : items.slice(0, MANY)
  return { shown, more: items.length - shown.length }
}

function paragraphs(blocks: readonly (readonly string[])[]): string[] {
  return blocks.flatMap((block, i) => (i === 0 ? block : ['', ...block]))
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
