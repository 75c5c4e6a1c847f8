import type { LocalHost } from '../support/local-host.ts'
import type { World } from '../support/world.ts'
import { demoTree } from './demo-tree.ts'
import type { Screen } from './screen.ts'
export async function embeddedStory(world: World<LocalHost>, screen: Screen): Promise<void> {
  await world.git('init', '--quiet', '--initial-branch=main')
  world.write(demoTree(world.hosts))
  await world.commit('nginx on web1, nsd on dns1')
  await screen.run('git deploy prod --yes')
}
