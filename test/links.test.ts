import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const TOP = fileURLToPath(new URL('..', import.meta.url))
const PAGES = ['README.md', 'CHANGELOG.md', ...readdirSync(join(TOP, 'docs')).map(name => `docs/${name}`)]

for (const page of PAGES.filter(name => name.endsWith('.md')))
  test(`every link in ${page} leads somewhere`, () => {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', section] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      assert.ok(existsSync(join(TOP, file)), `${page}: '${target}' is not there`)
      if (section) assert.ok(sectionsOf(file).includes(section), `${page}: '${target}' has no such section`)
    }
  })

test('every page of docs/ can be reached from README.md', () => {
  const reached = new Set<string>()
  const visit = (page: string) => {
    if (reached.has(page) || !page.endsWith('.md')) return
    reached.add(page)
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s#]+)/g))
      if (!/^[a-z]+:/.test(target)) visit(join(dirname(page), target))
  }
  visit('README.md')
  assert.deepEqual([...reached].sort(), PAGES.filter(name => name.endsWith('.md')).sort())
})

test('every test, source and page that a page names in words is there', () => {
  for (const page of PAGES.filter(name => name.endsWith('.md')))
    for (const [, path = ''] of read(page).matchAll(/`((?:src|agent|test|docs|hooks|man)\/[\w./-]+\.\w+)`/g))
      assert.ok(existsSync(join(TOP, path)), `${page} names '${path}'`)
})

/** As GitHub names them. */
function sectionsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .replace(/ /g, '-'),
  )
}

function read(page: string): string {
  return readFileSync(join(TOP, page), 'utf8')
}
