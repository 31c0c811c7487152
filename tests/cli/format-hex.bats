#!/usr/bin/env bats
# format-hex.bats - the format hex, for people.

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

@test "hex: everything of a record, safe to look at" {
	printf '%s\n' '{"offset":3,"ts":1767225845000001,"user_ts":0,"key":"k","value":"0123456789abcdef\u0000\u001b[31m","headers":[{"key":"a\u001b","value":null}]}' \
		'{"offset":4,"ts":1767225845000001,"value":null}' \
		'{"offset":5,"ts":1767225845000001,"value":""}' |
		sblog append -f json --keep-offsets orders
	run -0 --separate-stderr sblog read -f hex orders
	stdout_is 'orders offset 3 appended 2026-01-01T00:04:05.000001Z user time 1970-01-01T00:00:00.000000Z
 key 1 byte
  00000000  6b                                                |k|
 header a\x1b: null
 value 22 bytes
  00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|
  00000010  00 1b 5b 33 31 6d                                 |..[31m|
orders offset 4 appended 2026-01-01T00:04:05.000001Z
 value null
orders offset 5 appended 2026-01-01T00:04:05.000001Z
 value 0 bytes'
	stderr_is ''
}

@test "hex: is not for input" {
	run -2 --separate-stderr sblog append -f hex orders </dev/null
	stderr_is 'sblog-append: format hex is for read only'
}
