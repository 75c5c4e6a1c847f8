import type { TestHost } from '../hosts/test-host.ts'
import type { World } from '../support/world.ts'
import { editZone, firstDeployment, lookBack, NGINX, PAGE } from './chapters.ts'
import type { Screen } from './screen.ts'
import { get, getDuring, lookUp } from './services.ts'

/** Deploy, change, break, mend. Rejects as soon as something is not as it should be. */
export async function realStory(world: World<TestHost>, screen: Screen): Promise<void> {
  const url = `http://${world.host('web1').address}:18080/`
  const server = `${world.host('dns1').address}:18053`
  const page = (expected: string) => screen.expect(`${url} says`, () => get(url), expected)
  const www = (expected: string) =>
    screen.expect(`${server} says www.example.org is`, () => lookUp('www.example.org', server), expected)

  screen.headline('Two fresh hosts get nginx and nsd configured')
  await firstDeployment(world, screen)
  await page('Hello, this is version 1')
  await www('192.0.2.1')

  screen.headline('A zone changes')
  await editZone(screen, '192.0.2.1', '192.0.2.80')
  await screen.quiet("git commit -qam 'www moves'")
  await screen.run('git deploy prod --yes')
  await www('192.0.2.80')

  screen.headline('A new page, and a mistake: nginx.conf loses a semicolon')
  await screen.quiet(`sed -i 's/version 1/version 2/' ${PAGE}`)
  await screen.quiet(`sed -i 's/access_log off;/access_log off/' ${NGINX}`)
  await breakNginx(screen, url)
  await page('Hello, this is version 1')

  screen.headline('Mended')
  await screen.quiet(`sed -i 's/access_log off/access_log off;/' ${NGINX}`)
  await screen.quiet("git commit -qam 'version 2'")
  await screen.run('git deploy prod --yes')
  await page('Hello, this is version 2')

  await lookBack(screen)
}

/** Shows that nginx is there all the while, but for the restart that brings it back. */
async function breakNginx(screen: Screen, url: string): Promise<void> {
  const deployment = screen.run('git deploy prod --yes', { exits: 4 })
  const { count, longestSilenceMs } = await getDuring(deployment, url)
  const apart = `${Math.round(longestSilenceMs)} ms`
  screen.fact(`${url} answered ${count} times meanwhile, at most ${apart} apart`, longestSilenceMs < 3000)
}
