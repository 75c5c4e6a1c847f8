import type { ClusterName } from '../../plan/names.ts'

/** Of `Name <email>`, as git has it, the name. */
export function operatorName(operator: string): string {
  return operator.replace(/ <.*/, '')
}

/** 'web1, web2, … and 12 more': names in a sentence, the first of them where they are many. */
export function names(all: readonly string[], most = 5): string {
  // Counting one away would take the room that it has.
  if (all.length <= most + 1) return all.join(', ')
  return `${all.slice(0, most).join(', ')} and ${all.length - most} more`
}

export function noHosts(cluster: ClusterName): string {
  return `${cluster} has no hosts: each host needs a directory in it`
}
