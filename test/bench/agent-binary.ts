import { fileURLToPath } from 'node:url'

/** The agent of this machine's platform, as `npm run build` leaves it. */
export const AGENT = fileURLToPath(new URL('../../dist/agent/deptool-linux-x86_64', import.meta.url))
