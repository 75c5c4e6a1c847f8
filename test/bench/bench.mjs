/**
 * `npm run bench`: what git-deploy costs, beside named peers and floors that are measured in the same run.
 * `npm run bench -- --only plan,deploy --rounds 30 --json figures.json`
 *
 * Prepares this machine and builds, as `npm test` does. Without real hosts it says what it left out.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

register()
const { prepare } = await import('../prepare.ts')
const { bench } = await import('./bench.ts')
const { readOptions } = await import('./options.ts')

process.chdir(fileURLToPath(new URL('../..', import.meta.url)))
const options = readOptions(process.argv.slice(2))
const { leftOut } = await prepare()
const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

await bench(options, leftOut)
