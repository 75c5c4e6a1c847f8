import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { connectAhead } from '../delivery/connect-ahead.ts'
import { deliver } from '../delivery/deliver.ts'
import { inspectRecorded } from '../delivery/inspect-recorded.ts'
import type { ExitCode } from '../errors.ts'
import { readRecorded } from '../planning/cluster-hosts.ts'
import { type ComparedTree, compareTree } from '../planning/compare-tree.ts'
import { type Drifted, driftedHosts } from '../planning/drifted.ts'
import { planRepair } from '../planning/plan-repair.ts'
import { planTree } from '../planning/plan-tree.ts'
import type { Planned } from '../planning/planned.ts'
import type { Connections } from '../remote/connections.ts'
import { verifyRecord } from '../terminal/json/hosts.ts'
import { driftLines } from '../terminal/text/drift.ts'

type Deploy = CommandOf<'deploy'>

/** `git deploy`: shows the plan, asks, carries it out on all hosts, records what they run then. */
export async function deploy(command: Deploy, context: Context): Promise<ExitCode> {
  if (command.repair) return deliver(await repairOf(command, context), command, context)
  const compared = await compareTree(command, context)
  const early = callChanged(compared, command, context)
  try {
    return await deliver(await planTree(compared, context), command, context, early)
  } finally {
    early?.close()
  }
}

/** As soon as it is known which hosts change: connecting takes longer than working out what they need. */
function callChanged(
  { scope, changed, repo, config }: ComparedTree,
  command: Deploy,
  context: Context,
): Connections | undefined {
  const endsWithPlan = command.dryRun || !(command.yes || context.terminal.input)
  if (endsWithPlan || scope.snapshot.problems.length > 0) return undefined
  const hosts = changed.map(({ host }) => host)
  return connectAhead(hosts, { repo, config }, command, context)
}

async function repairOf(command: Deploy, context: Context): Promise<Planned> {
  const recorded = await readRecorded(command, context)
  const inspected = await inspectRecorded(recorded, context)
  const drifted = driftedHosts(recorded.hosts, inspected)
  showDrift(drifted, command.color ?? recorded.config.color, context)
  return planRepair(recorded, drifted)
}

function showDrift(drifted: readonly Drifted[], color: string | null, { terminal, emit }: Context): void {
  for (const { tracked, answer } of drifted) {
    emit(verifyRecord(answer, tracked.commit))
    for (const line of driftLines(answer, tracked.commit, terminal.noteColors(color))) terminal.note(line)
  }
}
