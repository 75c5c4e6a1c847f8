/** What a plan would undo of a colleague's work. Plain data. */
import type { AppName, AppPath, HostName, Oid } from './names.ts'

export interface TakenBack {
  readonly host: HostName
  /** What the host's files came from. */
  readonly source: Oid
  /**
   * `commit`: it is not contained in what is deployed; `newer`: and contains it; `dirty`: changes that were not
   * committed; `missing`: it is not in this repository; `shallow`: nor could it be, in a shallow clone.
   */
  readonly kind: 'commit' | 'newer' | 'dirty' | 'missing' | 'shallow'
  /** Who deployed it. */
  readonly by: string
  /** Of the source commit; null where it is not here. */
  readonly subject: string | null
  /** Empty where they cannot be known. */
  readonly files: readonly { readonly app: AppName; readonly path: AppPath }[]
}

/** Of which nothing is known, nothing is refused. */
export function isFinding({ kind }: TakenBack): boolean {
  return kind !== 'shallow'
}

/** Whether all that would change has been deployed from a newer commit already, as by the next job of a pipeline. */
export function isSuperseded({
  hosts,
  takenBack,
}: {
  readonly hosts: readonly { readonly host: HostName }[]
  readonly takenBack: readonly TakenBack[]
}): boolean {
  return (
    hosts.length > 0 &&
    takenBack.every(({ kind }) => kind === 'newer') &&
    hosts.every(({ host }) => takenBack.some(one => one.host === host))
  )
}
