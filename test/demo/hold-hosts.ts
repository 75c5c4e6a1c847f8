/**
 * Run as: node --import tsx hold-hosts.ts <directory> <host name>…
 * Boots the hosts, prints their numbers, and stops them and removes the directory when its stdin ends or, if that said
 * KEEP, when somebody sends SIGTERM.
 */
import { rmSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { bootHosts } from '../hosts/boot.ts'
import { KEEP } from './holder.ts'

const [directory = '', ...names] = process.argv.slice(2)
const told = untilTold()
const releases: (() => Promise<void>)[] = []
const hosts = await bootHosts({ after: release => void releases.push(release) }, names)
console.log(JSON.stringify(hosts.map(({ address }) => Number(address.split('.')[3]))))
await told
await Promise.all(releases.map(release => release()))
rmSync(directory, { recursive: true })
process.exit()

function untilTold(): Promise<void> {
  return new Promise(resolve => {
    process.on('SIGTERM', () => resolve())
    text(process.stdin).then(said => {
      if (said !== KEEP) resolve()
    })
  })
}
