/** What must hold once an app's units run: the manifest's 'checks'. */
import { isObject, type Keys, kindOf, list, milliseconds, object, type Report } from './json.ts'
import { type HostPath, hostPath } from './names.ts'

export type Check =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number; readonly withinMs: number }
  | { readonly kind: 'unix'; readonly path: HostPath; readonly withinMs: number }
  /** A GET is answered with this status. */
  | {
      readonly kind: 'http'
      readonly address: string
      readonly port: number
      readonly target: string
      /** The Host header. */
      readonly host: string
      readonly status: number
      readonly withinMs: number
    }

/** The default of within_ms: how long a check is repeated. */
const WITHIN_MS = 2000

export function parseChecks(value: unknown, at: Keys, report: Report): Check[] {
  return list(value, 'checks', at, report).flatMap((item, i) => parseCheck(item, [...at, i], report))
}

/** As shown in plans and failures: 'tcp 127.0.0.1:80'. */
export function checkText(check: Check): string {
  switch (check.kind) {
    case 'tcp':
      return `tcp ${authority(check)}`
    case 'unix':
      return `unix ${check.path}`
    case 'http':
      return `http http://${authority(check)}${check.target} is ${check.status}`
  }
}

const KINDS = ['tcp', 'unix', 'http'] as const

function parseCheck(value: unknown, at: Keys, report: Report): Check[] {
  const entry = object(value, at, [...KINDS, 'status', 'host', 'within_ms'], report)
  const [kind, ...more] = KINDS.filter(kind => entry[kind] !== undefined)
  if (kind === undefined || more.length > 0) {
    if (isObject(value)) report(at, "expected exactly one of 'tcp', 'unix' and 'http'")
    return []
  }
  const withinMs = milliseconds(
    entry['within_ms'],
    { from: 1, fallback: WITHIN_MS },
    [...at, 'within_ms'],
    report,
  )
  for (const key of ['status', 'host'])
    if (kind !== 'http' && entry[key] !== undefined)
      report([...at, key], `'${key}' can be used only with 'http'`)
  return PARSERS[kind](entry, withinMs, at, report)
}

type Parser = (entry: Record<string, unknown>, withinMs: number, at: Keys, report: Report) => Check[]

/** No names other than `localhost`: looking them up can take longer than the check may. */
const BYTE = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const PLACE = `((?:${BYTE}\\.){3}${BYTE}|\\[[0-9A-Fa-f:.]+\\]|localhost)`
const TCP = new RegExp(`^${PLACE}:(\\d{1,5})$`)
const HTTP = new RegExp(`^http://${PLACE}(?::(\\d{1,5}))?(/[\\x21\\x22\\x24-\\x7e]*)?$`)
const HOST = /^[A-Za-z0-9._-]+(?::\d{1,5})?$/

const PARSERS: { readonly [K in (typeof KINDS)[number]]: Parser } = {
  tcp(entry, withinMs, at, report) {
    const [, address, digits] = match(TCP, entry['tcp'])
    const port = Number(digits)
    if (address !== undefined && isPort(port))
      return [{ kind: 'tcp', address: bare(address), port, withinMs }]
    report(
      [...at, 'tcp'],
      `${shown(entry['tcp'])} is not an address with a port`,
      "write it as in '127.0.0.1:80' or '[::1]:80'",
    )
    return []
  },
  unix(entry, withinMs, at, report) {
    const path = typeof entry['unix'] === 'string' ? hostPath(entry['unix']) : undefined
    // sun_path, unix(7), with its NUL.
    if (path !== undefined && path.length < 108) return [{ kind: 'unix', path, withinMs }]
    report([...at, 'unix'], `${shown(entry['unix'])} is not an absolute path of at most 107 characters`)
    return []
  },
  http(entry, withinMs, at, report) {
    const url = entry['http']
    const [whole, address, digits = '80', target = '/'] = match(HTTP, url)
    const port = Number(digits)
    const status = statusOf(entry['status'], [...at, 'status'], report)
    if (whole === undefined || address === undefined || !isPort(port)) {
      const tls = typeof url === 'string' && url.startsWith('https:')
      report(
        [...at, 'http'],
        `${shown(url)} is not a URL that can be checked`,
        tls ? "https is not supported: use 'tcp'" : "write it as in 'http://127.0.0.1:8080/healthz'",
      )
      return []
    }
    const host = hostHeader(entry['host'], [...at, 'host'], report) ?? whole.split('/')[2]!
    return [{ kind: 'http', address: bare(address), port, target, host, status, withinMs }]
  },
}

function statusOf(value: unknown, at: Keys, report: Report): number {
  if (value === undefined) return 200
  if (typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599) return value
  report(at, 'expected an HTTP status from 100 to 599')
  return 200
}

function hostHeader(value: unknown, at: Keys, report: Report): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && HOST.test(value)) return value
  report(at, `${shown(value)} is not a host name`)
  return undefined
}

function match(pattern: RegExp, value: unknown): readonly (string | undefined)[] {
  return (typeof value === 'string' ? pattern.exec(value) : null) ?? []
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535
}

/** An IPv6 address without its brackets. */
function bare(address: string): string {
  return address.replace(/[[\]]/g, '')
}

function authority({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : kindOf(value)
}
