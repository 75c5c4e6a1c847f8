# ask.zsh <directory of completions> <line>: what a tab behind the line offers, as an interactive zsh lists it.

setopt extended_glob

zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "fpath=(${(q)1} \$fpath); autoload -U compinit; compinit -u -D"
# Beeps and questions would wait for a person.
zpty -w shell "PS1=; LISTMAX=1000; setopt no_list_beep no_beep; stty -echo; bindkey '^I' list-choices"
zpty -w shell "finish () { print -n FINI''SHED }; zle -N finish; bindkey '^X' finish; print REA''DY"
zpty -r -m shell text '*READY*'
zpty -w -n shell "$2"$'\t'$'\x18'
zpty -r -m shell text '*FINISHED*'
zpty -d shell

# The list is below the line, and begins by clearing what is there.
text=${text##*$'\e[J'}
text=${text%%$'\e[A'*}
print -r -- ${text//$'\e['[0-9;?]#[A-Za-z]/}
