/**
 * Strings that look alike have types of their own, so that a call cannot mix up a unit and a path. The constructors
 * return undefined if the text is not such a name.
 */
declare const brand: unique symbol
export type Brand<B extends string> = string & { readonly [brand]: B }

/** A git object name in hexadecimal: 40 digits (SHA-1) or 64 (SHA-256). */
export type Oid = Brand<'Oid'>
export type ClusterName = Brand<'ClusterName'>
/** A host as it is named in the config tree, to SSH, in its ref and in its own /etc/hostname. */
export type HostName = Brand<'HostName'>
export type AppName = Brand<'AppName'>
/** With its suffix, systemd.unit(5). */
export type UnitName = Brand<'UnitName'>
/** A path inside an app, `/`-separated, without `.` or `..`. */
export type AppPath = Brand<'AppPath'>
/** An absolute, normalised path on a host. */
export type HostPath = Brand<'HostPath'>

const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?$/
const UNIT =
  /^[A-Za-z0-9:_.\\@-]{1,240}\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/

export function oid(text: string): Oid | undefined {
  return OID.test(text) ? (text as Oid) : undefined
}

export function clusterName(text: string): ClusterName | undefined {
  return isSegment(text) && !text.startsWith('.') ? (text as ClusterName) : undefined
}

/** Host names are also ref names, so `a..b` and `a.lock` are out (git-check-ref-format(1)). */
export function hostName(text: string): HostName | undefined {
  return HOST.test(text) && !text.includes('..') && !text.endsWith('.lock') ? (text as HostName) : undefined
}

export function appName(text: string): AppName | undefined {
  return isSegment(text) ? (text as AppName) : undefined
}

export function unitName(text: string): UnitName | undefined {
  return UNIT.test(text) ? (text as UnitName) : undefined
}

/** 'getty@tty1.service' -> 'getty@.service'; a unit that is not an instance stays as it is. */
export function templateOf(unit: UnitName): UnitName {
  return unit.replace(/@.*(?=\.)/, '@') as UnitName
}

export function appPath(text: string): AppPath | undefined {
  return text.split('/').every(isSegment) ? (text as AppPath) : undefined
}

export function hostPath(text: string): HostPath | undefined {
  return text.startsWith('/') && text.slice(1).split('/').every(isSegment) ? (text as HostPath) : undefined
}

/** A path component that is safe to create. */
export function isSegment(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && text.length <= 255 && !/[/\x00-\x1f\x7f]/.test(text)
}

/** For text that has been checked elsewhere. Throws if it is not such a name. */
export function must<T>(make: (text: string) => T | undefined, text: string): T {
  const name = make(text)
  if (name === undefined) throw new Error(`'${text}' is not a valid ${make.name}`)
  return name
}
