import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { JsonRecord } from '../../src/terminal/json/records.ts'

/** For those who read what newer versions write too. */
export const PUBLISHED: AnySchemaObject = JSON.parse(
  readFileSync(new URL('../../docs/json.schema.json', import.meta.url), 'utf8'),
)

/** The same, with nothing in a record that it does not describe. */
export const SCHEMA: AnySchemaObject = strict(PUBLISHED) as AnySchemaObject

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.filter(one => one?.$comment !== 'later').map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.entries(schema).map(([key, value]) => [key, strict(value)])
  const closed = 'properties' in schema && 'type' in schema ? { additionalProperties: false } : {}
  return { ...closed, ...Object.fromEntries(inner) }
}

/** What a command wrote with --json: nothing but records, each as the schema has it. */
export function recordsOf(stdout: string): JsonRecord[] {
  assert.match(stdout, /^(?:\{.*\}\n)*$/, 'only JSON, a record a line')
  return stdout.split('\n').slice(0, -1).map(readRecord)
}

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })
ajv.addSchema(SCHEMA)
const whole = ajv.getSchema(SCHEMA.$id!)!

function readRecord(line: string): JsonRecord {
  const record: JsonRecord = JSON.parse(line)
  if (whole(record)) return record
  // The schema of its own type says what is wrong; the whole one only that no alternative fits.
  const own = ajv.getSchema(`${SCHEMA.$id}#/$defs/${record.type}`) as ValidateFunction | undefined
  own?.(record)
  throw new assert.AssertionError({
    message: `${line}\nis not what the schema says: ${ajv.errorsText(own?.errors ?? whole.errors)}`,
  })
}
