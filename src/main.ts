/** argv, env and streams -> exit code. The only file that touches `process`. */
import { completedVerbs, parseCommand, wantsJson } from './cli/command-line.ts'
import type { Command, CommandOf } from './command.ts'
import type { Context } from './context.ts'
import { asFatal, EXIT, type ExitCode, Fatal, reasonOf } from './errors.ts'
import { visible } from './terminal/clean.ts'
import { encodeRecord } from './terminal/json/records.ts'
import { makeTerminal } from './terminal/terminal.ts'
import { isVerb, VERBS } from './verb-names.ts'

declare const VERSION: string

/** Which command it was: src/start.ts keeps what V8 compiled for it. */
export let ran: Command['kind'] | undefined

type Run<K extends Command['kind']> = (
  command: CommandOf<K>,
  context: Context,
) => ExitCode | Promise<ExitCode>

const RUN: { readonly [K in Command['kind']]: Run<K> } = {
  deploy: async (command, context) => (await import('./commands/deploy.ts')).deploy(command, context),
  plan: async (command, context) => (await import('./commands/plan.ts')).plan(command, context),
  diff: async (command, context) => (await import('./commands/diff.ts')).diff(command, context),
  apply: async (command, context) => (await import('./commands/apply.ts')).apply(command, context),
  check: async (command, context) => (await import('./commands/check.ts')).check(command, context),
  status: async (command, context) => (await import('./commands/status.ts')).status(command, context),
  sync: async (command, context) => (await import('./commands/sync.ts')).sync(command, context),
  ping: async (command, context) => (await import('./commands/ping.ts')).ping(command, context),
  log: async (command, context) => (await import('./commands/log.ts')).log(command, context),
  rollback: async (command, context) => (await import('./commands/rollback.ts')).rollback(command, context),
  forget: async (command, context) => (await import('./commands/forget.ts')).forget(command, context),
  verify: async (command, context) => (await import('./commands/verify.ts')).verify(command, context),
  init: async (command, context) => (await import('./commands/init.ts')).init(command, context),
  hooks: async (command, context) => (await import('./commands/hooks.ts')).hooks(command, context),
  completion: async ({ shell }, { terminal }) => {
    terminal.out((await import('./terminal/completion/script.ts')).completionScript(shell, completedVerbs()))
    return EXIT.done
  },
  help: ({ text }, { terminal }) => {
    terminal.out(text)
    return EXIT.done
  },
  version: (_, { terminal, emit, version }) => {
    terminal.out(`git-deploy version ${version}`)
    emit({ type: 'version', version })
    return EXIT.done
  },
  misuse: ({ message, hint, usage }, { terminal, emit }) => {
    emit({ type: 'error', message, hint, exitCode: EXIT.usage })
    terminal.note(`error: ${message}`)
    if (hint !== null) terminal.note(`hint: ${hint}`)
    terminal.note(usage)
    return EXIT.usage
  },
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const command = parseCommand(argv)
  const context = contextOf({
    json: wantsJson(argv) && command.kind !== 'help',
    command: command.kind === 'deploy' ? 'git deploy' : `git deploy ${command.kind}`,
  })
  try {
    ran = command.kind
    return await (RUN[command.kind] as Run<Command['kind']>)(command as never, context)
  } catch (error) {
    return report(error, context)
  }
}

function report(thrown: unknown, { terminal, env, emit }: Context): ExitCode {
  const trace = env['DEPTOOL_TRACE'] === '1' && thrown instanceof Error ? thrown.stack : undefined
  const error = asFatal(thrown)
  if (error instanceof Fatal) {
    const { message, hint = null, exitCode } = error
    emit({ type: 'error', message, hint, exitCode })
    terminal.note(`fatal: ${message.split('\n').map(visible).join('\n')}`)
    for (const line of hint?.split('\n') ?? []) terminal.note(`hint: ${visible(line)}`)
    if (trace !== undefined) terminal.note(trace)
    return error.exitCode
  }
  const message = `internal error: ${error instanceof Error ? error.message : String(error)}`
  emit({ type: 'error', message, hint: null, exitCode: EXIT.failed })
  terminal.note(`fatal: ${message}`)
  terminal.note(
    trace ??
      "hint: this is a bug in git-deploy; please report it with the output of 'DEPTOOL_TRACE=1 git deploy …'",
  )
  return EXIT.failed
}

/** Milliseconds in which Ctrl-C counts once: git, which runs us, hands us what the terminal has already told us. */
const SAME_INTERRUPT = 300

/** Calls back, instead of ending the program, until what it returns is called. */
const on = (signals: readonly NodeJS.Signals[]) => (listener: () => void) => {
  let last = Number.NEGATIVE_INFINITY
  let released = false
  const heard = () => {
    const now = performance.now()
    if (!released && now - last > SAME_INTERRUPT) listener()
    last = now
  }
  for (const signal of signals) process.on(signal, heard)
  return () => {
    released = true
    // The second of two that are one must not end the program either.
    setTimeout(() => {
      for (const signal of signals) process.off(signal, heard)
    }, SAME_INTERRUPT).unref()
  }
}

/** Why output is lost, other than by a reader that went away, as in `git deploy plan | head`, or a closed terminal. */
let lost: Error | undefined

// Whatever becomes of the output, a deployment under way goes on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') lost ??= error
  })

process.on('exit', code => {
  if (lost === undefined) return
  process.stderr.write(`error: cannot write all output: ${reasonOf(lost)}\n`)
  // The code of a deployment says what became of the hosts.
  const deploys = ran !== undefined && isVerb(ran) && VERBS[ran] === 'deploys'
  if (code === EXIT.done && !deploys) process.exitCode = EXIT.failed
})

function contextOf({ json, command }: Pick<Context, 'json' | 'command'>): Context {
  const words = json ? { write() {} } : process.stdout
  const terminal = makeTerminal(
    {
      get stdin() {
        return process.stdin
      },
      stdout: words,
      stderr: process.stderr,
      onInterrupt: on(['SIGINT']),
      onStop: on(['SIGINT', 'SIGTERM', 'SIGHUP']),
    },
    process.env,
  )
  giveBackTheCursor(terminal)
  return {
    get cwd() {
      return currentDirectory()
    },
    env: process.env,
    command,
    terminal,
    json,
    emit: record => {
      if (json) process.stdout.write(`${encodeRecord(record)}\n`)
    },
    now: () => new Date(),
    ticks: () => performance.now(),
    random: bytes => crypto.getRandomValues(new Uint8Array(bytes)),
    version: VERSION,
  }
}

function currentDirectory(): string {
  try {
    return process.cwd()
  } catch (error) {
    throw new Fatal(`cannot read the current directory: ${reasonOf(error)}`, { cause: error })
  }
}

/**
 * Whoever stops us (Ctrl-Z) gets the cursor back. The screen is left alone: git, which runs us, has stopped already,
 * and the shell may have gone on below.
 */
function giveBackTheCursor({ live }: Context['terminal']): void {
  if (!live) return
  process.on('SIGTSTP', () => {
    live.abandon()
    process.kill(process.pid, 'SIGSTOP')
  })
}

main(process.argv.slice(2)).then(code => {
  // Not process.exit: what was written to a pipe may still be on its way.
  process.exitCode = code
})
