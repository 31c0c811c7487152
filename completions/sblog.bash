# shellcheck shell=bash
# sblog.bash - completion for bash; made by completions/generate.

_sblog() {
	local cur=${COMP_WORDS[COMP_CWORD]} command='' i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-C | --store) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	local words=
	case $command in
	'') words='append bench compact config create group index ls read rm seal stat torture trim verify cat help tail wait -C -q -v --help --version' ;;
	append) words='--format --delimiter --key-delimiter --key --header --null --timestamp --atomic --expect --expect-key --expect-pos --once --sync --batch-bytes --batch-time --compress --ack --keep-offsets --no-create --on-error --dry-run --json --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	bench) words='--runs --quick --output --remark --directory --duration --rate --producers --consumers --size --keys --sync --spike-rate --spike-duration --seed --interleave --against --json --alpha --threshold --fail --match --md --html --csv --prometheus --hgrm --only --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	compact) words='--auto --seal --ignore-groups --min-dirty --grace --memory --rate --dry-run --all --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	config) words='--dry-run --defaults --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	create) words='--dry-run --config --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	group) words='--all --to --shift --if --meta --sync --undurable --park --unpark --max-lag --max-age --dry-run --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	index) words='--dry-run --all --check --drop --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	ls) words='--long --streams --categories --prefix --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	read | cat | tail | wait) words='--offset --to --count --follow --timeout --format --delimiter --key-delimiter --key --pos --category --latest --last --member --include-idless --correlation --header --max-bytes --durable --skip-damaged --silent --group --exec --exec-once --batch-bytes --batch-time --retry --backoff --dead-letter --shard --join --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	rm) words='--yes --dry-run --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	seal) words='--dry-run --all --older --larger --jobs --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	stat) words='--all --segments --groups --at --by --metrics --max-lag --max-age --min-free --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	torture) words='--seconds --seed --power-cuts --json --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	trim) words='--before --keep-age --keep-bytes --keep-records --ignore-groups --dry-run --all --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	verify) words='--all --quick --deep --jobs --rate --json --tsv --store --quiet --verbose --color --progress --lock-timeout --help --help-json --version' ;;
	esac
	case $command,$cur in
	,* | *,-*) ;;
	*) words="$words $(sblog ls 2>/dev/null)" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _sblog sblog
