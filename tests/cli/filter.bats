#!/usr/bin/env bats
# filter.bats - sblog read --header: which records are printed.

load lib/common

setup_topic() {
	printf '%s\n' '{"value":"a","headers":[{"key":"h","value":"1"}]}' \
		'{"value":"b"}' \
		'{"value":"c","headers":[{"key":"h","value":"1"},{"key":"g","value":""}]}' \
		'{"value":"d","headers":[{"key":"h","value":null}]}' \
		'{"value":"e","headers":[{"key":"h","value":"11"}]}' |
		sblog append -f json t
}

@test "read: --header prints the records that have it, and only those" {
	setup_topic
	run -0 --separate-stderr sblog read --header h=1 t
	stdout_is $'a\nc'
	stderr_is ''
	run -0 --separate-stderr sblog read --header h= t
	stdout_is ''
}

@test "read: --header more than once asks for all of them" {
	setup_topic
	run -0 --separate-stderr sblog read --header h=1 --header g= t
	stdout_is c
}

@test "read: -c counts the records that are printed" {
	setup_topic
	run -0 --separate-stderr sblog read --header h=1 -c 2 t
	stdout_is $'a\nc'
	run -0 --separate-stderr sblog read -f %i%v, --header h=1 t
	stdout_is '0a,1c,'
}

@test "read: --header without = is misuse" {
	run -2 --separate-stderr sblog read --header h t
	stdout_is ''
	stderr_is 'sblog-read: --header: not NAME=VALUE: h'
}
