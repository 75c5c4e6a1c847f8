import type { VerbName } from '../verb-names.ts'
import { apply } from './apply.ts'
import { check } from './check.ts'
import { completion } from './completion.ts'
import { deploy } from './deploy.ts'
import { diff } from './diff.ts'
import { forget } from './forget.ts'
import type { Verb } from './grammar/verb.ts'
import { hooks } from './hooks.ts'
import { init } from './init.ts'
import { log } from './log.ts'
import { ping } from './ping.ts'
import { plan } from './plan.ts'
import { rollback } from './rollback.ts'
import { status } from './status.ts'
import { sync } from './sync.ts'
import { verify } from './verify.ts'

export const VERBS: { readonly [name in VerbName]: Verb } = {
  deploy,
  plan,
  apply,
  diff,
  status,
  check,
  sync,
  ping,
  verify,
  log,
  rollback,
  forget,
  init,
  hooks,
  completion,
}
