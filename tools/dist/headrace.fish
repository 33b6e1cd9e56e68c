# fish completion for headrace
function __headrace_needs_command
    test (count (commandline -opc)) -eq 1
end
function __headrace_in
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test $words[2] = $argv[1]
end
function __headrace_needs_word
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test $words[2] = $argv[1]
end
complete -c headrace -n __headrace_needs_command -l help -l version
complete -c headrace -n __headrace_needs_command -f -a audit -d 'read captures and report'
complete -c headrace -n __headrace_needs_command -f -a watch -d 'listen and tell findings as they come'
complete -c headrace -n __headrace_needs_command -f -a report -d 'report about a day, a site, everything'
complete -c headrace -n __headrace_needs_command -f -a list -d 'list what is stored'
complete -c headrace -n __headrace_needs_command -f -a show -d 'tell one story'
complete -c headrace -n __headrace_needs_command -f -a evidence -d 'cut frames out of the captures'
complete -c headrace -n __headrace_needs_command -f -a rules -d 'list, explain, check, test and run rules'
complete -c headrace -n __headrace_needs_command -f -a profile -d 'print what is assumed of a site'
complete -c headrace -n __headrace_needs_command -f -a db -d 'look after the database'
complete -c headrace -n '__headrace_needs_word list' -f -a 'findings sessions exchanges streams endpoints captures loss'
complete -c headrace -n '__headrace_needs_word show' -f -a 'finding session'
complete -c headrace -n '__headrace_needs_word rules' -f -a 'list explain check test run'
complete -c headrace -n '__headrace_needs_word profile' -f -a 'suggest'
complete -c headrace -n '__headrace_needs_word db' -f -a 'info check prune vacuum key'
complete -c headrace -n '__headrace_in audit' -l db -r
complete -c headrace -n '__headrace_in audit' -l key-file -r
complete -c headrace -n '__headrace_in audit' -l rules -r
complete -c headrace -n '__headrace_in audit' -l profile -r
complete -c headrace -n '__headrace_in audit' -l suppressions -r
complete -c headrace -n '__headrace_in audit' -l filter -x
complete -c headrace -n '__headrace_in audit' -l format -x -a 'text html md json ndjson sarif csv'
complete -c headrace -n '__headrace_in audit' -l tz -x
complete -c headrace -n '__headrace_in audit' -l baseline -r
complete -c headrace -n '__headrace_in audit' -s o -l output -r
complete -c headrace -n '__headrace_in audit' -l fail-on -x -a 'low medium high critical low/suspect'
complete -c headrace -n '__headrace_in audit' -l rule -x
complete -c headrace -n '__headrace_in audit' -l no-rule -x
complete -c headrace -n '__headrace_in audit' -l set -x
complete -c headrace -n '__headrace_in audit' -l all
complete -c headrace -n '__headrace_in audit' -l clock-error -x
complete -c headrace -n '__headrace_in audit' -l verify-checksums
complete -c headrace -n '__headrace_in audit' -l redact-users
complete -c headrace -n '__headrace_in audit' -l color -x -a 'auto always never'
complete -c headrace -n '__headrace_in audit' -l max-connections -x
complete -c headrace -n '__headrace_in audit' -l max-held-connection -x
complete -c headrace -n '__headrace_in audit' -l max-held -x
complete -c headrace -n '__headrace_in audit' -l idle-timeout -x
complete -c headrace -n '__headrace_in audit' -l opening-timeout -x
complete -c headrace -n '__headrace_in audit' -l closed-linger -x
complete -c headrace -n '__headrace_in audit' -l hole-timeout -x
complete -c headrace -n '__headrace_in audit' -l max-header -x
complete -c headrace -n '__headrace_in audit' -l max-fields -x
complete -c headrace -n '__headrace_in audit' -l max-body -x
complete -c headrace -n '__headrace_in audit' -l max-decoded-body -x
complete -c headrace -n '__headrace_in audit' -l max-expansion -x
complete -c headrace -n '__headrace_in audit' -l max-waiting -x
complete -c headrace -n '__headrace_in audit' -l max-kept -x
complete -c headrace -n '__headrace_in audit' -l max-fragments -x
complete -c headrace -n '__headrace_in audit' -l max-fragment-bytes -x
complete -c headrace -n '__headrace_in audit' -l fragment-timeout -x
complete -c headrace -n '__headrace_in audit' -l max-tokens -x
complete -c headrace -n '__headrace_in audit' -l config -r
complete -c headrace -n '__headrace_in audit' -s q -l quiet
complete -c headrace -n '__headrace_in audit' -s h -l help
complete -c headrace -n '__headrace_in audit' -s V -l version
complete -c headrace -n '__headrace_in watch' -s i -l interface -x -a "any (ls /sys/class/net 2>/dev/null)"
complete -c headrace -n '__headrace_in watch' -s r -l read -r
complete -c headrace -n '__headrace_in watch' -l realtime
complete -c headrace -n '__headrace_in watch' -l db -r
complete -c headrace -n '__headrace_in watch' -l key-file -r
complete -c headrace -n '__headrace_in watch' -l rules -r
complete -c headrace -n '__headrace_in watch' -l profile -r
complete -c headrace -n '__headrace_in watch' -l suppressions -r
complete -c headrace -n '__headrace_in watch' -l filter -x
complete -c headrace -n '__headrace_in watch' -l snaplen -x
complete -c headrace -n '__headrace_in watch' -l buffer -x
complete -c headrace -n '__headrace_in watch' -l promisc
complete -c headrace -n '__headrace_in watch' -l alert -x -a 'syslog file: exec: http:// https://'
complete -c headrace -n '__headrace_in watch' -l min-severity -x -a 'low medium high critical'
complete -c headrace -n '__headrace_in watch' -l alert-on-loss -x
complete -c headrace -n '__headrace_in watch' -l repeat -x
complete -c headrace -n '__headrace_in watch' -l retain -x
complete -c headrace -n '__headrace_in watch' -l metrics -x
complete -c headrace -n '__headrace_in watch' -l user -x
complete -c headrace -n '__headrace_in watch' -l no-ui
complete -c headrace -n '__headrace_in watch' -l keep -x -a '10GB 2h'
complete -c headrace -n '__headrace_in watch' -l ring -x -a '(__fish_complete_directories)'
complete -c headrace -n '__headrace_in watch' -l evidence-dir -x -a '(__fish_complete_directories)'
complete -c headrace -n '__headrace_in watch' -l rule -x
complete -c headrace -n '__headrace_in watch' -l no-rule -x
complete -c headrace -n '__headrace_in watch' -l set -x
complete -c headrace -n '__headrace_in watch' -l clock-error -x
complete -c headrace -n '__headrace_in watch' -l verify-checksums
complete -c headrace -n '__headrace_in watch' -l redact-users
complete -c headrace -n '__headrace_in watch' -l max-connections -x
complete -c headrace -n '__headrace_in watch' -l max-held-connection -x
complete -c headrace -n '__headrace_in watch' -l max-held -x
complete -c headrace -n '__headrace_in watch' -l idle-timeout -x
complete -c headrace -n '__headrace_in watch' -l opening-timeout -x
complete -c headrace -n '__headrace_in watch' -l closed-linger -x
complete -c headrace -n '__headrace_in watch' -l hole-timeout -x
complete -c headrace -n '__headrace_in watch' -l max-header -x
complete -c headrace -n '__headrace_in watch' -l max-fields -x
complete -c headrace -n '__headrace_in watch' -l max-body -x
complete -c headrace -n '__headrace_in watch' -l max-decoded-body -x
complete -c headrace -n '__headrace_in watch' -l max-expansion -x
complete -c headrace -n '__headrace_in watch' -l max-waiting -x
complete -c headrace -n '__headrace_in watch' -l max-kept -x
complete -c headrace -n '__headrace_in watch' -l max-fragments -x
complete -c headrace -n '__headrace_in watch' -l max-fragment-bytes -x
complete -c headrace -n '__headrace_in watch' -l fragment-timeout -x
complete -c headrace -n '__headrace_in watch' -l max-tokens -x
complete -c headrace -n '__headrace_in watch' -l config -r
complete -c headrace -n '__headrace_in watch' -s q -l quiet
complete -c headrace -n '__headrace_in watch' -s h -l help
complete -c headrace -n '__headrace_in watch' -s V -l version
complete -c headrace -n '__headrace_in report' -l db -r
complete -c headrace -n '__headrace_in report' -l rules -r
complete -c headrace -n '__headrace_in report' -l format -x -a 'text html md json ndjson sarif csv'
complete -c headrace -n '__headrace_in report' -s o -l output -r
complete -c headrace -n '__headrace_in report' -l day -x -a 'yesterday today'
complete -c headrace -n '__headrace_in report' -l since -x
complete -c headrace -n '__headrace_in report' -l until -x
complete -c headrace -n '__headrace_in report' -l tz -x
complete -c headrace -n '__headrace_in report' -l site -x
complete -c headrace -n '__headrace_in report' -l min-severity -x -a 'low medium high critical'
complete -c headrace -n '__headrace_in report' -l baseline -r
complete -c headrace -n '__headrace_in report' -l all
complete -c headrace -n '__headrace_in report' -l color -x -a 'auto always never'
complete -c headrace -n '__headrace_in report' -l config -r
complete -c headrace -n '__headrace_in report' -s q -l quiet
complete -c headrace -n '__headrace_in report' -s h -l help
complete -c headrace -n '__headrace_in report' -s V -l version
complete -c headrace -n '__headrace_in list' -l db -r
complete -c headrace -n '__headrace_in list' -l rules -r
complete -c headrace -n '__headrace_in list' -l profile -r
complete -c headrace -n '__headrace_in list' -l filter -x
complete -c headrace -n '__headrace_in list' -l format -x -a 'table ndjson csv'
complete -c headrace -n '__headrace_in list' -s o -l output -r
complete -c headrace -n '__headrace_in list' -l site -x
complete -c headrace -n '__headrace_in list' -l session -x
complete -c headrace -n '__headrace_in list' -l user -x
complete -c headrace -n '__headrace_in list' -l rule -x
complete -c headrace -n '__headrace_in list' -l verdict -x -a 'proven contradiction suspect'
complete -c headrace -n '__headrace_in list' -l since -x
complete -c headrace -n '__headrace_in list' -l until -x
complete -c headrace -n '__headrace_in list' -l tz -x
complete -c headrace -n '__headrace_in list' -l stream -x
complete -c headrace -n '__headrace_in list' -l limit -x
complete -c headrace -n '__headrace_in list' -l set -x
complete -c headrace -n '__headrace_in list' -l clock-error -x
complete -c headrace -n '__headrace_in list' -l verify-checksums
complete -c headrace -n '__headrace_in list' -l redact-users
complete -c headrace -n '__headrace_in list' -l color -x -a 'auto always never'
complete -c headrace -n '__headrace_in list' -l max-connections -x
complete -c headrace -n '__headrace_in list' -l max-held-connection -x
complete -c headrace -n '__headrace_in list' -l max-held -x
complete -c headrace -n '__headrace_in list' -l idle-timeout -x
complete -c headrace -n '__headrace_in list' -l opening-timeout -x
complete -c headrace -n '__headrace_in list' -l closed-linger -x
complete -c headrace -n '__headrace_in list' -l hole-timeout -x
complete -c headrace -n '__headrace_in list' -l max-header -x
complete -c headrace -n '__headrace_in list' -l max-fields -x
complete -c headrace -n '__headrace_in list' -l max-body -x
complete -c headrace -n '__headrace_in list' -l max-decoded-body -x
complete -c headrace -n '__headrace_in list' -l max-expansion -x
complete -c headrace -n '__headrace_in list' -l max-waiting -x
complete -c headrace -n '__headrace_in list' -l max-kept -x
complete -c headrace -n '__headrace_in list' -l max-fragments -x
complete -c headrace -n '__headrace_in list' -l max-fragment-bytes -x
complete -c headrace -n '__headrace_in list' -l fragment-timeout -x
complete -c headrace -n '__headrace_in list' -l max-tokens -x
complete -c headrace -n '__headrace_in list' -l config -r
complete -c headrace -n '__headrace_in list' -s q -l quiet
complete -c headrace -n '__headrace_in list' -s h -l help
complete -c headrace -n '__headrace_in list' -s V -l version
complete -c headrace -n '__headrace_in show' -l db -r
complete -c headrace -n '__headrace_in show' -s o -l output -r
complete -c headrace -n '__headrace_in show' -l tz -x
complete -c headrace -n '__headrace_in show' -l color -x -a 'auto always never'
complete -c headrace -n '__headrace_in show' -l config -r
complete -c headrace -n '__headrace_in show' -s q -l quiet
complete -c headrace -n '__headrace_in show' -s h -l help
complete -c headrace -n '__headrace_in show' -s V -l version
complete -c headrace -n '__headrace_in evidence' -l db -r
complete -c headrace -n '__headrace_in evidence' -s o -l output -r
complete -c headrace -n '__headrace_in evidence' -l ring -x -a '(__fish_complete_directories)'
complete -c headrace -n '__headrace_in evidence' -l from -x -a '(__fish_complete_directories)'
complete -c headrace -n '__headrace_in evidence' -l anonymize
complete -c headrace -n '__headrace_in evidence' -l max-evidence -x
complete -c headrace -n '__headrace_in evidence' -l max-connections -x
complete -c headrace -n '__headrace_in evidence' -l max-held-connection -x
complete -c headrace -n '__headrace_in evidence' -l max-held -x
complete -c headrace -n '__headrace_in evidence' -l idle-timeout -x
complete -c headrace -n '__headrace_in evidence' -l opening-timeout -x
complete -c headrace -n '__headrace_in evidence' -l closed-linger -x
complete -c headrace -n '__headrace_in evidence' -l hole-timeout -x
complete -c headrace -n '__headrace_in evidence' -l max-header -x
complete -c headrace -n '__headrace_in evidence' -l max-fields -x
complete -c headrace -n '__headrace_in evidence' -l max-body -x
complete -c headrace -n '__headrace_in evidence' -l max-decoded-body -x
complete -c headrace -n '__headrace_in evidence' -l max-expansion -x
complete -c headrace -n '__headrace_in evidence' -l max-waiting -x
complete -c headrace -n '__headrace_in evidence' -l max-kept -x
complete -c headrace -n '__headrace_in evidence' -l max-fragments -x
complete -c headrace -n '__headrace_in evidence' -l max-fragment-bytes -x
complete -c headrace -n '__headrace_in evidence' -l fragment-timeout -x
complete -c headrace -n '__headrace_in evidence' -l max-tokens -x
complete -c headrace -n '__headrace_in evidence' -l config -r
complete -c headrace -n '__headrace_in evidence' -s q -l quiet
complete -c headrace -n '__headrace_in evidence' -s h -l help
complete -c headrace -n '__headrace_in evidence' -s V -l version
complete -c headrace -n '__headrace_in rules' -l db -r
complete -c headrace -n '__headrace_in rules' -l rules -r
complete -c headrace -n '__headrace_in rules' -l suppressions -r
complete -c headrace -n '__headrace_in rules' -l rule -x
complete -c headrace -n '__headrace_in rules' -l no-rule -x
complete -c headrace -n '__headrace_in rules' -l set -x
complete -c headrace -n '__headrace_in rules' -s o -l output -r
complete -c headrace -n '__headrace_in rules' -l color -x -a 'auto always never'
complete -c headrace -n '__headrace_in rules' -l config -r
complete -c headrace -n '__headrace_in rules' -s q -l quiet
complete -c headrace -n '__headrace_in rules' -s h -l help
complete -c headrace -n '__headrace_in rules' -s V -l version
complete -c headrace -n '__headrace_in profile' -l db -r
complete -c headrace -n '__headrace_in profile' -l profile -r
complete -c headrace -n '__headrace_in profile' -l filter -x
complete -c headrace -n '__headrace_in profile' -s o -l output -r
complete -c headrace -n '__headrace_in profile' -l site -x
complete -c headrace -n '__headrace_in profile' -l clock-error -x
complete -c headrace -n '__headrace_in profile' -l verify-checksums
complete -c headrace -n '__headrace_in profile' -l redact-users
complete -c headrace -n '__headrace_in profile' -l max-connections -x
complete -c headrace -n '__headrace_in profile' -l max-held-connection -x
complete -c headrace -n '__headrace_in profile' -l max-held -x
complete -c headrace -n '__headrace_in profile' -l idle-timeout -x
complete -c headrace -n '__headrace_in profile' -l opening-timeout -x
complete -c headrace -n '__headrace_in profile' -l closed-linger -x
complete -c headrace -n '__headrace_in profile' -l hole-timeout -x
complete -c headrace -n '__headrace_in profile' -l max-header -x
complete -c headrace -n '__headrace_in profile' -l max-fields -x
complete -c headrace -n '__headrace_in profile' -l max-body -x
complete -c headrace -n '__headrace_in profile' -l max-decoded-body -x
complete -c headrace -n '__headrace_in profile' -l max-expansion -x
complete -c headrace -n '__headrace_in profile' -l max-waiting -x
complete -c headrace -n '__headrace_in profile' -l max-kept -x
complete -c headrace -n '__headrace_in profile' -l max-fragments -x
complete -c headrace -n '__headrace_in profile' -l max-fragment-bytes -x
complete -c headrace -n '__headrace_in profile' -l fragment-timeout -x
complete -c headrace -n '__headrace_in profile' -l max-tokens -x
complete -c headrace -n '__headrace_in profile' -l config -r
complete -c headrace -n '__headrace_in profile' -s q -l quiet
complete -c headrace -n '__headrace_in profile' -s h -l help
complete -c headrace -n '__headrace_in profile' -s V -l version
complete -c headrace -n '__headrace_in db' -l db -r
complete -c headrace -n '__headrace_in db' -l keep -x
complete -c headrace -n '__headrace_in db' -l key-file -r
complete -c headrace -n '__headrace_in db' -s o -l output -r
complete -c headrace -n '__headrace_in db' -l config -r
complete -c headrace -n '__headrace_in db' -s q -l quiet
complete -c headrace -n '__headrace_in db' -s h -l help
complete -c headrace -n '__headrace_in db' -s V -l version
