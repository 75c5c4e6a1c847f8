/** The agent's program. VERSION and BUILD are put in by build.mjs. */
import { machine } from './host/qjs.ts'
import { serve } from './session.ts'

declare const VERSION: string
declare const BUILD: string

serve(machine, { version: VERSION, build: BUILD })
