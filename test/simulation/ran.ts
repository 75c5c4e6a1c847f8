/** What a program comes to. */
import type { Ran } from '../../agent/host/machine.ts'

export function said(stdout: string): Ran {
  return { code: 0, stdout, stderr: '' }
}

export function failed(code: number, stderr: string): Ran {
  return { code, stdout: '', stderr }
}
