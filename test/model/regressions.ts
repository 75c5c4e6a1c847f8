/** What once went wrong, as trees that are deployed one after the other. */
import type { App, Declared, UnitFile } from './declared.ts'
import type { Fault } from './fault.ts'
import type { Happening } from './sequence.ts'

const ONESHOT = unit({ type: 'oneshot', reload: true, readsConfig: true })

export const REGRESSIONS: { readonly [what: string]: readonly Happening[] } = {
  'a unit file that becomes a quadlet leaves no enablement behind': [
    deploy({ one: app({ units: new Map([['q1.service', unit({})]]) }) }),
    deploy({ one: app({ quadlets: new Map([['q1', '[Container]\nType=notify\n']]) }) }),
  ],
  'what was to become a ref when the agent was killed is no ref': [
    deploy({ one: app({ config: 'one\n' }) }),
    deploy(
      { one: app({ config: 'two\n' }) },
      { kind: 'kill', at: 'write /var/lib/deptool/store/refs/deptool/current', torn: true },
    ),
  ],
  'a oneshot that was done is not left failed by a reload that is undone': [
    deploy({ one: app({ config: 'one\n', units: new Map([['u1.service', ONESHOT]]) }) }),
    deploy({ one: app({ config: 'broken\n', units: new Map([['u1.service', ONESHOT]]) }) }),
  ],
  'before a repair, nothing else ran that a rollback could go to': [
    deploy({ one: app({}) }),
    { kind: 'drift', seed: 1 },
    { kind: 'rollback', seed: 1 },
  ],
}

function deploy(apps: Readonly<Record<string, App>>, fault?: Fault): Happening {
  const tree: Declared = new Map(Object.entries(apps))
  return fault === undefined ? { kind: 'deploy', tree } : { kind: 'deploy', tree, fault }
}

function app(more: Partial<App>): App {
  return {
    config: 'text\n',
    data: new Map(),
    units: new Map(),
    quadlets: new Map(),
    sysusers: new Set(),
    tmpfiles: new Set(),
    links: new Map(),
    distribution: false,
    validates: 'unasked',
    answers: 'unasked',
    ...more,
  }
}

function unit(more: Partial<UnitFile>): UnitFile {
  return {
    type: 'notify',
    start: 'works',
    note: 'text\n',
    dropIn: null,
    wantedBy: 'multi-user.target',
    enabled: true,
    reload: false,
    readsConfig: false,
    ...more,
  }
}
