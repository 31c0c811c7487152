#!/usr/bin/env bats
# torture.bats - sblog-torture: its verdicts, and that it cleans up.
#
# bats file_tags=slow

# shellcheck disable=SC2154 # stderr is set by run

load lib/common

# broken COMMAND SCRIPT - commands as they are, but this one is a script
broken() {
	mkdir bin
	cp "$SBLOG_BUILD"/bin/sblog-* bin/
	printf '#!/bin/bash\n%s\n' "$2" >"bin/$1"
}

@test "torture: a second of it, and nothing is left" {
	mkdir d
	run -0 --separate-stderr sblog torture --seconds 1 --seed 7 d
	stderr_is ''
	[[ $output == $'seed\t7\n'*$'violations\t0\nverdict\tkept' ]]
	[ "$(awk '$1 == "acknowledged" { print ($2 > 100) }' <<<"$output")" = 1 ]
	[ "$(awk '$1 == "kills" { print ($2 > 0) }' <<<"$output")" = 1 ]
	[ -z "$(ls d)" ]
}

@test "torture: --json says the same" {
	mkdir d
	run -0 --separate-stderr sblog torture --seconds 1 --json d
	[ "$(jq -r '[.schema, .verdict, .violations, .faults.lost, (.appends > 0)] | join(" ")' <<<"$output")" = \
		'sblog.torture/1 kept 0 0 true' ]
}

@test "torture: an append that loses a record is found out" {
	mkdir d
	broken sblog-append "exec '$SBLOG_BUILD/bin/sblog-append' \"\$@\" < <(sed 's/^\\([a-d] 00000000000000[0-9a-f]0 \\)[0-9a-f]/\\1x/')"
	run -6 --separate-stderr bin/sblog-torture --seconds 1 d
	[[ $output == *$'verdict\tviolated' ]]
	[[ $stderr == *'phantom: nobody made the record'* ]]
	[ -n "$(ls d)" ]
}

@test "torture: acknowledgements of records that are not there are found out" {
	mkdir d
	broken sblog-append "sed = | sed -n 'n;p' >/dev/null; echo 0"
	run -6 --separate-stderr bin/sblog-torture --seconds 1 --json d
	[ "$(jq '.faults.lost > 0 or .faults.status > 0' <<<"$output")" = true ]
}

@test "torture: a read that skips is found out" {
	mkdir d
	broken sblog-read "case \" \$* \" in *' -F '*) exec '$SBLOG_BUILD/bin/sblog-read' \"\$@\" ;; esac
		'$SBLOG_BUILD/bin/sblog-read' \"\$@\" | sed 5d"
	run -6 --separate-stderr bin/sblog-torture --seconds 1 --json d
	[ "$(jq '.faults.dense > 0 and .faults.lost > 0' <<<"$output")" = true ]
}

@test "torture: damage is found out" {
	mkdir d
	broken sblog-verify "exit 6"
	run -6 --separate-stderr bin/sblog-torture --seconds 1 --json d
	[ "$(jq '.faults.damage' <<<"$output")" = 1 ]
}

@test "torture: SIGINT and SIGTERM take everything away" {
	mkdir d
	for signal in INT TERM; do
		(
			trap - INT
			exec bash -c 'trap - INT; exec "$0" torture --seconds 60 d' \
				"$SBLOG_BUILD/bin/sblog"
		) >out 2>err 3>&- &
		pid=$!
		until compgen -G 'd/sblog-torture.*/store/torture' >/dev/null; do kill -0 "$pid"; done
		env kill -"$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq $((128 + $(kill -l "$signal"))) ]
		[ -z "$(ls d)" ]
	done
}

@test "torture: no directory, or one that cannot be written" {
	run -1 --separate-stderr sblog torture --seconds 1 nowhere
	[[ $stderr == 'sblog-torture: nowhere: cannot make a directory: '* ]]
	run -2 --separate-stderr sblog torture
	stderr_is 'sblog-torture: give one directory'
	run -2 --separate-stderr sblog torture a b
}

@test "torture: power cuts, where they can be made" {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	[ -w /dev/loop-control ] || skip 'no /dev/loop-control'
	command -v mkfs.ext4 mkfs.xfs >/dev/null || [ -e /sbin/mkfs.ext4 ] || skip 'no mkfs'
	mkdir d
	run -0 --separate-stderr sblog torture --seconds 0 --power-cuts 10 --json d
	[ "$(jq -c '[.power_cuts, .verdict]' <<<"$output")" = '[10,"kept"]' ]
	[ -z "$(ls d)" ]
	! grep -q sblog-torture /proc/mounts
}
