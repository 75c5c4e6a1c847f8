import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalHost } from '../support/local-host.ts'
import type { World } from '../support/world.ts'
import { editZone, firstDeployment, lookBack, PAGE } from './chapters.ts'
import type { Screen } from './screen.ts'

const APPS = '/var/lib/deptool/apps'

/** Deploy, change, be refused, mend: what can be shown where nothing runs. */
export async function embeddedStory(world: World<LocalHost>, screen: Screen): Promise<void> {
  const web1 = world.host('web1')
  const dns1 = world.host('dns1')
  const page = (expected: string) =>
    screen.expect(
      "web1's page says",
      async () => web1.read(`${APPS}/nginx/current/site/index.html`).trim(),
      expected,
    )
  const www = (expected: string) =>
    screen.expect("dns1's zone says", async () => addressOfWww(dns1), expected)

  screen.headline('Two directories that stand for hosts get their files')
  await firstDeployment(world, screen)
  await screen.run(`ls -o ../../hosts/dns1${APPS}/nsd`)
  await page('Hello, this is version 1')
  await www('192.0.2.1')

  screen.headline('A zone changes')
  await editZone(screen, '192.0.2.1', '192.0.2.80')
  await screen.quiet("git commit -qam 'www moves'")
  await screen.run('git deploy prod --yes')
  await www('192.0.2.80')

  screen.headline('A new page, and a mistake: a link goes where dns1 has a file of its own')
  writeFileSync(join(dns1.directory, 'etc/motd'), 'the own words of dns1\n')
  await screen.quiet(`sed -i 's/version 1/version 2/' ${PAGE}`)
  await screen.quiet('mkdir prod/dns1/motd && echo Welcome >prod/dns1/motd/motd')
  await screen.quiet(`echo '{"symlinks": {"/etc/motd": "motd"}}' >prod/dns1/motd/manifest.json`)
  await screen.run('git deploy prod --yes', { exits: 1 })
  await screen.expect("dns1's motd says", async () => dns1.read('/etc/motd').trim(), 'the own words of dns1')
  await page('Hello, this is version 1')

  screen.headline('Mended')
  await screen.quiet('rm -r prod/dns1/motd')
  await screen.quiet("git commit -qam 'version 2'")
  await screen.run('git deploy prod --yes')
  await page('Hello, this is version 2')

  await lookBack(screen)
}

function addressOfWww(host: LocalHost): string {
  const zone = host.read(`${APPS}/nsd/current/zones/example.org.zone`)
  return /^www +A +(.*)$/m.exec(zone)?.[1] ?? 'nothing'
}
