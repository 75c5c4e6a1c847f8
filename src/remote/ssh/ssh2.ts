/** The only door to ssh2, opened late: loading it takes 50 ms, which a command without a connection need not spend. */
export type { Client, ClientChannel, ConnectConfig, ParsedKey as Ssh2Key } from 'ssh2'
export type Ssh2 = typeof import('ssh2')

let loading: Promise<Ssh2> | undefined

export function loadSsh2(): Promise<Ssh2> {
  // ssh2 is CommonJS: what it exports is the default of what import() gives.
  loading ??= import('ssh2').then(module => module.default)
  return loading
}

/** Begins to load ssh2, for whoever knows early that it will be needed. */
export function warmUp(): void {
  loadSsh2().catch(() => {
    // Whoever needs it awaits the same promise, and hears of the failure.
  })
}
