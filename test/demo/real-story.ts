import { Resolver } from 'node:dns/promises'
import type { TestHost } from '../hosts/test-host.ts'
import type { World } from '../support/world.ts'
import { demoTree } from './demo-tree.ts'
import type { Screen } from './screen.ts'

const ZONE = 'prod/dns1/nsd/zones/example.org.zone'
const PAGE = 'prod/web1/nginx/site/index.html'
const NGINX = 'prod/web1/nginx/nginx.conf'

/** Deploy, change, break, mend. Rejects as soon as something is not as it should be. */
export async function realStory(world: World<TestHost>, screen: Screen): Promise<void> {
  const url = `http://${world.host('web1').address}:18080/`
  const server = `${world.host('dns1').address}:18053`
  const page = (expected: string) => screen.expect(url, () => get(url), expected)
  const www = (expected: string) =>
    screen.expect(`www.example.org, asked of ${server}`, () => lookUp('www.example.org', server), expected)

  screen.headline('A repository with the files of two hosts that nothing was ever installed on for this')
  await world.git('init', '--quiet', '--initial-branch=main')
  world.write(demoTree(world.hosts))
  await world.commit('nginx on web1, nsd on dns1')
  await screen.run('git deploy prod --yes')
  await page('Hello, this is version 1')
  await www('192.0.2.1')

  screen.headline('A zone changes')
  await screen.quiet(`sed -i 's/192.0.2.1$/192.0.2.80/; s/hostmaster 1/hostmaster 2/' ${ZONE}`)
  await screen.quiet("git commit -qam 'www moves'")
  await screen.run('git deploy prod --yes')
  await www('192.0.2.80')

  screen.headline('A mistake: a semicolon is lost, together with a new page')
  await screen.quiet(`sed -i 's/version 1/version 2/' ${PAGE}`)
  await screen.quiet(`sed -i 's/access_log off;/access_log off/' ${NGINX}`)
  await screen.run('git deploy prod --yes', { exits: 4 })
  await page('Hello, this is version 1')
  await screen.run('git deploy status')

  screen.headline('Mended')
  await screen.quiet(`sed -i 's/access_log off/access_log off;/' ${NGINX}`)
  await screen.quiet("git commit -qam 'version 2'")
  await screen.run('git deploy prod --yes')
  await page('Hello, this is version 2')

  screen.headline('What happened, and what runs where, is in Git')
  await screen.run('git log --oneline --first-parent refs/deptool')
  await screen.run('git log --oneline refs/deptool/web1')
  await screen.run('git show refs/deptool:web1/nginx/site/index.html')
  await screen.quiet('git diff --exit-code refs/deptool HEAD:prod')
}

/** What the page says, or why there is none. */
async function get(url: string): Promise<string> {
  try {
    return (await (await fetch(url)).text()).trim()
  } catch {
    return 'no answer'
  }
}

async function lookUp(name: string, server: string): Promise<string> {
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([server])
  try {
    return (await resolver.resolve4(name)).join(' ')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
