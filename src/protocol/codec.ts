/** Messages to bytes and back: MessagePack, plain maps and arrays only. */
import { Packr } from 'msgpackr'
import { decodeReply, decodeRequest } from './decode.ts'
import { ProtocolError } from './decoders.ts'
import { hasAtMost } from './items.ts'
import type { Reply, Request } from './messages.ts'

const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number', moreTypes: false })

/**
 * Keys, values and what contains them, in one frame. The largest lists that decode.ts takes have fewer; without this
 * limit 16 MiB of empty maps would become a gigabyte of objects.
 */
const MAX_ITEMS = 1_000_000

export function encodeMessage(message: Request | Reply): Uint8Array {
  return packr.pack(message)
}

/** Throws ProtocolError. */
export const decodeRequestBytes = (bytes: Uint8Array): Request => decodeRequest(unpack(bytes))

/** Throws ProtocolError. */
export const decodeReplyBytes = (bytes: Uint8Array): Reply => decodeReply(unpack(bytes))

function unpack(bytes: Uint8Array): unknown {
  if (!hasAtMost(MAX_ITEMS, bytes))
    throw new ProtocolError(`a frame of ${bytes.length} bytes contains more than ${MAX_ITEMS} items`)
  try {
    return packr.unpack(bytes)
  } catch (cause) {
    throw new ProtocolError(`a frame of ${bytes.length} bytes is not MessagePack (${cause})`)
  }
}
