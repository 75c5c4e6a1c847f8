/** Where a host is and how one gets in: what the SSH configuration and deptool-host.<host>.url say together. */
import type { HostName } from '../../plan/names.ts'

export type Address = SshAddress | LocalAddress

/** An embedded host: a directory of this machine. */
export interface LocalAddress {
  readonly kind: 'local'
  readonly host: HostName
  readonly root: string
}

export interface SshAddress {
  readonly kind: 'ssh'
  readonly host: HostName
  /** What the ssh program is given: the host's name or the URL's address, with the arguments before it. */
  readonly target: string
  readonly args: readonly string[]
  /** Takes back settings that would keep a program from being talked to, as arguments of ssh. */
  readonly forPeople: readonly string[]
  readonly hostname: string
  readonly port: number
  readonly user: string
  /** 0 is any. */
  readonly family: 0 | 4 | 6
  readonly bindAddress: string | undefined
  readonly connectTimeoutMs: number
  readonly keepaliveMs: number
  readonly identities: Identities
  readonly hostKeys: HostKeyPolicy
  readonly algorithms: Algorithms
  /** Of the user's ControlMaster, whether or not one is running. */
  readonly controlPath: string | undefined
  /** Kerberos is tried before any key, by the ssh program. */
  readonly gssapi: boolean
  /** Settings that only the ssh program can honour. */
  readonly opensshOnly: readonly string[]
}

export interface Identities {
  readonly files: readonly string[]
  /** Use no other key of the agent than those in `files`. */
  readonly only: boolean
  /** The agent's socket. */
  readonly agent: string | undefined
}

export interface HostKeyPolicy {
  /** The name that the host goes by in known_hosts. */
  readonly name: string
  /** Tried after `name`: a key that is known without the port counts for every port. */
  readonly fallback: string | undefined
  /** Where new keys are added: to the first. */
  readonly userFiles: readonly string[]
  readonly globalFiles: readonly string[]
  readonly unknown: 'ask' | 'refuse' | 'accept'
  /** StrictHostKeyChecking=no: even a key that differs from the known one. */
  readonly changed: 'refuse' | 'accept'
  readonly hashNames: boolean
}

/** What the configuration allows, as names of RFC 4253 and its successors; undefined where ssh did not say. */
export interface Algorithms {
  readonly kex: readonly string[] | undefined
  readonly hostKey: readonly string[] | undefined
  readonly cipher: readonly string[] | undefined
  readonly mac: readonly string[] | undefined
  /** To log in with. */
  readonly login: readonly string[] | undefined
}
