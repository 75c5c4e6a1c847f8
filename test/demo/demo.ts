import { once } from 'node:events'
import { prepare } from '../prepare.ts'
import { announce } from '../support/announce.ts'
import { output } from '../support/execute.ts'
import { embeddedStory } from './embedded-story.ts'
import { realStory } from './real-story.ts'
import { Screen } from './screen.ts'
import { embeddedSetting, realSetting, type Setting } from './setting.ts'

const FAILED = 1
const INTERRUPTED = 130

/** From a machine with nothing on it to the end of the story. Resolves with the exit code. */
export async function demo({ keep }: { readonly keep: boolean }): Promise<number> {
  const { leftOut, broken } = await prepare()
  await announce('building git-deploy and its agent', () => output(['npm', 'run', '--silent', 'build']))
  if (leftOut !== undefined) warn(`LEFT OUT: systemd, SSH, real services and their rollback.\n${leftOut}`)

  const told = leftOut === undefined ? await onRealHosts(keep) : await onEmbeddedHosts(keep)
  return broken ? FAILED : told
}

async function onRealHosts(keep: boolean): Promise<number> {
  const setting = await announce('booting two Debian hosts, web1 and dns1', () => realSetting(['web1', 'dns1']))
  return tell(setting, keep, screen => realStory(setting.world, screen))
}

async function onEmbeddedHosts(keep: boolean): Promise<number> {
  const setting = embeddedSetting(['web1', 'dns1'])
  return tell(setting, keep, screen => embeddedStory(setting.world, screen))
}

/** Whatever becomes of the story, its hosts and its repository go, or are handed over. */
async function tell<W>(
  setting: Setting<W>,
  keep: boolean,
  story: (screen: Screen) => Promise<void>,
): Promise<number> {
  const screen = new Screen(setting.shell)
  const interrupted = once(process, 'SIGINT').then(() => 'interrupted' as const)
  const outcome = await Promise.race([story(screen).then(() => 'told' as const, describe), interrupted])
  if (keep && outcome !== 'interrupted') screen.keepsake(setting.keep())
  else await screen.cleanUp(() => setting.leave())
  if (outcome === 'told') return 0
  if (outcome === 'interrupted') return INTERRUPTED
  warn(`NOT AS IT SHOULD BE\n${outcome.error}`)
  return FAILED
}

function describe(error: unknown): { readonly error: string } {
  return { error: error instanceof Error ? error.message : String(error) }
}

function warn(text: string): void {
  const line = '!'.repeat(78)
  console.log([line, text, line].join('\n'))
}
