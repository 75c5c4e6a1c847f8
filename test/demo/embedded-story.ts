import type { LocalHost } from '../support/local-host.ts'
import type { World } from '../support/world.ts'
import type { Screen } from './screen.ts'
export async function embeddedStory(world: World<LocalHost>, screen: Screen): Promise<void> {
  void world
  void screen
}
