#!/usr/bin/env bats
# format-json.bats - the format json, both ways.

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

# json TOPIC - its records with append times that are the same every time
json() { sblog read -f json "$1" | sed 's/"ts":[0-9]*/"ts":0/'; }

# refused JSON MESSAGE - append takes nothing of it and says this
refused() {
	run -2 --separate-stderr sblog append -f json orders <<<"$1"
	stdout_is ''
	[ "${stderr_lines[0]}" = \
		"sblog-append: orders: standard input: record 1, byte 0: $2" ]
}

@test "json: all members, null and empty told apart" {
	printf '%s\n' '{"value":"v","key":"k","user_ts":-5}' \
		'{"value":"","key":""}' '{"value":null,"key":null}' '{}' \
		'{"value":"x","headers":[{"key":"a","value":"b"},{"key":"a","value":null}]}' |
		sblog append -f json orders
	run -0 --separate-stderr json orders
	stdout_is '{"topic":"orders","offset":0,"ts":0,"user_ts":-5,"key":"k","value":"v","headers":[]}
{"topic":"orders","offset":1,"ts":0,"key":"","value":"","headers":[]}
{"topic":"orders","offset":2,"ts":0,"key":null,"value":null,"headers":[]}
{"topic":"orders","offset":3,"ts":0,"key":null,"value":null,"headers":[]}
{"topic":"orders","offset":4,"ts":0,"key":null,"value":"x","headers":[{"key":"a","value":"b"},{"key":"a","value":null}]}'
}

@test "json: NUL, control characters, quotes and UTF-8 come back" {
	printf 'a\0b\001\033\t"\\/\177\302\233\303\251\342\202\254\360\237\230\200' \
		>in
	sblog append -f whole orders in
	[ "$(json orders)" = '{"topic":"orders","offset":0,"ts":0,"key":null,"value":"a\u0000b\u0001\u001b\t\"\\/\u007f\u009bé€😀","headers":[]}' ]
	sblog read -f json orders | sblog append -f json copy
	sblog read -f raw copy | cmp - in
	printf '%s\n' '{"value":"\u00e9\u20ac\ud83d\ude00\/\b\f"}' |
		sblog append -f json escapes
	sblog read -f raw escapes | cmp - <(printf 'é€😀/\b\f')
}

@test "json: what is not UTF-8 is base64, in keys and headers too" {
	printf '\377' | sblog append -f whole -k $'\376' -H $'\375=\374' orders
	[ "$(json orders)" = '{"topic":"orders","offset":0,"ts":0,"key_b64":"/g==","value_b64":"/w==","headers":[{"key_b64":"/Q==","value_b64":"/A=="}]}' ]
	sblog read -f json orders | sblog append -f json copy
	[ "$(json copy | sed s/copy/orders/)" = "$(json orders)" ]
}

@test "json: sequences that are almost UTF-8 are not" {
	for bytes in '\300\200' '\355\240\200' '\364\220\200\200' '\342\202' \
		'\200' '\370\210\200\200\200' '\340\200\200'; do
		# shellcheck disable=SC2059
		printf "$bytes" | sblog append -f whole orders
	done
	[ "$(sblog read -f json orders | grep -c '"value_b64"')" -eq 7 ]
	sblog read -f json orders | sblog append -f json copy
	cmp <(sblog read -f raw orders) <(sblog read -f raw copy)
}

@test "json: a round trip with offsets and times loses nothing" {
	head -c 100000 /dev/urandom | sblog append -K a -H h=1 orders
	seq 1 1000 | sblog append -K 1 --timestamp 2026-01-01 orders
	printf 'k=\n=\n' | sblog append -K = -Z orders
	sblog read -f json orders >one
	sblog append -f json --keep-offsets orders2 one
	sblog read -f json orders2 | sed 's/"orders2"/"orders"/' | cmp - one
	cmp <(sblog read -f frame orders) <(sblog read -f frame orders2)
}

@test "json: what is not JSON is refused with its column" {
	run -2 --separate-stderr sblog append -f json orders <<<'{"value":"a"'
	[[ $stderr == *'record 1, byte 0: not JSON: column 1'?': '* ]]
	for bad in '{' 'x' '"a"' '1' '{"value":"a"} x' "{'value':1}" \
		'{"value":"\ud800"}' '{"value":"\x"}' '{"value":01}' \
		'{"value":"a",}' ''; do
		run -2 --separate-stderr sblog append -f json orders <<<"$bad"
		stdout_is ''
		[[ $stderr == *'record 1, byte 0: not JSON: '* ]]
	done
	run -2 --separate-stderr sblog append -f json orders \
		< <(printf '{"value":"\377"}')
	[[ $stderr == *'record 1, byte 0: not JSON: '* ]]
	[ "$(sblog read orders)" = '' ]
}

@test "json: members of the wrong type, unknown or twice are refused" {
	refused '[]' 'not a JSON object'
	refused '{"value":1}' 'member "value": not a string'
	refused '{"valeu":"x"}' 'member "valeu": unknown'
	refused '{"key":{}}' 'member "key": not a string'
	refused '{"value":"a","value_b64":"YQ=="}' \
		'member "value": also given as base64'
	refused '{"value_b64":"YQ="}' 'member "value_b64": not base64'
	refused '{"value_b64":"YR=="}' 'member "value_b64": not base64'
	refused '{"value_b64":null}' 'member "value_b64": not a string'
	refused '{"user_ts":"x"}' 'member "user_ts": not an integer'
	refused '{"user_ts":1.5}' 'member "user_ts": not an integer'
	refused '{"offset":-1}' 'member "offset": out of range'
	refused '{"headers":{}}' 'member "headers": not an array'
	refused '{"headers":[1]}' 'member "headers": holds a non-object'
	refused '{"headers":[{"key":"a"}]}' \
		'member "headers": an object of it is not one key and one value'
	refused '{"headers":[{"key":"","value":"x"}]}' \
		'member "headers": a header without a name'
	run -2 --separate-stderr sblog append -f json orders \
		<<<'{"key":"a","key":"b"}'
	[[ $stderr == *'not JSON: '*'duplicate'* ]]
	[ "$(sblog read orders)" = '' ]
}

@test "json: a line that would need much memory is refused" {
	[[ $SBLOG_BUILD != *address* ]] || skip 'a sanitizer takes all of the address space'
	{
		printf '{"value":"a","headers":['
		yes '1,' | head -n 3000000 | tr -d '\n'
		printf '1]}\n'
	} >in
	(
		ulimit -v 300000
		run -2 --separate-stderr sblog append -f json orders in
		stdout_is ''
		[[ $stderr == *'record 1, byte 0: '* ]]
	)
	{
		yes '[' | head -n 3000000 | tr -d '\n'
		echo
	} >deep
	run -2 --separate-stderr sblog append -f json orders deep
	stdout_is ''
	[[ $stderr == *'record 1, byte 0: not JSON: '* ]]
}

@test "json: a last line without newline is a record" {
	printf '{"value":"a"}\n{"value":"b"}' | sblog append -f json orders
	[ "$(sblog read orders)" = $'a\nb' ]
}
