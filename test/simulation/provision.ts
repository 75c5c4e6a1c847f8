/** systemd-sysusers(8), systemd-tmpfiles(8) and podman's generator, as far as config trees of the tests use them. */
import type { Files, Ran } from '../../agent/host/machine.ts'
import { encodeUtf8 } from '../../src/plan/bytes.ts'
import { said } from './ran.ts'
import { GENERATED, namesIn, textOf, valuesOf } from './unit-files.ts'

/** `u <name> -` makes a user and its group, once. What is there it replaces by rename; the directory it does not sync. */
export function sysusers(files: Files, confs: readonly string[]): Ran {
  const names = linesOf(files, confs).flatMap(([type, name]) => (type === 'u' && name ? [name] : []))
  let [passwd, group] = ['passwd', 'group'].map(name => textOf(files, `/etc/${name}`) ?? '') as [
    string,
    string,
  ]
  for (const name of new Set(names)) {
    if (passwd.split('\n').some(line => line.startsWith(`${name}:`))) continue
    const id = freeId(passwd)
    passwd += `${name}:x:${id}:${id}::/:/usr/sbin/nologin\n`
    group += `${name}:x:${id}:\n`
  }
  if (passwd !== textOf(files, '/etc/passwd')) {
    replace(files, 'group', group)
    replace(files, 'passwd', passwd)
  }
  return said('')
}

/** From the top of the ids that are the system's, downwards. */
function freeId(passwd: string): number {
  const taken = new Set(passwd.split('\n').map(line => Number(line.split(':')[2])))
  let id = 999
  while (taken.has(id)) id--
  return id
}

function replace(files: Files, name: string, text: string): void {
  const writer = files.create(`/etc/.#${name}`, 0o644)
  writer.write(encodeUtf8(text))
  writer.sync()
  writer.close()
  files.rename(`/etc/.#${name}`, `/etc/${name}`)
}

/** `d <path>` makes a directory, and those above it. */
export function tmpfiles(files: Files, confs: readonly string[]): Ran {
  for (const [type, path] of linesOf(files, confs)) if (type === 'd' && path) makeDirectories(files, path)
  return said('')
}

function makeDirectories(files: Files, path: string): void {
  if (path === '') return
  makeDirectories(files, path.slice(0, path.lastIndexOf('/')))
  files.mkdir(path, 0o755)
}

function linesOf(files: Files, confs: readonly string[]): string[][] {
  const text = confs.map(path => textOf(files, path) ?? '').join('\n')
  return text.split('\n').map(line => line.split(' '))
}

const QUADLETS = '/etc/containers/systemd'
const GENERATOR = '/usr/lib/systemd/system-generators/podman-system-generator'

/** A service for each container, podman-systemd.unit(5), wanted by what its [Install] says. */
export function generate(files: Files): void {
  clear(files, GENERATED)
  for (const directory of ['/run', '/run/systemd', GENERATED]) files.mkdir(directory, 0o755)
  if (files.stat(GENERATOR) === undefined) return
  for (const name of namesIn(files, QUADLETS).filter(name => name.endsWith('.container'))) {
    const text = textOf(files, `${QUADLETS}/${name}`)
    if (text === undefined) continue
    const unit = name.replace(/container$/, 'service')
    const writer = files.create(`${GENERATED}/${unit}`, 0o644)
    writer.write(encodeUtf8(text))
    writer.close()
    for (const target of valuesOf(text, 'WantedBy')) {
      files.mkdir(`${GENERATED}/${target}.wants`, 0o755)
      files.symlink(`../${unit}`, `${GENERATED}/${target}.wants/${unit}`)
    }
  }
}

function clear(files: Files, directory: string): void {
  for (const name of namesIn(files, directory)) {
    const path = `${directory}/${name}`
    if (files.stat(path)?.kind === 'directory') clear(files, path)
    else files.unlink(path)
  }
  files.rmdir(directory)
}
