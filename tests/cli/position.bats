#!/usr/bin/env bats
# position.bats - where -o and --to point to: sblog-position(7).

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

# ten - a topic with the records 0 to 9
ten() {
	seq 0 9 | sblog append orders
}

# timed - a topic with append times 1000001 s to 1000004 s, two at the third
timed() {
	local n=0
	for ts in 1000001 1000002 1000003 1000003 1000004; do
		printf '{"offset":%d,"ts":%d000000,"value":"%d"}\n' $n $ts $n
		n=$((n + 1))
	done | sblog append -f json --keep-offsets timed
}

# from POSITION / upto POSITION - what there is, in one line
from() { sblog read -o "$1" "${2-orders}" | tr -d '\n'; }
upto() { sblog read --to "$1" "${2-orders}" | tr -d '\n'; }

@test "position: start and end" {
	ten
	[ "$(from start)" = 0123456789 ]
	[ "$(from end)" = '' ]
	[ "$(upto start)" = '' ]
	[ "$(upto end)" = 0123456789 ]
}

@test "position: N is an offset, +N counts from the start, -N from the end" {
	ten
	[ "$(from 0)" = 0123456789 ]
	[ "$(from 7)" = 789 ]
	[ "$(from 10)" = '' ]
	[ "$(from +8)" = 89 ]
	[ "$(from -3)" = 789 ]
	[ "$(from -0)" = '' ]
	[ "$(upto 3)" = 012 ]
	[ "$(upto +3)" = 012 ]
	[ "$(upto -3)" = 0123456 ]
}

@test "position: more than there are before the end is the start" {
	ten
	[ "$(from -11)" = 0123456789 ]
	[ "$(from -18446744073709551615)" = 0123456789 ]
	[ "$(upto -11)" = '' ]
}

@test "position: past the end is status 3 for -o, and the end for --to" {
	ten
	for position in 11 +11 18446744073709551614; do
		run -3 --separate-stderr sblog read -o $position orders
		stdout_is ''
		[[ $stderr == 'sblog-read: orders: '* ]]
	done
	[ "$(upto 11)" = 0123456789 ]
	[ "$(upto +1000)" = 0123456789 ]
}

@test "position: --to is exclusive, and before -o gives nothing" {
	ten
	[ "$(sblog read -o 3 --to 5 orders | tr -d '\n')" = 34 ]
	[ "$(sblog read -o 5 --to 5 orders)" = '' ]
	[ "$(sblog read -o 5 --to 3 orders)" = '' ]
	[ "$(sblog read -o -3 --to -1 orders | tr -d '\n')" = 78 ]
}

@test "position: @TIME is the first record appended then or later" {
	timed
	[ "$(from @1000000 timed)" = 01234 ]
	[ "$(from @1000003 timed)" = 234 ]
	[ "$(from @1970-01-12T13:46:43Z timed)" = 234 ]
	[ "$(from @1970-01-12T13:46:43.000001Z timed)" = 4 ]
	[ "$(from @1970-01-12T14:46:43+01:00 timed)" = 234 ]
	[ "$(from @1970-01-12 timed)" = 01234 ]
	[ "$(from @1970-01-13 timed)" = '' ]
	[ "$(upto @1000003 timed)" = 01 ]
	[ "$(sblog read -o @1000002 --to @1000004 timed | tr -d '\n')" = 123 ]
}

@test "position: @-DUR and @now" {
	ten
	[ "$(from @-1h)" = 0123456789 ]
	[ "$(from @now)" = '' ]
	[ "$(upto @now)" = 0123456789 ]
}

@test "position: offsets in a hole mean the record behind it" {
	printf '%s\n' '{"offset":5,"ts":1,"value":"a"}' \
		'{"offset":9,"ts":2,"value":"b"}' |
		sblog append -f json --keep-offsets orders
	[ "$(from 0)" = ab ]
	[ "$(from 5)" = ab ]
	[ "$(from 6)" = b ]
	[ "$(from 9)" = b ]
	[ "$(from 10)" = '' ]
	[ "$(upto 9)" = a ]
}

@test "position: what is none is status 2" {
	ten
	for position in nowhere '' x1 1x -x + - @ @x @2026-13-01 1.5 0x1 \
		18446744073709551616; do
		run -2 --separate-stderr sblog read "--offset=$position" orders
		stdout_is ''
		[ "${#stderr_lines[@]}" -eq 1 ]
		run -2 --separate-stderr sblog read "--to=$position" orders
		stdout_is ''
	done
}
