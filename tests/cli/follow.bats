#!/usr/bin/env bats
# follow.bats - sblog-read -F: what comes later, and how it ends.

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

# wait_for FILE TEXT - until a file has this content, at most 10 seconds
wait_for() {
	local n
	for ((n = 0; n < 1000; n++)); do
		[ "$(cat "$1")" != "$2" ] || return 0
		read -rt 0.01 <> <(:) || :
	done
	diff -u <(printf '%s\n' "$2") "$1"
}

# begin ARG... - sblog read -F ARG... in the background, its output in "out"
begin() {
	: >out
	sblog read -F "$@" >out 2>err 3>&- &
	reader=$!
}

# asleep - until the reader waits for records
asleep() {
	local n
	for ((n = 0; n < 1000; n++)); do
		if grep -q '/state$' "/proc/$reader/maps" 2>/dev/null &&
			[ "$(cut -d ' ' -f 3 "/proc/$reader/stat")" = S ]; then
			return 0
		fi
		read -rt 0.01 <> <(:) || :
	done
	return 1
}

# ends_with STATUS - the reader in the background ends like this
ends_with() {
	local status=0
	wait "$reader" || status=$?
	[ "$status" -eq "$1" ]
}

@test "follow: records that come later are printed at once" {
	sblog append orders <<<a
	begin --timeout 10s orders
	wait_for out a
	sblog append orders <<<b
	wait_for out $'a\nb'
	printf 'c\nd' | sblog append orders
	wait_for out $'a\nb\nc\nd'
	kill $reader
	ends_with 143
	[ ! -s err ]
}

@test "follow: -o end prints only what is new, -c ends it" {
	sblog append orders <<<old
	begin -o end -c 2 orders
	asleep
	sblog append orders <<<a
	sblog append orders < <(printf 'b\nc\n')
	ends_with 0
	[ "$(cat out)" = $'a\nb' ]
}

@test "follow: --timeout ends it with 124 when nothing comes" {
	sblog append orders <<<a
	run -124 --separate-stderr sblog read -F --timeout 50ms orders
	stdout_is a
	stderr_is ''
	run -124 --separate-stderr sblog read -F -o end --timeout 0s orders
	stdout_is ''
}

@test "follow: --to ends it when that offset is reached" {
	sblog append orders <<<a
	run -0 --separate-stderr sblog read -F --to 1 orders
	stdout_is a
	begin --to 3 orders
	wait_for out a
	printf 'b\nc\nd\n' | sblog append orders
	ends_with 0
	[ "$(cat out)" = $'a\nb\nc' ]
}

@test "follow: an offset that does not exist yet is waited for" {
	sblog append orders <<<a
	begin -o 2 -c 1 orders
	printf 'b\nc\n' | sblog append orders
	ends_with 0
	[ "$(cat out)" = c ]
}

@test "follow: through a seal, without loss or repetition" {
	seq 1 100 | sblog append orders
	begin -c 300 orders
	wait_for out "$(seq 1 100)"
	sblog seal orders
	seq 101 200 | sblog append orders
	wait_for out "$(seq 1 200)"
	sblog seal orders
	seq 201 300 | sblog append orders
	ends_with 0
	seq 1 300 | cmp - out
}

@test "follow: several topics, each record once, in the order they come" {
	sblog append a <<<a1
	sblog append b <<<b1
	begin --timeout 10s -f '%t %v\n' a b
	wait_for out $'a a1\nb b1'
	sblog append b <<<b2
	wait_for out $'a a1\nb b1\nb b2'
	sblog append a <<<a2
	wait_for out $'a a1\nb b1\nb b2\na a2'
	kill $reader
	ends_with 143
}

@test "follow: formats other than lines are flushed at once" {
	sblog create orders
	for format in json frame '%v\n' hex; do
		begin -o end -c 1 -f "$format" --timeout 10s orders
		asleep
		sblog append orders <<<x
		sblog append orders <<<y
		ends_with 0
		[ -s out ]
	done
}

@test "follow: a reader that goes away ends it, also when nothing comes" {
	sblog append orders <<<a
	run --separate-stderr timeout 20 bash -c \
		'sblog read -F orders | head -n 1; exit ${PIPESTATUS[0]}'
	[ "$status" -eq 141 ]
	stdout_is a
	stderr_is ''
}

@test "follow: SIGINT and SIGTERM end it by that signal" {
	sblog append orders <<<a
	for signal in INT TERM HUP; do
		run --separate-stderr timeout --preserve-status -k 10 -s $signal \
			0.3 sblog read -F orders
		[ "$status" -eq $((128 + $(kill -l $signal))) ]
		stdout_is a
		stderr_is ''
	done
}

@test "follow: a topic that is removed meanwhile does not hang" {
	sblog append orders <<<a
	begin --timeout 2s orders
	wait_for out a
	sblog rm orders --yes
	status=0
	wait "$reader" || status=$?
	[ "$status" -ne 0 ]
	[ "$(cat out)" = a ]
}
