# SPDX-License-Identifier: Apache-2.0
# bash completion for swpsp(1). Options come from `swpsp COMMAND --help`.

# The help of the command line so far: "verify" has one for each --type.
_swpsp_help()
{
    local i type=

    for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --type) type=${COMP_WORDS[i + 1]} ;;
        --type=*) type=${COMP_WORDS[i]#--type=} ;;
        --) break ;;
        esac
    done
    [[ $1 == verify ]] || type=
    swpsp "$1" ${type:+--type "$type"} --help 2>/dev/null
}

_swpsp_options()
{
    # What stands in `...` is of another command.
    _swpsp_help "$1" | tr '\n' ' ' | sed 's/`[^`]*`//g' |
        grep -oE -- '--[a-z][a-z0-9-]*' | sort -u
}

# Does an option take a value? In help one space is before it, two before words.
_swpsp_takes_value()
{
    _swpsp_help "$1" | grep -qE -- "$2 [^ -]"
}

_swpsp_guests()
{
    local i socket=
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket | --connect) socket=${COMP_WORDS[i + 1]} ;;
        esac
    done
    swpsp guest list ${socket:+--socket "$socket"} 2>/dev/null |
        awk 'NR > 1 { print $1 }'
}

_swpsp()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} i

    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "$(swpsp --help 2>/dev/null |
            awk '/^  [a-z]/ { print $1 }') --help --version" -- "$cur"))
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- && $command == run ]]; then
            if ((i + 1 == COMP_CWORD)); then
                COMPREPLY=($(compgen -c -- "$cur"))
            else
                COMPREPLY=($(compgen -f -- "$cur"))
            fi
            return
        fi
    done
    case $prev in
    --profile)
        COMPREPLY=($(compgen -W "naples rome milan-old milan genoa turin" \
            -- "$cur"))
        return ;;
    --certs)
        COMPREPLY=($(compgen -W "vcek vlek none" -f -- "$cur"))
        return ;;
    --kernel)
        COMPREPLY=($(compgen -W "5.19 6.1 6.3 6.13" -- "$cur"))
        return ;;
    --vm-handle)
        COMPREPLY=($(compgen -W "kernel own off other enotty enosys" -- "$cur"))
        return ;;
    --log-level)
        COMPREPLY=($(compgen -W "error warning info debug" -- "$cur"))
        return ;;
    --as)
        COMPREPLY=($(compgen -W "host $(_swpsp_guests)" -- "$cur"))
        return ;;
    --state | --fuse | --tsm)
        COMPREPLY=($(compgen -d -- "$cur"))
        return ;;
    --socket | --connect | --guest | --faults | --seed-file | --pid-file | --root | --report)
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    show | stop | hypercall)
        if [[ $command == guest ]]; then
            COMPREPLY=($(compgen -W "$(_swpsp_guests)" -- "$cur"))
            return
        fi ;;
    esac
    if [[ $prev == --* ]] && _swpsp_takes_value "$command" "$prev"; then
        COMPREPLY=($(compgen -f -- "$cur"))
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$(_swpsp_options "$command")" -- "$cur"))
    elif [[ $command == guest && COMP_CWORD -eq 2 ]]; then
        COMPREPLY=($(compgen -W "launch list show stop hypercall" -- "$cur"))
    elif [[ $command == faults && COMP_CWORD -eq 2 ]]; then
        COMPREPLY=($(compgen -W "set clear show" -- "$cur"))
    elif [[ $command == certs && COMP_CWORD -eq 2 ]]; then
        COMPREPLY=($(compgen -W "export" -- "$cur"))
    else
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
}

complete -o filenames -F _swpsp swpsp
