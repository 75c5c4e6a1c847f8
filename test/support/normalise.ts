/** What differs from run to run, put into words, so that whole outputs can be compared. */
export function normalise(output: string, places: readonly Place[] = []): string {
  const placed = places.reduce((text, { from, to }) => text.replaceAll(from, to), output)
  return VARYING.reduce((text, [pattern, word]) => text.replace(pattern, word), placed)
}

/** A directory or address that is another one in every run. */
export interface Place {
  readonly from: string
  readonly to: string
}

// Ids before dates and object names, which they contain.
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b\d{8}T\d{6}-[0-9a-f]{10}\b/g, '<id>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?[+-]\d\d:?\d\d|Z| UTC)?/g, '<date>'],
  [/\b[0-9a-f]{7,64}\b/g, '<oid>'],
  [/\b\d+(\.\d+)? ?(ms|s|min)\b/g, '<time>'],
]
