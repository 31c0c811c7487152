#!/usr/bin/env bats
# exit.bats - the table of exit statuses, a test for each row that this release
# can end with; and what every command does with its streams and options.

load lib/common

@test "exit: 0 done, also for an empty range" {
	sblog append t <<<a
	run -0 --separate-stderr sblog read -o end t
	stdout_is ''
	stderr_is ''
}

@test "exit: 1 output cannot be written" {
	sblog append t <<<a
	run -1 --separate-stderr sh -c 'sblog read t >/dev/full'
	stdout_is ''
	stderr_is 'sblog-read: cannot write to standard output: No space left on device'
	run -1 --separate-stderr sh -c 'sblog ls >/dev/full'
	stdout_is ''
	stderr_is 'sblog-ls: cannot write to standard output: No space left on device'
}

@test "exit: 1 an acknowledged part is told" {
	sblog create t --config max.message.bytes=4
	run -1 --separate-stderr sblog append t < <(printf 'ab\ncd\ntoolong\n')
	stdout_is ''
	[[ $stderr == *'acked=2 next=2'* ]]
	[ "$(sblog read t)" = $'ab\ncd' ]
}

@test "exit: 2 usage: option, position, format, setting, name" {
	sblog append t <<<a
	for words in 'read --nonsense t' 'read -o nowhere t' 'read -f nothing t' \
		'create --config no.such=1 u' 'create bad/name' 'ls --json --tsv' \
		'nonsense' 'seal' 'verify --quick --deep t' 'append ../t' 'rm t'; do
		before=$(tree_sum "$SBLOG_DIR")
		# shellcheck disable=SC2086 # words are words
		run -2 --separate-stderr sblog $words </dev/null
		stdout_is ''
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
	done
}

@test "exit: 3 no such store, topic, offset" {
	run -3 --separate-stderr sblog read t
	stdout_is ''
	stderr_is "sblog-read: $SBLOG_DIR: no such store"
	sblog append t <<<a
	run -3 --separate-stderr sblog stat u
	stdout_is ''
	stderr_is 'sblog-stat: u: no such topic'
	run -3 --separate-stderr sblog read -o 5 t
	stdout_is ''
	run -3 --separate-stderr sblog append --no-create u <<<a
	stdout_is ''
	stderr_is 'sblog-append: u: no such topic'
}

@test "exit: 4 a condition did not hold" {
	sblog create t
	run -4 --separate-stderr sblog create t
	stdout_is ''
	stderr_is 'sblog-create: t: topic exists'
	sblog config t readonly=true
	run -4 --separate-stderr sblog append t <<<a
	stdout_is ''
}

@test "exit: 5 busy: the lock is held" {
	sblog append t <<<a
	before=$(tree_sum "$SBLOG_DIR")
	run -5 --separate-stderr flock "$SBLOG_DIR/t/lock.append" sblog append --lock-timeout 0 t <<<b
	stdout_is ''
	[[ $stderr == 'sblog-append: t: another process holds the lock (file lock.append)'* ]]
	run -5 --separate-stderr flock "$SBLOG_DIR/t/lock.maint" sblog seal --lock-timeout 50ms t
	stdout_is ''
	stderr_is 'sblog-seal: t: another process holds the lock (file lock.maint)'
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

# flip FILE BYTE - turn all bits of one byte over
flip() {
	printf '%b' "\\x$(printf %02x $((0xff ^ 0x$(xxd -s "$2" -l 1 -p "$1"))))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "exit: 6 damage, with file, byte and offsets" {
	printf 'a\nb\n' | sblog append t
	printf 'c\n' | sblog append t
	flip "$SBLOG_DIR/t/00000000000000000000.wal" 4224
	run -6 --separate-stderr sblog read t
	stdout_is ''
	stderr_is 'sblog-read: t: batch values checksum differs (offsets 0..1, file 00000000000000000000.wal, byte 4096)'
	run -6 --separate-stderr sblog verify t
	[[ $output == *'t: damage: 00000000000000000000.wal: byte 4096: offsets 0..1: batch values checksum differs'* ]]
}

@test "exit: 7 done, but something was skipped" {
	printf 'a\nb\n' | sblog append t
	printf 'c\n' | sblog append t
	flip "$SBLOG_DIR/t/00000000000000000000.wal" 4224
	run -7 --separate-stderr sblog read --skip-damaged t
	stdout_is c
	[[ $stderr == *'offsets 0..1'* ]]
	run -7 --separate-stderr sblog stat --max-age 0 t
	stderr_is 'sblog-stat: t: the last record is older than --max-age'
}

@test "exit: 124 --timeout passed" {
	sblog append t <<<a
	run -124 --separate-stderr sblog read -F --timeout 50ms t
	stdout_is a
}

@test "exit: a reader that goes away ends it quietly" {
	seq 200000 | sblog append t
	run --separate-stderr bash -c 'sblog read t | head -n 1; exit "${PIPESTATUS[0]}"'
	[ "$status" -eq 141 ] || [ "$status" -eq 0 ]
	stdout_is 1
	stderr_is ''
}

@test "exit: every subset of closed descriptors" {
	sblog append t <<<a
	before=$(sblog read t)
	for fds in '' '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		for words in 'ls' 'read t' 'stat t' 'append t' 'verify t'; do
			# What it does may fail; it must not write data to a wrong place.
			run bash -c "timeout 10 sblog $words $fds </dev/null"
			[ "$status" -ne 124 ]
		done
	done
	[ "$(sblog read t)" = "$before" ]
	run -1 --separate-stderr sh -c 'sblog ls >&-'
	stdout_is ''
}

@test "exit: a store that is a file, a directory without permission" {
	touch "$SBLOG_DIR"
	run -1 --separate-stderr sblog append t <<<a
	stdout_is ''
	[[ $stderr == *'Not a directory'* ]]
	run -1 --separate-stderr sblog ls
	stdout_is ''
}

@test "exit: a newer manifest is refused before anything is written" {
	sblog append t <<<a
	manifest=$SBLOG_DIR/t/manifest
	sed -i 's/^sblog-manifest 1$/sblog-manifest 2/' "$manifest"
	hash=$(head -n -1 "$manifest" | xxhsum -H3 2>/dev/null | sed 's/.* = //')
	[ -n "$hash" ] || skip 'xxhsum -H3 is not installed'
	sed -i "s/^hash .*/hash $hash/" "$manifest"
	before=$(tree_sum "$SBLOG_DIR")
	run -2 --separate-stderr sblog append t <<<b
	stdout_is ''
	[[ $stderr == *'newer version'* ]]
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}
