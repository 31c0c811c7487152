#!/usr/bin/env bats
# create.bats - sblog-create and sblog-rm: topics come and go whole.

load lib/common

@test "create: makes store and topic, prints nothing" {
	run -0 --separate-stderr sblog create orders
	stdout_is ''
	stderr_is ''
	[ "$(sblog ls)" = orders ]
	[ -z "$(find "$SBLOG_DIR" -name '.new-*')" ]
}

@test "create: settings are kept, bad ones leave nothing behind" {
	sblog create t --config segment.bytes=1M --config sync=none
	[ "$(sblog config t segment.bytes)" = 1M ]
	[ "$(sblog config t sync)" = none ]
	run -2 --separate-stderr sblog create u --config segment.bytes=7
	stdout_is ''
	stderr_is 'sblog-create: u: segment.bytes: bad value "7"'
	run -2 --separate-stderr sblog create u --config nonsense
	[ "$(sblog ls)" = t ]
	[ -z "$(find "$SBLOG_DIR" -name '.new-*')" ]
}

@test "create: -n checks and creates nothing" {
	run -0 --separate-stderr sblog create -n t
	[ ! -e "$SBLOG_DIR" ]
	run -2 --separate-stderr sblog create -n 'a b'
	stderr_is 'sblog-create: a b: bad topic name'
}

@test "create: names with slashes, dots first, control bytes, too long" {
	for name in a/b .. . .hidden -x $'a\nb' "$(printf 'x%.0s' {1..201})" ''; do
		run -2 --separate-stderr sblog create -- "$name"
		stdout_is ''
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
	sblog create "$(printf 'x%.0s' {1..200})"
	[ "$(sblog ls | wc -l)" -eq 1 ]
}

@test "create: control bytes of names are spelt out on standard error" {
	run -2 --separate-stderr sblog create $'a\e[31mb'
	stderr_is 'sblog-create: a\x1b[31mb: bad topic name'
}

@test "rm: needs --yes" {
	sblog append t <<<a
	run -2 --separate-stderr sblog rm t
	stderr_is 'sblog-rm: --yes is needed: records are gone for good'
	[ "$(sblog ls)" = t ]
	run -0 --separate-stderr sblog rm -n t
	stdout_is ''
	[[ $stderr == 'sblog-rm: t: would remove 1 records, '* ]]
	[ "$(sblog ls)" = t ]
}

@test "rm: the topic is gone and can be made anew from offset 0" {
	printf 'a\nb\n' | sblog append t
	run -0 --separate-stderr sblog rm --yes t
	stdout_is ''
	stderr_is ''
	[ -z "$(ls -A "$SBLOG_DIR")" ]
	[ "$(sblog append --ack t <<<c)" = 0 ]
	run -3 --separate-stderr sblog rm --yes u
	stderr_is 'sblog-rm: u: no such topic'
}

@test "rm: files that sblog does not know are kept" {
	sblog append t <<<a
	echo mine >"$SBLOG_DIR/t/notes.txt"
	sblog rm --yes t
	[ "$(cat "$SBLOG_DIR"/lost+found/*notes.txt)" = mine ]
	[ -z "$(sblog ls)" ]
}

@test "rm: a follower of the topic is told" {
	sblog append t <<<a
	sblog read -F --timeout 20s t >out 2>err &
	reader=$!
	until [ -s out ]; do :; done
	sblog rm --yes t
	status=0
	wait $reader || status=$?
	[ "$status" -eq 3 ]
	[ "$(cat out)" = a ]
	[ "$(cat err)" = 'sblog-read: t: no such topic' ]
}
