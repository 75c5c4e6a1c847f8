/** Options that most commands have. */
export const HELP = { help: { alias: 'h', type: 'boolean', describe: 'show this help' } } as const
export const VERBOSE = {
  verbose: { alias: 'v', type: 'boolean', describe: 'list every file and host' },
} as const
export const PROGRESS = {
  'no-progress': { type: 'boolean', describe: 'print one line per event, no live display' },
} as const
export const JSON_LINES = {
  json: { type: 'boolean', describe: 'write JSON lines for programs' },
} as const
export const PRUNE = {
  prune: { type: 'boolean', describe: 'remove the apps of hosts no longer in the tree' },
} as const
