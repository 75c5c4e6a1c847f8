import { deflateSync } from 'node:zlib'
import type { ObjectType } from './batch-parser.ts'

/** The bytes of a loose object file (gitformat-loose). */
export function looseObject({ type, content }: { type: ObjectType; content: Uint8Array }): Uint8Array {
  return deflateSync(Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]), { level: 6 })
}
