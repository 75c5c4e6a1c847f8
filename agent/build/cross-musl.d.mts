export function crossMusl(platform: string): string | undefined
export function fetchCrossMusl(platform: string): void
