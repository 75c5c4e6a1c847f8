/** The options of every command that deploys. */
import { CONFIRM_BY, type ConfirmBy, type DeployOptions } from '../../command.ts'
import type { Batch } from '../../plan/waves.ts'
import { Misuse } from '../grammar/misuse.ts'
import type { Given } from '../grammar/option.ts'
import { type COLOR, colorWhen } from './color.ts'
import type { PROGRESS, VERBOSE } from './common.ts'

export const DEPLOYING = {
  'dry-run': { alias: ['n', 'plan-only'], type: 'boolean', describe: 'show the plan and stop' },
  yes: { alias: ['y', 'no-confirm'], type: 'boolean', describe: 'deploy without asking' },
  'no-verify': { type: 'boolean', describe: 'skip the pre-deploy hook' },
  adopt: { type: 'boolean', describe: 'replace files in the way of links, keep backups' },
  atomic: { type: 'boolean', describe: 'deploy to all hosts or to none' },
  'no-atomic': { type: 'boolean', describe: 'let each host succeed or fail on its own' },
  batch: { type: 'string', value: '<n>[%]', describe: 'activate n hosts at a time; stop if one fails' },
  'skip-unreachable': { type: 'boolean', describe: 'leave out hosts that cannot be reached; exit with 4' },
  wait: { type: 'string', value: '[=<seconds>]', describe: 'wait for another deployment to end' },
  confirm: { type: 'string', value: '<how>', describe: 'when to use a new connection: reconnect or auto' },
} as const

export function deployOptions(
  given: Given<typeof DEPLOYING & typeof VERBOSE & typeof PROGRESS & typeof COLOR>,
): DeployOptions {
  return {
    yes: given.yes ?? false,
    dryRun: given['dry-run'] ?? false,
    verify: !given['no-verify'],
    adopt: given.adopt ?? false,
    atomic: given['no-atomic'] ? false : (given.atomic ?? null),
    batch: batchOf(given.batch),
    confirm: confirmBy(given.confirm),
    skipUnreachable: given['skip-unreachable'] ?? false,
    waitMs: waitMs(given.wait),
    verbose: given.verbose ?? false,
    progress: !(given['no-progress'] ?? false),
    color: colorWhen(given),
  }
}

function confirmBy(given: string | undefined): ConfirmBy {
  const by = CONFIRM_BY.find(word => word === (given ?? 'auto'))
  if (by === undefined) throw new Misuse("'--confirm' takes reconnect or auto, as in '--confirm=reconnect'")
  return by
}

function batchOf(given: string | undefined): Batch | null {
  if (given === undefined) return null
  const [, digits, sign] = /^([1-9]\d{0,3})(%?)$/.exec(given) ?? []
  const count = Number(digits)
  if (digits === undefined || (sign === '%' && count > 100))
    throw new Misuse("'--batch' takes a number of hosts or a percentage, as in '--batch=2' or '--batch=25%'")
  return sign === '%' ? { percent: count } : { hosts: count }
}

/** `--wait` alone waits without end. */
function waitMs(given: string | undefined): number {
  if (given === undefined) return 0
  if (given === '') return Number.POSITIVE_INFINITY
  if (/^\d{1,6}$/.test(given)) return Number(given) * 1000
  throw new Misuse("'--wait' takes a number of seconds, as in '--wait=60'")
}
