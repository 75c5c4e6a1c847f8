/** As many random bytes; main.ts gives it. */
export type Random = (bytes: number) => Uint8Array

/** Half of it, up to as much again: those that were turned away together must not come back together. */
export function jittered(ms: number, random: Random): number {
  return ms * (0.5 + random(1)[0]! / 256)
}
