/** The operator's hooks, called like pre-push. pre-deploy can stop a deployment; post-deploy hears how it ended. */
import { Fatal } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import { findHook, type Hook, runHook } from '../git/hooks.ts'
import { trackingRef } from '../git/refs.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import { type Ends, RESULT, type Result } from '../rollout/events.ts'
import type { HostJob } from '../rollout/run.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Deployment } from './deployment.ts'

/** Whether there is a pre-deploy hook: then no host may hear of the deployment before `beforeDeploy`. */
export function isGuarded(repo: Repository): boolean {
  return findHook(repo, 'pre-deploy').state === 'executable'
}

/** Throws Fatal if pre-deploy refuses the deployment. */
export async function beforeDeploy({ planned, id, jobs }: Deployment, terminal: Terminal): Promise<void> {
  const { repo, plan } = planned
  const hook = runnable(repo, 'pre-deploy', terminal)
  if (hook === undefined) return
  const input = jobs.map(lineOf).join('')
  const code = await runHook(repo, hook, { args: [plan.cluster], input, env: identity(id) })
  if (code !== 0)
    throw new Fatal(`cannot deploy '${plan.cluster}': the pre-deploy hook exited with ${code}`, {
      hint: 'no host was contacted; to skip the hook, add --no-verify',
    })
}

/** Whatever post-deploy does, the deployment has not failed. */
export async function afterDeploy(
  { planned, id, jobs }: Deployment,
  ends: Ends,
  terminal: Terminal,
): Promise<void> {
  const { repo, plan } = planned
  const hook = runnable(repo, 'post-deploy', terminal)
  if (hook === undefined) return
  const held = jobs.filter(job => ends.get(job.plan.host)?.kind === 'held')
  const named = (result: Result) =>
    [...ends].flatMap(([host, end]) => (RESULT[end.kind] === result ? [host] : [])).join(' ')
  const env = {
    ...identity(id),
    DEPTOOL_UNCHANGED: named('unchanged'),
    DEPTOOL_UNDONE: named('undone'),
    DEPTOOL_UNKNOWN: named('unknown'),
  }
  try {
    const input = held.map(lineOf).join('')
    const code = await runHook(repo, hook, { args: [plan.cluster], input, env })
    if (code !== 0) terminal.note(`warning: the post-deploy hook exited with ${code}`)
  } catch (error) {
    terminal.note(`warning: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function lineOf({ plan, commit }: HostJob): string {
  return `${plan.host} ${commit} ${trackingRef(plan.host)} ${plan.from ?? '0'.repeat(commit.length)}\n`
}

function identity(id: DeploymentId): NodeJS.ProcessEnv {
  return { DEPTOOL_DEPLOYMENT: id }
}

/** If the hook is not executable, says so, as git does. */
function runnable(repo: Repository, name: string, terminal: Terminal): Hook | undefined {
  const hook = findHook(repo, name)
  if (hook.state === 'ignored')
    terminal.note(`hint: the '${name}' hook was ignored because it is not set as executable`)
  return hook.state === 'executable' ? hook : undefined
}
