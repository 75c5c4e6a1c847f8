# ask.bash <directory of completions> <line>: what a tab behind the line offers, one a line.

. /usr/share/bash-completion/completions/git
. "$1/git-deploy"

line=$2
eval "COMP_WORDS=($line)"
[[ $line == *' ' ]] && COMP_WORDS+=('')
# The shell takes '=' for a word of its own.
last=$((${#COMP_WORDS[@]} - 1))
if [[ ${COMP_WORDS[last]} == *=* ]]; then
	word=${COMP_WORDS[last]}
	COMP_WORDS=("${COMP_WORDS[@]:0:last}" "${word%%=*}" '=' "${word#*=}")
	[ -z "${word#*=}" ] && unset 'COMP_WORDS[-1]'
fi
COMP_LINE=$line COMP_POINT=${#line} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
__git_wrap__git_main
printf '%s\n' "${COMPREPLY[@]}"
