import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostName } from '../../src/plan/names.ts'
import { selectHosts } from '../../src/plan/select.ts'

const KNOWN = ['db1', 'dns1', 'web1', 'web2', 'web10', 'web1.example.org'] as HostName[]

function chosen(limit: string[], exclude: string[] = []): string {
  const selected = selectHosts(KNOWN, { limit, exclude })
  return selected.kind === 'selected' ? [...selected.hosts].join(' ') : 'unmatched'
}

test('nothing given is every host', () => {
  assert.equal(chosen([]), KNOWN.join(' '))
})

test('names and globs, in the order of the hosts', () => {
  assert.equal(chosen(['web1']), 'web1')
  assert.equal(chosen(['web?']), 'web1 web2')
  assert.equal(chosen(['web*']), 'web1 web2 web10 web1.example.org')
  assert.equal(chosen(['web[12]', 'db1']), 'db1 web1 web2')
  assert.equal(chosen(['web[!1]']), 'web2')
  assert.equal(chosen(['*.example.org']), 'web1.example.org')
})

test('exclude takes away from what limit leaves', () => {
  assert.equal(chosen([], ['web*']), 'db1 dns1')
  assert.equal(chosen(['web*'], ['web1*']), 'web2')
  assert.equal(chosen(['web1'], ['web*']), '')
})

test('what is special in an expression is nothing special in a name', () => {
  assert.equal(chosen(['web1.']), 'unmatched')
  for (const odd of ['web(1', 'web1|db1', 'web[', 'web[z-a]', 'web+', '^web1', 'web\\1', '[^]*'])
    assert.equal(chosen([odd]), 'unmatched', odd)
})

test('every pattern that matches nothing is told, with what was meant', () => {
  const selected = selectHosts(KNOWN, { limit: ['wb2', 'web1'], exclude: ['mail*'] })
  assert.deepEqual(selected, {
    kind: 'unmatched',
    patterns: [
      { option: '--limit', pattern: 'wb2', hint: "did you mean 'web2'?" },
      {
        option: '--exclude',
        pattern: 'mail*',
        hint: "the hosts are 'db1', 'dns1', 'web1', 'web2', 'web10', 'web1.example.org'",
      },
    ],
  })
})

test('a hint does not name a whole fleet', () => {
  const fleet = Array.from({ length: 200 }, (_, i) => `host${i}` as HostName)
  const selected = selectHosts(fleet, { limit: ['mail'], exclude: [] })
  assert.match(selected.kind === 'unmatched' ? selected.patterns[0]!.hint : '', /'host11' and 188 more$/)
  const near = selectHosts(fleet, { limit: ['hst150'], exclude: [] })
  assert.match(near.kind === 'unmatched' ? near.patterns[0]!.hint : '', /^did you mean 'host150'/)
})
