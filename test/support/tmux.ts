import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { output } from './execute.ts'
import { waitFor } from './wait-for.ts'

/** A real terminal with a shell in it, whose screen can be read at any moment. It goes with `owner`, a test's context. */
export async function openTmux(
  owner: { after(fn: () => Promise<void>): void },
  { columns, rows, ...options }: TmuxOptions,
): Promise<Tmux> {
  const directory = mkdtempSync(join(tmpdir(), 'tmux-'))
  const tmux = new Tmux(join(directory, 'socket'), options)
  owner.after(async () => {
    // The session's directory may be gone by now.
    await output(['tmux', '-S', join(directory, 'socket'), 'kill-server'])
    rmSync(directory, { recursive: true })
  })
  // What a session starts with is set before it does: sh, because a shell that edits lines has an opinion on cursors.
  const size = ['-x', `${columns}`, '-y', `${rows}`]
  await tmux.command('-f', '/dev/null', 'new-session', '-d', ...size, 'PS1="$ " exec sh')
  await tmux.command('set-option', '-g', 'history-limit', '5000')
  await tmux.command('set-option', '-g', 'status', 'off')
  await tmux.command('resize-window', ...size)
  await tmux.showing(/\$$/)
  return tmux
}

export interface TmuxOptions {
  readonly columns: number
  readonly rows: number
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

export class Tmux {
  readonly #socket: string
  readonly #options: Pick<TmuxOptions, 'cwd' | 'env'>

  constructor(socket: string, options: Pick<TmuxOptions, 'cwd' | 'env'>) {
    this.#socket = socket
    this.#options = options
  }

  command(...args: string[]): Promise<string> {
    return output(['tmux', '-S', this.#socket, ...args], this.#options)
  }

  /** Types the text; `C-c` and `Enter` as tmux names them are keys of their own. */
  async type(...keys: string[]): Promise<void> {
    await this.command('send-keys', ...keys)
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.command('resize-window', '-x', `${columns}`, '-y', `${rows}`)
  }

  /** What is on the screen now, without the empty lines at its end. */
  async screen(): Promise<string> {
    return (await this.command('capture-pane', '-p')).trimEnd()
  }

  /** The same, where the terminal has not broken a line. */
  async unwrapped(): Promise<string> {
    return (await this.command('capture-pane', '-p', '-J')).replace(/ +$/gm, '').trimEnd()
  }

  /** The screen with all that has scrolled away. */
  async history(): Promise<string> {
    return (await this.command('capture-pane', '-p', '-S', '-')).trimEnd()
  }

  async cursorIsVisible(): Promise<boolean> {
    return (await this.command('display-message', '-p', '#{cursor_flag}')).trim() === '1'
  }

  /** The screen as soon as it shows this. */
  async showing(pattern: RegExp): Promise<string> {
    let screen = ''
    const shows = async () => {
      screen = await this.screen()
      return pattern.test(screen)
    }
    await waitFor(`${pattern} on the screen`, shows, { everyMs: 30 }).catch(error => {
      throw new Error(`${error.message}:\n${screen}`)
    })
    return screen
  }
}
