/** Users and groups of the host, by name. */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { type Machine, SystemFailure } from './machine.ts'

type AccountKind = 'user' | 'group'

export interface Account {
  readonly kind: AccountKind
  /** A name, or an id in digits. */
  readonly name: string
}

/** undefined if the host does not know the account. */
export function idOf(machine: Machine, { kind, name }: Account): number | undefined {
  if (/^\d+$/.test(name)) return Number(name)
  const database = kind === 'user' ? 'passwd' : 'group'
  const raw = machine.files.read(`/etc/${database}`)
  return idIn((raw && decodeUtf8(raw)) ?? '', name) ?? idIn(getent(machine, database, name), name)
}

/** The account's name; its id if the host has no name for it. */
export function accountName(machine: Machine, { kind, id }: { kind: AccountKind; id: number }): string {
  const database = kind === 'user' ? 'passwd' : 'group'
  const raw = machine.files.read(`/etc/${database}`)
  const lines = ((raw && decodeUtf8(raw)) ?? '').split('\n')
  return nameIn(lines, id) ?? nameIn([getent(machine, database, `${id}`)], id) ?? `${id}`
}

/** The accounts that a file of sysusers.d(5) creates. Names with specifiers are ignored. */
export function accountsIn(text: string): Account[] {
  return text.split('\n').flatMap((line): Account[] => {
    const [type = '', name = '', id = ''] = line.trim().split(/\s+/)
    switch (type.replace('!', '')) {
      case 'u':
        // With another group, no group of the user's name is created.
        return [{ kind: 'user', name }, ...(id.includes(':') ? [] : [{ kind: 'group', name } as const])]
      case 'g':
        return [{ kind: 'group', name }]
      case 'm':
        return [
          { kind: 'user', name },
          { kind: 'group', name: id },
        ]
      default:
        return []
    }
  })
}

/** passwd(5) and group(5): name, password, id. */
function idIn(text: string, name: string): number | undefined {
  const [id] = text.split('\n').flatMap(line => {
    const [found, , digits = ''] = line.split(':')
    return found === name && /^\d+$/.test(digits) ? [Number(digits)] : []
  })
  return id
}

function nameIn(lines: readonly string[], id: number): string | undefined {
  return lines.map(line => line.split(':')).find(([name, , digits]) => name !== '' && digits === `${id}`)?.[0]
}

/** From other sources than the files, nsswitch.conf(5). A local host directory has none. */
function getent(machine: Machine, database: string, name: string): string {
  if (machine.root !== '') return ''
  try {
    return machine.run(['getent', '--', database, name], { timeoutMs: 5000 }).stdout
  } catch (error) {
    // Without getent there are no other sources.
    if (error instanceof SystemFailure && error.code === 'ENOENT') return ''
    throw error
  }
}
