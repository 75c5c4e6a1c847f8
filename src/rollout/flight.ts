import type { Request } from '../protocol/messages.ts'
import type { HostJob, Run } from './run.ts'

/** Everything up to staging, in one flight; what is left of it is not sent once `withdrawn` says so. */
export async function* flight(run: Run, job: HostJob, withdrawn: () => boolean): AsyncGenerator<Request> {
  const { id, operator } = run
  const { confirmMs, adopt } = run.policy
  const { plan, commit, digest, reconnect } = job
  const { host, from, repair = null } = plan
  const wanted = { from, to: commit, digest, confirmMs, adopt, reconnect, repair }
  yield { type: 'deploy', id, host, operator, ...wanted }
  for await (const objects of job.objects()) {
    if (withdrawn()) return
    yield { type: 'objects', objects }
  }
  yield { type: 'stage' }
}
