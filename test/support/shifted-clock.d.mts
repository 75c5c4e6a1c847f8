export function shiftedDate(off: number): DateConstructor
