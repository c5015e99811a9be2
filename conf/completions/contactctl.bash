# bash completion for contactctl(8)
_contactctl()
{
    local cur prev words cword
    _init_completion || return
    local commands="analyze check status queue flush token import ingest forget migrate"
    local i command=
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -c | --config) ((i++)) ;;
        -*) ;;
        *)
            command=${words[i]}
            break
            ;;
        esac
    done
    if [[ $prev == -c || $prev == --config ]]; then
        _filedir
        return
    fi
    case $command in
    "") mapfile -t COMPREPLY < <(compgen -W "$commands -c --version --help" -- "$cur") ;;
    analyze)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--json --country --local-domain --help" -- "$cur")
        else
            _filedir
        fi
        ;;
    import)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--since --dry-run --again --json --help" -- "$cur")
        else
            _filedir
        fi
        ;;
    queue)
        mapfile -t COMPREPLY < <(compgen -W "list show retry release drop --dead --json --help" -- "$cur")
        ;;
    check | status | flush | forget | token | migrate) mapfile -t COMPREPLY < <(compgen -W "--json --help" -- "$cur") ;;
    ingest) mapfile -t COMPREPLY < <(compgen -W "--from --to --client --helo --help" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "--help" -- "$cur") ;;
    esac
}
complete -F _contactctl contactctl
