/** The settings of this tool, kept in git's configuration. */
import { Fatal } from '../errors.ts'
import type { HostName } from '../plan/names.ts'
import { TRANSPORTS, type Transport } from '../transports.ts'
import { git, type Place } from './git.ts'

export interface Config {
  /** The cluster that is meant where none is named. */
  readonly cluster: string | null
  /** How many hosts are worked on at a time. */
  readonly jobs: number
  readonly confirmTimeoutMs: number
  readonly preconnect: boolean
  readonly transport: Transport
  readonly atomic: boolean
  /** How many digits of an object's name are shown. */
  readonly abbrev: number
  /** Whether the disk has the modes of files. */
  readonly fileMode: boolean
  /** Git's attributes of the user, as it is set; null for the standard place. */
  readonly attributesFile: string | null
  /** What is said about colour, for us or for all of git; null where nothing is. */
  readonly color: string | null
  hostUrl(host: HostName): string | null
}

export async function readConfig(place: Place): Promise<Config> {
  const args = [
    'config',
    '--null',
    '--get-regexp',
    '^(deptool|deptool-host)\\.|^color\\.(deptool|ui|pager)$|^core\\.(abbrev|filemode|attributesfile)$',
  ]
  // 1: there is no such setting.
  const { stdout } = await git(place, args, { okCodes: [0, 1] })
  const settings = parseSettings(stdout.toString())
  const read = <T>(key: string, standard: T, parse: (setting: Setting) => T): T => {
    // Git compares the last part of a key without regard to case, and prints it in lower case.
    const value = settings.get(key.toLowerCase())
    return value === undefined ? standard : parse({ key, value })
  }
  return {
    cluster: read('deptool.cluster', null, parseText),
    jobs: read('deptool.jobs', 32, upTo(10_000)),
    // Nobody is to hold a host for longer than that with a deployment that they have left.
    confirmTimeoutMs: read('deptool.confirmTimeout', 30, upTo(3600)) * 1000,
    preconnect: read('deptool.preconnect', true, parseBoolean),
    transport: read('deptool.transport', 'auto', parseTransport),
    atomic: read('deptool.atomic', false, parseBoolean),
    abbrev: read('core.abbrev', 7, parseAbbrev),
    fileMode: read('core.fileMode', true, parseBoolean),
    attributesFile: read('core.attributesFile', null, parseText),
    color: colorOf(settings, place),
    hostUrl: host => {
      const key = `deptool-host.${host}.url`
      const value = settings.get(key)
      return value === undefined ? null : parseText({ key, value })
    },
  }
}

export async function setConfig(place: Place, key: string, value: string): Promise<void> {
  await git(place, ['config', key, value])
}

interface Setting {
  readonly key: string
  /** Null for a key without `=`, which git takes for true. */
  readonly value: string | null
}

function colorOf(settings: ReadonlyMap<string, string | null>, { env }: Place): string | null {
  const when = settings.get('color.deptool') ?? settings.get('color.ui') ?? null
  // A pager counts as a terminal, unless it cannot show colours.
  const paged = env['GIT_PAGER_IN_USE'] === 'true'
  return paged && when !== 'always' && settings.get('color.pager') === 'false' ? 'never' : when
}

/** Where a key is set more than once, the last one holds. */
function parseSettings(text: string): Map<string, string | null> {
  const records = text.split('\0').slice(0, -1)
  return new Map(
    records.map(record => {
      const end = record.indexOf('\n')
      return end < 0 ? [record, null] : [record.slice(0, end), record.slice(end + 1)]
    }),
  )
}

function parseText(setting: Setting): string {
  return setting.value || refuse(setting, 'a value')
}

function upTo(most: number): (setting: Setting) => number {
  return setting => {
    const count = /^\d{1,6}$/.test(setting.value ?? '') ? Number(setting.value) : 0
    return count > 0 && count <= most ? count : refuse(setting, `a whole number from 1 to ${most}`)
  }
}

/** The words of git-config(1). */
function parseBoolean(setting: Setting): boolean {
  const value = setting.value?.toLowerCase() ?? 'true'
  if (['true', 'yes', 'on', '1'].includes(value)) return true
  if (['false', 'no', 'off', '0', ''].includes(value)) return false
  return refuse(setting, "'true' or 'false'")
}

function parseTransport(setting: Setting): Transport {
  const allowed = TRANSPORTS.map(name => `'${name}'`).join(', ')
  return TRANSPORTS.find(name => name === setting.value) ?? refuse(setting, `one of ${allowed}`)
}

/** Git itself complains about anything else. */
function parseAbbrev({ value }: Setting): number {
  if (/^(?:no|off|false)$/i.test(value ?? '')) return 64
  return /^\d+$/.test(value ?? '') ? Number(value) : 7
}

function refuse({ key, value }: Setting, expected: string): never {
  throw new Fatal(`cannot use '${key}': its value is '${value ?? ''}', expected ${expected}`, {
    hint: `run 'git config ${key} <value>' to change it`,
  })
}
