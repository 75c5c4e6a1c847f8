/** What the agent does with files everywhere: whole or not at all, and durable. */
import { encodeUtf8 } from '../../src/plan/bytes.ts'
import type { Files, Names } from './machine.ts'
import { baseOf, parentOf } from './paths.ts'

/** Replaces the file by rename, durably: after a power cut it holds the old text or the new. */
export function writeDurably(files: Files, path: string, text: string, mode: number): void {
  // As git names them: in its directories it takes anything else for a ref.
  const temporary = `${path}.lock`
  const writer = files.create(temporary, mode)
  writer.write(encodeUtf8(text))
  writer.sync()
  writer.close()
  files.rename(temporary, path)
  files.sync(parentOf(path))
}

/** Adds a line: one of its own also where a killed agent has left half of one. The caller syncs. */
export function appendLine(files: Files, path: string, line: string, mode: number): void {
  const last = files.read(path)?.slice(-1)[0]
  const writer = files.append(path, mode)
  writer.write(encodeUtf8(`${last === undefined || last === NEWLINE ? '' : '\n'}${line}\n`))
  writer.close()
}

const NEWLINE = 10

/** Makes `name` a link to `target` in one rename: there is no moment without it. */
export function placeLink(names: Names, target: string, name: string): void {
  dropTemporary(names, name)
  names.symlink(target, temporaryFor(name))
  names.rename(temporaryFor(name), name)
}

/** The name under which what will be called `name` is made ready. */
export function temporaryFor(name: string): string {
  return `${name}.deptool-new`
}

/** Removes what a killed agent had made ready. */
export function dropTemporary(names: Names, name: string): void {
  // A directory was made by somebody else.
  if (names.stat(temporaryFor(name))?.kind !== 'directory') names.unlink(temporaryFor(name))
}

/** Removes whatever is at `path`, and everything below it. Symbolic links are not followed, mounts not entered. */
export function removeTree(files: Files, path: string): void {
  const stat = files.stat(path)
  if (stat === undefined) return
  if (stat.kind !== 'directory') {
    files.unlink(path)
    return
  }
  // Before what is in it: where something is mounted this fails, rmdir(2), and what is in there is somebody's data.
  if (files.rmdir(path)) return
  for (const name of files.list(path) ?? []) removeTree(files, `${path}/${name}`)
  files.rmdir(path)
}

/** Makes the directory and its missing parents, and says which it made, outermost first. */
export function makeDirectories(files: Files, path: string, mode: number): string[] {
  if (path === '/' || isDirectory(files, path)) return []
  const made = makeDirectories(files, parentOf(path), mode)
  files.mkdir(path, mode)
  return [...made, path]
}

/** Also where a link leads to one. Where a link leads to nothing yet, its target is not ours to make. */
function isDirectory(files: Files, path: string): boolean {
  const kind = files.stat(path)?.kind
  return (
    kind === 'directory' || (kind === 'symlink' && files.stat(followed(files, path))?.kind === 'directory')
  )
}

/** The path with every link on it followed as far as it exists; a circle of links is left as it is. */
export function followed(files: Files, path: string, hops = 40): string {
  if (path === '/') return path
  const here = `${followed(files, parentOf(path), hops).replace(/\/$/, '')}/${baseOf(path)}`
  const target = files.readlink(here)
  if (target === undefined || hops === 0) return here
  return followed(
    files,
    target.startsWith('/') ? normal(target) : normal(`${parentOf(here)}/${target}`),
    hops - 1,
  )
}

/** Without `.`, `..` and empty parts. */
function normal(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/'))
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  return `/${parts.join('/')}`
}
