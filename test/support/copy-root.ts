import {
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { MEMORY } from './memory.ts'

/**
 * A copy of a host's root, in memory, that goes with the test: with owners and hard links, which cpSync drops, and
 * without a process for each, unlike `cp -a`.
 */
export function copyOf(t: TestContext, root: string): string {
  const copy = mkdtempSync(join(MEMORY, 'deptool-copy-'))
  t.after(() => rmSync(copy, { recursive: true, force: true }))
  copyAll(root, copy)
  return copy
}

function copyAll(from: string, to: string): void {
  const copies = new Map<number, string>()
  const copyIn = (from: string, to: string) => {
    for (const name of readdirSync(from)) copy(join(from, name), join(to, name))
  }
  const copy = (from: string, to: string) => {
    const stat = lstatSync(from)
    const known = copies.get(stat.ino)
    if (known !== undefined) return linkSync(known, to)
    if (stat.nlink > 1 && stat.isFile()) copies.set(stat.ino, to)
    copyOne(stat, from, to)
    if (stat.isDirectory()) copyIn(from, to)
    lchownSync(to, stat.uid, stat.gid)
    lutimesSync(to, stat.atime, stat.mtime)
  }
  copyIn(from, to)
}

function copyOne(stat: Stats, from: string, to: string): void {
  if (stat.isDirectory()) mkdirSync(to, stat.mode)
  else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to)
  else copyFileSync(from, to)
}
