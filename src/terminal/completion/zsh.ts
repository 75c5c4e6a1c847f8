import type { CompletedOption, CompletedVerb } from '../../command.ts'

/** The completion system of zsh calls a function _git-deploy that it finds in its fpath. */
export function zshScript(verbs: readonly CompletedVerb[]): string {
  return SCRIPT.replace('@verbs@', verbs.map(({ name }) => name).join(' ')).replace('@cases@', () =>
    verbs.map(verbCase).join('\n'),
  )
}

function verbCase({ name, options, operands, repeats }: CompletedVerb): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...operands.map((operand, i) => operandSpec(operand, repeats && i === operands.length - 1 ? '*' : '')),
  ]
  return `  (${name}) _arguments -s ${specs.map(quote).join(' \\\n    ')} && ret=0 ;;`
}

/** One for each spelling; any of them excludes the others. */
function optionSpecs({ spellings, takesValue, meaning }: CompletedOption): string[] {
  const text = `[${meaning.replaceAll(/[[\]:\\]/g, '\\$&')}]`
  const value = (word: string) =>
    takesValue ? `${word.startsWith('--') ? '=' : '+'}${text}${VALUES[word] ?? ':value:_files'}` : text
  return spellings.map(word => `(${spellings.join(' ')})${word}${value(word)}`)
}

const VALUES: Readonly<Record<string, string>> = {
  '--color': ':when:(always auto never)',
  '--batch': ':number of hosts, or a percentage:',
  '--confirm': ':how:(auto reconnect)',
  '--limit': ':hosts:_git-deploy-hosts',
  '--exclude': ':hosts:_git-deploy-hosts',
}

function operandSpec(operand: string, many: string): string {
  if (operand.includes(' ')) return `${many}:action:(${operand})`
  return `${many}:${operand}:${OPERANDS[operand] ?? '_files'}`
}

const OPERANDS: Readonly<Record<string, string>> = {
  cluster: '_git-deploy-clusters',
  rev: '_git-deploy-revisions',
  host: '_git-deploy-hosts',
  path: '_git-deploy-hosts',
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

const SCRIPT = `#compdef git-deploy
#description deploy configuration files from Git to Linux hosts

_git-deploy () {
  local ret=1 verb=deploy
  local -a verbs=(@verbs@)
  if (( CURRENT > 2 )) && (( \${verbs[(Ie)$words[2]]} )); then
    verb=$words[2]
    shift words
    (( CURRENT-- ))
  elif (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
    compadd -- \${verbs:#deploy} && ret=0
  fi
  case $verb in
@cases@
  esac
  return ret
}

# Deployed clusters, the default cluster, and directories that look like clusters: <cluster>/<host>/<app>/.
_git-deploy-clusters () {
  local top=$(git rev-parse --show-toplevel 2>/dev/null)
  local -aU found=(
    \${(f)"$(git config deptool.cluster)"}
    \${(f)"$(git for-each-ref --format='%(contents:trailers:key=Deptool-Cluster,valueonly,separator=)' refs/deptool/ 2>/dev/null)"}
  )
  [[ -n $top ]] && found+=($top/*/*/*(N/:h:h:t))
  compadd -a found
}

_git-deploy-hosts () {
  local top=$(git rev-parse --show-toplevel 2>/dev/null)
  local -aU found=(\${(f)"$(git for-each-ref --format='%(refname:lstrip=2)' refs/deptool/ 2>/dev/null)"})
  [[ -n $top ]] && found+=($top/*/*/*(N/:h:t))
  compset -P '*,'
  compadd -S '' -a found
}

_git-deploy-revisions () {
  local -a found=(HEAD \${(f)"$(git for-each-ref --format='%(refname:short)' refs/heads refs/tags refs/remotes 2>/dev/null)"})
  compadd -a found
}

_git-deploy "$@"
`
