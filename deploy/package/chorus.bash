# Completion of chorus(1) for bash. Commands and options are those that the program itself lists.
_chorus() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} chorus=${COMP_WORDS[0]} words
    if [ "$COMP_CWORD" = 1 ]; then
        words=$("$chorus" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
    elif [ "$COMP_CWORD" = 2 ] && [ "${COMP_WORDS[1]}" = ctl ]; then
        words='status drain stay move plan apply stop'
    elif [[ $word == -* ]]; then
        words=$("$chorus" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -o -- '^ *--[a-z-]*')
    elif [[ $before == --*-file || $before == --data || $before == --control || $before == --config || $before == --html || $before == --json ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -F _chorus chorus
