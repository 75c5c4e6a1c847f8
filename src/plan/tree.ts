/** Git tree objects: `<mode> SP <name> NUL <oid bytes>` for each entry. */
import { decodeUtf8, toHex } from './bytes.ts'
import { isSegment, type Oid } from './names.ts'

export type FileMode = '100644' | '100755' | '120000'

export type TreeEntry =
  | { readonly kind: 'file'; readonly name: string; readonly mode: FileMode; readonly oid: Oid }
  | { readonly kind: 'tree'; readonly name: string; readonly oid: Oid }
  /** Cannot be deployed: a submodule, a name that is not UTF-8 or not safe to create. */
  | { readonly kind: 'refused'; readonly name: string; readonly why: string; readonly oid: Oid }

/**
 * In Git's order. `oidLength` is 20 for SHA-1 and 32 for SHA-256. Throws if the bytes are not a tree; a well-formed
 * entry that cannot be deployed is 'refused'.
 */
export function parseTree(raw: Uint8Array, oidLength: number): TreeEntry[] {
  const entries: TreeEntry[] = []
  const names = new Set<string>()
  for (let at = 0; at < raw.length; ) {
    const space = raw.indexOf(0x20, at)
    const nul = raw.indexOf(0, space)
    const end = nul + 1 + oidLength
    if (space < 0 || nul < 0 || end > raw.length) throw new Error('malformed tree object')
    const mode = String.fromCharCode(...raw.subarray(at, space))
    const found = entry(mode, raw.subarray(space + 1, nul), toHex(raw, nul + 1, end) as Oid)
    // With a link and a directory of one name, the directory's files would be written to where the link leads.
    const twice = names.has(found.name)
    names.add(found.name)
    entries.push(twice ? { ...found, kind: 'refused', why: 'its name occurs twice' } : found)
    at = end
  }
  return entries
}

function entry(mode: string, rawName: Uint8Array, oid: Oid): TreeEntry {
  const decoded = decodeUtf8(rawName)
  const name = decoded ?? escapeBytes(rawName)
  if (decoded === undefined) return { kind: 'refused', name, why: 'its name is not UTF-8', oid }
  if (!isSegment(name))
    return { kind: 'refused', name: escapeBytes(rawName), why: 'its name is not a safe file name', oid }
  if (name.toLowerCase() === '.git') return { kind: 'refused', name, why: "Git cannot track a '.git'", oid }
  switch (mode) {
    case '40000':
    case '040000':
      return { kind: 'tree', name, oid }
    case '100644':
    case '100664':
      return { kind: 'file', name, mode: '100644', oid }
    case '100755':
    case '120000':
      return { kind: 'file', name, mode, oid }
    case '160000':
      return { kind: 'refused', name, why: 'it is a submodule or another repository', oid }
    default:
      return { kind: 'refused', name, why: `its mode ${mode} is not supported`, oid }
  }
}

/** As in the shell's $'…'. */
function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, byte =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${toHex(Uint8Array.of(byte))}`,
  ).join('')
}
