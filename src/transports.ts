/** What deptool.transport may say: by what a host is reached over SSH. */
export const TRANSPORTS = ['auto', 'ssh2', 'openssh'] as const

export type Transport = (typeof TRANSPORTS)[number]
