import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** For small things that thousands of system calls go to: where nobody cuts the power, nothing need be on a disk. */
export const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
