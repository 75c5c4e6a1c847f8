import { needs } from '../support/needs.ts'

/** Options for `test` and `describe` wherever real hosts are used: left out, with the reason, where there are none. */
export const realHosts = needs('real hosts')
