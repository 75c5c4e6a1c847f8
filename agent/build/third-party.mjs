/** dist/THIRD-PARTY-LICENSES: the notices of everything of others that is in the program or in the agent. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The text of the file, from what esbuild says that it bundled (its metafiles). Throws where a notice is missing. */
export function thirdPartyLicenses(metafiles) {
  const directories = new Set(metafiles.flatMap(bundledPackages))
  const notices = [...directories].map(packageNotice).sort((a, b) => (a.name < b.name ? -1 : 1))
  return [
    'git-deploy contains the following software of others, under these licences.\n',
    ...[...notices, quickjsNotice(), MUSL].map(section),
  ].join('\n')
}

/** The directories of the packages from which something is in an output. */
function bundledPackages({ outputs }) {
  const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))
  const files = inputs.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))
  return files.flatMap(file => {
    const [, directory] = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
    // Behind a namespace of ours there is nothing of others.
    return directory === undefined ? [] : [resolve(ROOT, directory.replace(/^[\w-]+:/, ''))]
  })
}

function packageNotice(directory) {
  const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const file = readdirSync(directory).find(entry => /^(?:licen[cs]e|copying)/i.test(entry))
  if (file === undefined) throw new Error(`'${name}' is bundled and has no licence file`)
  return { name: `${name} ${version}`, text: readFileSync(join(directory, file), 'utf8') }
}

function quickjsNotice() {
  const file = join(ROOT, 'node_modules/qjsc/deps/quickjs_2021_03_27/LICENSE')
  if (!existsSync(file)) throw new Error(`'${file}' is missing`)
  return { name: 'QuickJS 2021-03-27 (in the agent)', text: readFileSync(file, 'utf8') }
}

/** Of its COPYRIGHT, which no package of ours brings. */
const MUSL = {
  name: 'musl libc (in the agent)',
  text: `Copyright © 2005-2020 Rich Felker, et al.

Permission is hereby granted, free of charge, to any person obtaining
a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to
permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be
included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND,
EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.
IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT,
TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`,
}

function section({ name, text }) {
  return `${'-'.repeat(78)}\n${name}\n${'-'.repeat(78)}\n\n${text.trim()}\n`
}
