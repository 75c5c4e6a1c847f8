import { once } from 'node:events'
import { prepare } from '../prepare.ts'
import { announce } from '../support/announce.ts'
import { output } from '../support/execute.ts'
import { embeddedStory } from './embedded-story.ts'
import { realStory } from './real-story.ts'
import { Screen } from './screen.ts'
import { embeddedSetting, realSetting, type Setting } from './setting.ts'

const HOSTS = ['web1', 'dns1']
const FAILED = 1
const INTERRUPTED = 130

/** From a machine with nothing on it to the end of the story. Resolves with the exit code. */
export async function demo({ keep }: DemoOptions): Promise<number> {
  const { leftOut, broken } = await prepare()
  await announce('building git-deploy and its agent', () => output(['npm', 'run', '--silent', 'build']))
  if (leftOut !== undefined) warn(`LEFT OUT: systemd, SSH, running services and their rollback\n${leftOut}`)
  const code = await (leftOut === undefined ? onRealHosts({ keep }) : onEmbeddedHosts({ keep }))
  return broken ? FAILED : code
}

export interface DemoOptions {
  /** Leave hosts and repository to play with. */
  readonly keep: boolean
}

async function onRealHosts(options: DemoOptions): Promise<number> {
  const setting = await announce(`booting two Debian hosts: ${HOSTS.join(', ')}`, () => realSetting(HOSTS))
  return tell(setting, realStory, options)
}

function onEmbeddedHosts(options: DemoOptions): Promise<number> {
  return tell(embeddedSetting(HOSTS), embeddedStory, options)
}

type Story<W> = (world: W, screen: Screen) => Promise<void>

/** Whatever becomes of the story, its hosts and its repository are removed or handed over. */
async function tell<W>(setting: Setting<W>, story: Story<W>, { keep }: DemoOptions): Promise<number> {
  const screen = new Screen(setting.shell)
  const told = story(setting.world, screen).then(() => 'well' as const, failed)
  const ending = await Promise.race([told, interruption()])
  if (typeof ending === 'object') warn(`NOT AS IT SHOULD BE\n${ending.why}`)
  await screen.close()
  if (keep && ending !== 'interrupted') {
    screen.headline('Left to play with')
    console.log(setting.keep().join('\n'))
  } else {
    await setting.leave()
    console.log(`\nhosts and repository are removed again${keep ? '' : '; --keep leaves them to play with'}`)
  }
  if (ending === 'well') return 0
  return ending === 'interrupted' ? INTERRUPTED : FAILED
}

function failed(error: unknown): { readonly why: string } {
  return { why: error instanceof Error ? error.message : String(error) }
}

async function interruption(): Promise<'interrupted'> {
  await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map(signal => once(process, signal)))
  return 'interrupted'
}

function warn(text: string): void {
  const line = '!'.repeat(78)
  console.log([line, text, line].join('\n'))
}
