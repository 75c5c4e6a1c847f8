/** What both stories, that of real hosts and that of embedded ones, tell in the same way. */
import type { TestHost } from '../hosts/test-host.ts'
import type { LocalHost } from '../support/local-host.ts'
import type { World } from '../support/world.ts'
import { demoTree } from './demo-tree.ts'
import type { Screen } from './screen.ts'

export const PAGE = 'prod/web1/nginx/site/index.html'
export const NGINX = 'prod/web1/nginx/nginx.conf'
const ZONE = 'prod/dns1/nsd/zones/example.org.zone'

export async function firstDeployment(world: World<TestHost | LocalHost>, screen: Screen): Promise<void> {
  await world.git('init', '--quiet', '--initial-branch=main')
  world.write(demoTree(world.hosts))
  await world.commit('nginx on web1, nsd on dns1')
  await screen.run('git deploy prod --yes')
}

/** Moves www.example.org from one address to another. */
export async function editZone(screen: Screen, from: string, to: string): Promise<void> {
  await screen.quiet(`sed -i 's/${from}$/${to}/; s/ 1 / 2 /' ${ZONE}`)
}

export async function lookBack(screen: Screen): Promise<void> {
  screen.headline('What happened, and what runs where, is in Git')
  await screen.run('git log --oneline --first-parent refs/deptool')
  await screen.run('git log --oneline refs/deptool/web1')
  await screen.run('git show refs/deptool:web1/nginx/site/index.html')
  // Silent, as what runs is what is committed.
  await screen.quiet('git diff --exit-code refs/deptool HEAD:prod')
}
