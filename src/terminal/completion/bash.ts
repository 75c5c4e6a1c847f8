import type { CompletedVerb } from '../../command.ts'

/** Git's completion for bash calls the function _git_deploy, and lends it its own. */
export function bashScript(verbs: readonly CompletedVerb[]): string {
  return SCRIPT.replace('@verbs@', verbs.map(({ name }) => name).join(' ')).replace(
    '@cases@',
    verbs.flatMap(verbCase).join('\n'),
  )
}

function verbCase({ name, options, operands, repeats }: CompletedVerb): string[] {
  const long = (takesValue: boolean) => options.filter(option => option.takesValue === takesValue)
  const words = [
    ...long(false).flatMap(({ spellings }) => spellings.filter(isLong)),
    ...long(true).flatMap(({ spellings }) => spellings.filter(isLong).map(word => `${word}=`)),
  ]
  const valued = long(true).flatMap(({ spellings }) => spellings)
  return [
    `\t${name})`,
    `\t\toptions='${words.join(' ')}' valued='${valued.join(' ')}' repeats=${repeats ? 'yes' : ''}`,
    `\t\toperands=(${operands.map(operand => `'${operand}'`).join(' ')}) ;;`,
  ]
}

function isLong(word: string): boolean {
  return word.startsWith('--')
}

const SCRIPT = `# bash completion for git deploy. Requires Git's own completion, which calls _git_deploy.

_git_deploy ()
{
	local options valued repeats operands verb=deploy verbs='@verbs@'
	local i first=\${__git_cmd_idx-} seen=() cluster=

	# Before 2.31, Git's completion does not set __git_cmd_idx.
	if [ -z "$first" ]; then
		for ((first = 1; first < cword; first++)); do
			[ "\${words[first]}" = deploy ] && break
		done
	fi
	((first++))
	if [ $first -lt $cword ] && [[ " $verbs " == *" \${words[first]} "* ]]; then
		verb=\${words[first]}
		((first++))
	fi

	case "$verb" in
@cases@
	esac

	for ((i = first; i < cword; i++)); do
		case "\${words[i]}" in
		--)
			__git_deploy_complete host "$cluster"
			return ;;
		-*)
			[[ " $valued " == *" \${words[i]} "* ]] && ((i++)) ;;
		*)
			seen+=("\${words[i]}")
			[ "\${operands[0]-}" = cluster ] && cluster=\${seen[0]} ;;
		esac
	done

	case "$cur" in
	--*=*)
		__git_deploy_value "\${cur%%=*}" "\${cur#*=}" "$cluster"
		return ;;
	esac
	if [[ " $valued " == *" $prev "* ]]; then
		__git_deploy_value "$prev" "$cur" "$cluster"
		return
	fi
	case "$cur" in
	-*)
		[ "$verb" = diff ] && options="$options \${__git_diff_common_options-}"
		__gitcomp "$options"
		return ;;
	esac

	local wanted=\${operands[\${#seen[@]}]-}
	[ -z "$wanted" ] && [ -n "$repeats" ] && wanted=\${operands[\${#operands[@]} - 1]}
	if [ "$verb" = deploy ] && [ \${#seen[@]} = 0 ]; then
		__gitcomp_nl "$(printf '%s\\n' $verbs | grep -vx deploy; __git_deploy_clusters)"
	else
		__git_deploy_complete "$wanted" "$cluster"
	fi
}

# Completes an operand of this kind, in this cluster if it is known.
__git_deploy_complete ()
{
	case "$1" in
	cluster) __gitcomp_nl "$(__git_deploy_clusters)" ;;
	rev) __git_complete_refs ;;
	host | path) __git_deploy_comma_list "$(__git_deploy_hosts "$2")" "$cur" ;;
	*' '*) __gitcomp "$1" ;;
	esac
}

__git_deploy_value ()
{
	case "$1" in
	--color) __gitcomp 'always auto never' '' "$2" ;;
	--confirm) __gitcomp 'auto reconnect' '' "$2" ;;
	--limit | --exclude) __git_deploy_comma_list "$(__git_deploy_hosts "$3")" "$2" ;;
	esac
}

__git_deploy_comma_list ()
{
	local before=
	case "$2" in *,*) before=\${2%,*}, ;; esac
	__gitcomp_nl "$1" "$before" "\${2##*,}"
}

# Deployed clusters, the default cluster, and directories that look like clusters: <cluster>/<host>/<app>/.
__git_deploy_clusters ()
{
	{
		__git config deptool.cluster
		__git for-each-ref --format='%(contents:trailers:key=Deptool-Cluster,valueonly,separator=)' refs/deptool/
		__git_deploy_directories '*/*/*/' | cut -d/ -f1
	} 2>/dev/null | __git_deploy_plain
}

__git_deploy_hosts ()
{
	local cluster=\${1:-$(__git config deptool.cluster)}
	{
		__git for-each-ref --format='%(refname:lstrip=2)' refs/deptool/
		if [ -n "$cluster" ]; then
			(cd "$(__git rev-parse --show-toplevel)/\${cluster%/}" && shopt -s nullglob && printf '%s\\n' */ | cut -d/ -f1)
		else
			__git_deploy_directories '*/*/*/' | cut -d/ -f2
		fi
	} 2>/dev/null | __git_deploy_plain
}

# Completions are inserted without quotes, so names with characters that are special to the shell are left out.
__git_deploy_plain ()
{
	LC_ALL=C grep -x '[[:alnum:]_.@%+=:,/-]*' | grep . | sort -u
}

# Directories below the top of the working tree.
__git_deploy_directories ()
{
	(cd "$(__git rev-parse --show-toplevel)" && shopt -s nullglob && printf '%s\\n' $1)
}
`
