/**
 * `npm run demo`: the main job, for everybody to see, on two hosts made for it.
 * `npm run demo -- --keep`: leaves the hosts and the repository to play with.
 */
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

const options = process.argv.slice(2)
if (options.some(option => option !== '--keep')) {
  console.error('usage: npm run demo [-- --keep]')
  process.exit(129)
}

process.chdir(fileURLToPath(new URL('../..', import.meta.url)))
register()
const { demo } = await import('./demo.ts')
// Not by exitCode: after a Ctrl-C something may still be under way that nobody waits for.
process.exit(await demo({ keep: options.includes('--keep') }))
