import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { conclude } from '../../src/delivery/conclude.ts'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { ClusterName, HostName } from '../../src/plan/names.ts'
import type { HostEnd } from '../../src/rollout/events.ts'
import type { Reporter } from '../../src/terminal/reporter.ts'

const undone = (...leftovers: string[]): HostEnd => ({
  kind: 'undone',
  failure: { step: 1, message: 'a.service exited with 1', units: [] },
  leftovers,
})

function lastWords(ends: Record<string, HostEnd>) {
  const said: unknown[] = []
  const carried = {
    cluster: 'prod' as ClusterName,
    id: '20260101T000000-0123456789' as DeploymentId,
    ms: 1,
    stale: [],
    unrecorded: undefined,
    atomic: false,
  }
  const reporter = { conclude: (conclusion: unknown) => said.push(conclusion) } as unknown as Reporter
  const context = { terminal: { note: (text: string) => said.push(text) } } as unknown as Context
  try {
    conclude(new Map(Object.entries(ends)) as Map<HostName, HostEnd>, carried, context, reporter)
  } catch (error) {
    const { message, hint, exitCode } = error as { message: string; hint?: string; exitCode: number }
    return { message, hint, exitCode }
  }
  return undefined
}

test('a host that went back runs what ran before', () => {
  assert.deepEqual(lastWords({ web1: undone() }), {
    message: 'rolled back on web1: it is as it was before',
    hint: 'fix the cause, then run the same command again; hosts that are up to date are left alone',
    exitCode: 4,
  })
})

test('a host on which not everything went back is not said to run what ran before', () => {
  assert.deepEqual(lastWords({ web1: undone('systemctl restart a.service: failed'), web2: undone() }), {
    message: 'rolled back on web1, web2, but incompletely on web1',
    hint: "run 'git deploy verify prod' to see what differs, and 'git deploy --repair prod' to fix it",
    exitCode: 4,
  })
})

test('a single host on which not everything went back is named once', () => {
  assert.equal(
    lastWords({ web1: undone('systemctl restart a.service: failed') })?.message,
    'rolled back on web1, but incompletely',
  )
})
