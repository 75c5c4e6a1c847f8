/** Users and groups of the host, by name. */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { type Machine, SystemFailure } from './machine.ts'

type AccountKind = 'user' | 'group'

export interface Account {
  readonly kind: AccountKind
  /** A name, or an id in digits. */
  readonly name: string
}

/** The id of the account; undefined where the host does not know it. */
export function idOf(machine: Machine, { kind, name }: Account): number | undefined {
  if (/^\d+$/.test(name)) return Number(name)
  const database = kind === 'user' ? 'passwd' : 'group'
  const raw = machine.files.read(`/etc/${database}`)
  return idIn((raw && decodeUtf8(raw)) ?? '', name) ?? idIn(getent(machine, database, name), name)
}

/** The accounts that a file of sysusers.d(5) makes. Names with specifiers are passed over. */
export function accountsIn(text: string): Account[] {
  return text.split('\n').flatMap((line): Account[] => {
    const [type = '', name = '', id = ''] = line.trim().split(/\s+/)
    switch (type.replace('!', '')) {
      case 'u':
        // With a group of its own choice, the user gets no group of its name.
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

/** passwd(5) and group(5): the name, a password, the id. */
function idIn(text: string, name: string): number | undefined {
  const [id] = text.split('\n').flatMap(line => {
    const [found, , digits = ''] = line.split(':')
    return found === name && /^\d+$/.test(digits) ? [Number(digits)] : []
  })
  return id
}

/** What other sources than the files say, nsswitch.conf(5). Of an embedded host nobody can say. */
function getent(machine: Machine, database: string, name: string): string {
  if (machine.root !== '') return ''
  try {
    return machine.run(['getent', '--', database, name], { timeoutMs: 5000 }).stdout
  } catch (error) {
    // A host without getent has no other sources.
    if (error instanceof SystemFailure && error.code === 'ENOENT') return ''
    throw error
  }
}
