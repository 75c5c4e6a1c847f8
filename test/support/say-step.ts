import { attributesText } from '../../src/plan/attributes.ts'
import { checkText } from '../../src/plan/checks.ts'
import type { Step } from '../../src/plan/steps.ts'

/** A step on one line, as a reader of the list would say it. */
export function say(step: Step): string {
  switch (step.kind) {
    case 'checkout':
    case 'swap':
    case 'remove':
      return `${step.kind} ${step.app}`
    case 'link':
    case 'unlink':
      return `${step.kind} ${step.path} -> ${step.target}`
    case 'settle':
      return `settle ${step.units.join(' ')} ${step.ms}`
    case 'daemonReload':
      return step.kind
    case 'sysusers':
    case 'tmpfiles':
      return `${step.kind} ${step.apps.join(' ')}`
    case 'validate':
      return `validate ${step.app} ${step.argv.join(' ')}`
    case 'attributes':
      return `attributes ${step.app} ${step.files.map(file => `${file.path} ${attributesText(file)}`).join(', ')}`
    case 'check':
      return `check ${checkText(step.check)} for ${step.check.withinMs} (${step.units.join(' ')})`
    case 'stop':
    case 'disable':
    case 'enable':
    case 'restart':
    case 'reload':
      return `${step.kind} ${step.units.join(' ')}`
  }
}
