/** The files that `git deploy hooks` puts into the directory of hooks. Nothing of anybody else's is ever overwritten. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Fatal } from '../errors.ts'

export interface HookFile {
  readonly name: string
  /** How it is there now, in words. */
  readonly what: string
}

/** Puts post-commit in place, before a hook of somebody else's, and the samples. Says how it is then. */
export function installHooks(directory: string): HookFile[] {
  mkdirSync(directory, { recursive: true })
  for (const name of ACTIVE) {
    const file = join(directory, name)
    if (ownerOf(file) === 'other') keepAside(file)
    replace(file, shipped(name))
  }
  for (const name of SAMPLES) {
    const file = join(directory, `${name}.sample`)
    if (ownerOf(file) !== 'other') replace(file, shipped(`${name}.sample`))
  }
  return listHooks(directory)
}

/** Takes out what is ours, and puts back what was there before. */
export function uninstallHooks(directory: string): HookFile[] {
  for (const name of ACTIVE) {
    const file = join(directory, name)
    if (ownerOf(file) === 'other') continue
    // In one step where there is a hook to put back, so that no commit meanwhile goes without it.
    if (ownerOf(chained(file)) === 'nobody') rmSync(file, { force: true })
    else renameSync(chained(file), file)
  }
  for (const name of SAMPLES) {
    const file = join(directory, `${name}.sample`)
    if (ownerOf(file) === 'us') rmSync(file)
  }
  return listHooks(directory)
}

export function listHooks(directory: string): HookFile[] {
  return [
    ...ACTIVE.map(name => ({ name, what: describeActive(join(directory, name)) })),
    ...SAMPLES.map(name => ({ name, what: describeOwn(join(directory, name)) })),
  ]
}

const ACTIVE = ['post-commit'] as const
/** Hooks that the operator writes, for which we have an example. */
const SAMPLES = ['pre-deploy', 'post-deploy'] as const

/** How each file of ours begins. */
const MARK = '#!/bin/sh\n# git-deploy: '
const SAMPLE_MARK = /^#!\/bin\/sh\n# An example of a (?:pre|post)-deploy hook/

type Owner = 'us' | 'other' | 'nobody'

function ownerOf(file: string): Owner {
  if (!lstatSync(file, { throwIfNoEntry: false })) return 'nobody'
  // Followed: a link to the file that comes with us is ours as well.
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return 'other'
  const text = readFileSync(file, 'latin1')
  if (file.endsWith('.sample')) return SAMPLE_MARK.test(text) ? 'us' : 'other'
  return text.startsWith(MARK) ? 'us' : 'other'
}

function keepAside(file: string): void {
  if (ownerOf(chained(file)) !== 'nobody')
    throw new Fatal(`cannot keep '${file}' as '${chained(file)}': this file already exists`, {
      hint: 'remove one of the two: git-deploy calls only one other hook',
    })
  renameSync(file, chained(file))
}

/** Where the hook is kept that was there before ours; hooks/post-commit calls it by this name. */
function chained(file: string): string {
  return `${file}.chained`
}

function replace(file: string, text: string): void {
  const temporary = `${file}.new`
  writeFileSync(temporary, text)
  chmodSync(temporary, 0o755)
  renameSync(temporary, file)
}

/** A file of the directory hooks/ that comes with this program, bundled or not. */
function shipped(name: string): string {
  const places = ['../hooks', '../../hooks'].map(place => join(import.meta.dirname, place))
  const place = places.find(place => existsSync(join(place, name))) ?? places[0]!
  return readFileSync(join(place, name), 'utf8')
}

function describeActive(file: string): string {
  const owner = ownerOf(file)
  if (owner === 'nobody') return 'not installed'
  if (owner === 'other') return "not installed; another hook is there, 'git deploy hooks install' keeps both"
  const old = readFileSync(file, 'utf8') === shipped('post-commit') ? '' : ' from another version'
  return `installed${old}${ownerOf(chained(file)) === 'nobody' ? '' : ', calls post-commit.chained first'}`
}

function describeOwn(file: string): string {
  if (ownerOf(file) !== 'nobody') return 'yours'
  return ownerOf(`${file}.sample`) === 'nobody'
    ? 'none'
    : `none; for an example, see '${file.split('/').at(-1)}.sample'`
}
