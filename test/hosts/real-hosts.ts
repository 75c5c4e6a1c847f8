import { HOST_PROGRAMS, missingPackages } from './programs.ts'

/** Options for `test` and `describe` wherever real hosts are used: left out, with the reason, where there are none. */
export const realHosts = { skip: whyNoRealHosts() ?? false }

/** Why this machine cannot run test hosts. undefined where it can. */
export function whyNoRealHosts(): string | undefined {
  // Set by test/run.mjs when preparing them failed.
  const told = process.env['GIT_DEPLOY_NO_HOSTS']
  if (told !== undefined) return told
  if (process.platform !== 'linux') return 'test hosts need Linux'
  if (process.getuid?.() !== 0) return 'test hosts need root'
  const missing = missingPackages(HOST_PROGRAMS)
  return missing.length > 0 ? `test hosts need the packages ${missing.join(' ')}` : undefined
}
