#!/usr/bin/env bats
# front.bats - sblog: finding commands, aliases, help.

load lib/common

@test "front: help lists the commands, on standard output" {
	run -0 --separate-stderr sblog --help
	[[ $output == *'append'*'verify'* ]]
	stderr_is ''
	run -0 --separate-stderr sblog help
	[[ $output == 'usage: sblog'* ]]
	run -0 --separate-stderr sblog help seal
	[[ $output == 'usage: sblog-seal'* ]]
	stderr_is ''
}

@test "front: --version of the front and of every command" {
	run -0 --separate-stderr sblog --version
	stdout_is 'sblog 1.0.0'
	for c in append read create ls stat config seal index verify rm; do
		run -0 --separate-stderr sblog "$c" --version
		stdout_is "sblog-$c 1.0.0"
		stderr_is ''
	done
}

@test "front: no command, an unknown one, one that is nearly right" {
	run -2 --separate-stderr sblog
	stdout_is ''
	stderr_is 'sblog: no command given (try --help)'
	run -2 --separate-stderr sblog xyzzy
	stderr_is 'sblog: xyzzy: no such command (try sblog help)'
	run -2 --separate-stderr sblog aapend
	stderr_is 'sblog: aapend: no such command; did you mean append?'
	run -2 --separate-stderr sblog ../sblog-ls
	stdout_is ''
}

@test "front: -C before and behind the command, and the environment" {
	sblog -C one append t <<<a
	sblog append -C one t <<<b
	[ "$(SBLOG_DIR=one sblog read t)" = $'a\nb' ]
	[ "$(SBLOG_DIR=nowhere sblog -C one ls)" = t ]
	unset SBLOG_DIR
	XDG_DATA_HOME=$PWD/data sblog append t <<<c
	[ -f data/sblog/t/manifest ]
	env -u XDG_DATA_HOME HOME="$PWD/home" sblog append t <<<c
	[ -f home/.local/share/sblog/t/manifest ]
}

@test "front: cat is read, tail is the last ten, tail -n N the last N" {
	seq 20 | sblog append t
	run -0 --separate-stderr sblog cat -o 18 t
	stdout_is $'19\n20'
	run -0 --separate-stderr sblog tail t
	stdout_is "$(seq 11 20)"
	run -0 --separate-stderr sblog tail -n 3 t
	stdout_is $'18\n19\n20'
	run -0 --separate-stderr sblog tail -n2 t
	stdout_is $'19\n20'
	run -2 --separate-stderr sblog tail -n x t
	stdout_is ''
}

@test "front: wait returns with the next record, printing nothing" {
	sblog append t <<<a
	sblog wait --timeout 10s t >out &
	waiter=$!
	until grep -q futex "/proc/$waiter/wchan" 2>/dev/null || ! kill -0 $waiter 2>/dev/null; do
		tries=$((${tries:-0} + 1))
		[ "$tries" -lt 2000 ] || break
	done
	sblog append t <<<b
	wait $waiter
	[ ! -s out ]
	run -124 --separate-stderr sblog wait --timeout 30ms t
	stdout_is ''
}

@test "front: each command works when called directly" {
	sblog-append t <<<a
	run -0 --separate-stderr sblog-read t
	stdout_is a
	run -0 --separate-stderr sblog-ls
	stdout_is t
}

@test "front: options may follow operands, -- ends them" {
	sblog append t <<<a
	run -0 --separate-stderr sblog read t -o 0
	stdout_is a
	run -2 --separate-stderr sblog read -- t -o
	[[ $stderr == *'-o'* ]]
}

@test "front: --help of each command is status 0 and names every option" {
	for c in append read create ls stat config seal index verify rm; do
		run -0 --separate-stderr sblog "$c" --help
		[[ $output == "usage: sblog-$c"* ]]
		stderr_is ''
		sblog "$c" --help-json | jq -re '.options[].long' | while read -r name; do
			grep -q -- "--$name" <<<"$output"
		done
	done
}

@test "front: beginnings of option names are not options" {
	sblog append t <<<a
	run -2 --separate-stderr sblog read --cat k t
	stdout_is ''
	stderr_is 'sblog-read: unknown option --cat (try --help)'
	run -2 --separate-stderr sblog read --time=1s t
	stderr_is 'sblog-read: unknown option --time=1s (try --help)'
}
