# bash completion for headrace
_headrace_rules() {
    "$1" rules list 2>/dev/null | cut -d' ' -f1
}

_headrace() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local bounds='--max-connections --max-held-connection --max-held --idle-timeout --opening-timeout
        --closed-linger --hole-timeout --max-header --max-fields --max-body --max-decoded-body --max-expansion --max-waiting --max-kept
        --max-fragments --max-fragment-bytes --fragment-timeout --max-tokens'
    local common='--config --quiet --help --version'
    local options= words= files=
    COMPREPLY=()
    if [[ $cur == = ]]; then # of --option=word, which are three words here
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'audit watch report list show evidence rules profile db --help --version' -- "$cur")
        return
    fi
    case $prev in
    --config | --db | --profile | --suppressions | --baseline | -o | --output) compopt -o default; return ;;
    --rules | --from | --ring | --evidence-dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    -r | --read) compopt -o default; return ;;
    -i | --interface) words="any $(cd /sys/class/net 2>/dev/null && echo *)" ;;
    --alert) words='syslog file: exec: http:// https://' ;;
    --color) words='auto always never' ;;
    --day) words='yesterday today' ;;
    --min-severity) words='low medium high critical' ;;
    --verdict) words='proven contradiction suspect' ;;
    --fail-on) words='low medium high critical low/suspect low/proven' ;;
    --rule | --no-rule | explain) words=$(_headrace_rules "${COMP_WORDS[0]}") ;;
    --format)
        case $command in
        audit | report) words='text html md json ndjson sarif csv' ;;
        *) words='table ndjson csv' ;;
        esac
        ;;
    esac
    if [[ -n $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    case $command in
    audit)
        options="--db --key-file --rules --profile --suppressions --filter --format --output --fail-on --rule
            --no-rule --set --baseline --all --tz --clock-error --verify-checksums --redact-users --color $bounds"
        files=1
        ;;
    watch)
        options="--interface --read --realtime --db --key-file --rules --profile --suppressions --filter --snaplen --buffer
            --promisc --alert --min-severity --alert-on-loss --repeat --retain --metrics --user --no-ui --keep --ring --evidence-dir
            --rule --no-rule --set --clock-error --verify-checksums --redact-users $bounds"
        ;;
    report)
        options='--db --rules --format --output --day --since --until --tz --site --min-severity --baseline --all
            --color'
        ;;
    list)
        options="--db --rules --profile --filter --format --output --site --session --user --rule --verdict
            --since --until --tz --stream --limit --set --clock-error --verify-checksums --redact-users --color $bounds"
        words='findings sessions exchanges streams endpoints captures loss'
        files=1
        ;;
    show) options='--db --output --tz --color' words='finding session' ;;
    evidence) options="--db --output --from --ring --anonymize --max-evidence $bounds" ;;
    rules)
        options='--db --rules --suppressions --rule --no-rule --set --output --color'
        words='list explain check test run'
        files=1
        ;;
    profile)
        options="--db --profile --filter --output --site --clock-error --verify-checksums --redact-users $bounds"
        words='suggest'
        files=1
        ;;
    db) options='--db --key-file --keep -o --output' words='info check prune vacuum key' ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$cur")
    elif ((COMP_CWORD == 2)) && [[ -n $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    elif [[ -n $files ]]; then
        compopt -o default
    fi
}
complete -F _headrace headrace
