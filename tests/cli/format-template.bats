#!/usr/bin/env bats
# format-template.bats - strings with %, both ways.

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

# one - a topic with one record that has everything
one() {
	printf '%s\n' '{"offset":258,"ts":1767225845000001,"user_ts":-1000000,"key":"k","value":"v\u0000w","headers":[{"key":"a","value":"1"},{"key":"b","value":null}]}' |
		sblog append -f json --keep-offsets orders
}

# prints FORMAT TEXT - the record in this format looks like this
prints() {
	sblog read -f "$1" orders >out
	cmp out <(printf '%b' "$2")
}

# refused FORMAT MESSAGE - append does not take this format
refused() {
	run -2 --separate-stderr sblog append -f "$1" orders </dev/null
	stdout_is ''
	stderr_is "sblog-append: $2"
}

@test "template: every directive" {
	one
	prints '%v %V' 'v\0w 3'
	prints '%k %K' 'k 1'
	prints '%t' 'orders'
	prints '%o' '258'
	prints '%d' '1767225845000001'
	prints '%D' '-1000000'
	prints '%H%h{ %k=%v/%V}' '2 a=1/1 b=/-1'
	prints '%[ %]' '258 259' || prints '%[ %]' '0 259'
	prints '%i%%' '0%'
	prints '%v{hex}\n\t\r\0\\\x41' '760077\n\t\r\0\\A'
}

@test "template: every form" {
	one
	prints '%v{hex} %k{hex} %t{hex}' '760077 6b 6f7264657273'
	prints '%v{base64} %k{base64}' 'dgB3 aw=='
	prints '%v{json} %k{json} %h{%v{json}}' '"v\\u0000w" "k" "1"null'
	prints '%o{hex} %V{hex}' '102 3'
	prints '%o{big8}%o{big16}%o{big32}%o{big64}' \
		'\002\001\002\0\0\001\002\0\0\0\0\0\0\001\002'
	prints '%o{little8}%o{little16}%o{little32}%o{little64}' \
		'\002\002\001\002\001\0\0\002\001\0\0\0\0\0\0'
	prints '%d{us} %d{ms} %d{s}' '1767225845000001 1767225845000 1767225845'
	prints '%D{us} %D{ms} %D{s}' '-1000000 -1000 -1'
	prints '%d{rfc3339} %D{rfc3339}' \
		'2026-01-01T00:04:05.000001Z 1969-12-31T23:59:59.000000Z'
	prints '%d{strftime[%Y/%j %H:%M]}' '2026/001 00:04'
}

@test "template: null, empty and absent" {
	printf 'k=\n=x\nplain\n' | sblog append -K = -Z orders
	[ "$(sblog read -f '<%k|%K|%v|%V|%v{json}|%D|%H>' orders)" = \
		'<k|1||-1|null||0><|0|x|1|"x"||0><|-1|plain|5|"plain"||0>' ]
}

@test "template: json of what is not UTF-8 has replacement characters" {
	printf 'a\377b' | sblog append -f whole orders
	prints '%v{json}' '"a\xef\xbf\xbdb"'
}

@test "template: %i counts the output, also over several topics" {
	printf 'a\nb\n' | sblog append orders
	printf 'c\n' | sblog append other
	[ "$(sblog read -o 1 -f '%i%v ' orders)" = '0b ' ]
	[ "$(sblog read -f '%i%v%t ' orders other)" = '0aorders 1borders 2cother ' ]
}

@test "template: what is none is refused with the place" {
	sblog append orders <<<a
	while IFS='|' read -r format message; do
		run -2 --separate-stderr sblog read -f "$format" orders
		stdout_is ''
		stderr_is "sblog-read: byte $message"
	done <<-'END'
		%q|1 of the format: unknown directive
		%|1 of the format: unknown directive
		abc%v{|6 of the format: { without }
		%v{big32}|3 of the format: this form does not suit the directive
		%o{base64}|3 of the format: this form does not suit the directive
		%v{nope}|3 of the format: unknown form in braces
		%h|2 of the format: %h needs {...}
		%h{%v|5 of the format: %h{ without }
		%h{}|4 of the format: %h{} says nothing about a header
		%h{%o}|4 of the format: only %k %K %v %V may stand in %h{}
		%v\q|3 of the format: unknown escape
		%v\x4|3 of the format: unknown escape
		%d{strftime[%Y}|12 of the format: strftime[ without ]}
	END
}

@test "template: input is cut by the text between" {
	printf 'k1 v1\nk2 v 2\n v3\nk4 ' | sblog append -f '%k %v\n' orders
	[ "$(sblog read -f '%k{json}%v{json}\n' orders)" = '"k1""v1"
"k2""v 2"
"""v3"
"k4"""' ]
}

@test "template: a key without a value is a tombstone" {
	printf 'a\nb\n' | sblog append -f '%k\n' orders
	[ "$(sblog read -f '%k%v{json}\n' orders)" = $'anull\nbnull' ]
}

@test "template: lengths before the parts" {
	printf '\0\0\0\003a\nb\0\0\0\0\377\377\377\377\0\0\0\001c' |
		sblog append -f '%V{big32}%v' orders
	[ "$(sblog read -f '%v{json}\n' orders)" = '"a\nb"
""
null
"c"' ]
	printf '3 1 aaa:k\n0 -1 :\n' |
		sblog append -f '%V %K %v:%k\n' text
	[ "$(sblog read -f '%k{json}%v{json}\n' text)" = $'"k""aaa"\nnull""' ]
}

@test "template: encoded parts" {
	printf '6162 YWI= "a\\u0000"\n ""\n' >in
	printf '6162,aw==\n,\n' | sblog append -f '%v{hex},%k{base64}\n' orders
	[ "$(sblog read -f '%k{json}%v{json}\n' orders)" = $'"k""ab"\n""""' ]
	printf '"a\\u0000\\"b"null"c""d"' | sblog append -f '%v{json}%k{json}' json
	[ "$(sblog read -f '%k{json}%v{json}\n' json)" = \
		'null"a\u0000\"b"'$'\n''"d""c"' ]
	printf '3 616263 2 6b6b\n' |
		sblog append -f '%V %v{hex} %K %k{hex}\n' counted
	[ "$(sblog read -f '%k%v' counted)" = kkabc ]
}

@test "template: offsets, times and headers" {
	one
	format='%o{little64} %d{rfc3339} %D{big64}%H %h{%K %k%V{big16}%v,}%V{hex}:%v%k\n'
	sblog read -f "$format" orders >in
	sblog append -f "$format" --keep-offsets copy in
	cmp <(sblog read -f frame orders) <(sblog read -f frame copy)
	printf '1,2\n,3\n' | sblog append -f '%D{s},%v\n' times
	[ "$(sblog read -f '%D %v\n' times)" = $'1000000 2\n 3' ]
	printf '7 5 x\n' | sblog append --keep-offsets -f '%o %d %v\n' kept
	[ "$(sblog read -f '%o %d' kept)" = '7 5' ]
}

@test "template: any bytes with lengths make a round trip" {
	head -c 100000 /dev/urandom | sblog append -K a -H x=y orders
	format='%K{big32}%k%V{little32}%v%H{big8}%h{%K{big8}%k%V{big8}%v}'
	sblog read -f "$format" orders | sblog append -f "$format" copy
	cmp <(sblog read -f "$format" orders) <(sblog read -f "$format" copy)
	sblog read -f "$format" orders | sblog append -f "$format" \
		--batch-bytes 1 --sync=none small
	cmp <(sblog read -f "$format" orders) <(sblog read -f "$format" small)
}

@test "template: what cannot be read back is refused" {
	refused '%v' '%v: nothing says where it ends'
	refused '%k%v\n' '%k: nothing says where it ends'
	refused '%V%v\n' '%V: nothing says where it ends'
	refused '%V5%v\n' '%V: nothing says where it ends'
	refused '%v{hex}f' '%v: nothing says where it ends'
	refused '%v{base64}=' '%v: nothing says where it ends'
	refused '%v %v\n' '%v: twice, or its length behind it'
	refused '%v %V\n' '%V: twice, or its length behind it'
	refused '%h{%k=%v,}%v\n' '%h: needs %H before it to be read'
	refused '%H %h{%k=%v}%v\n' '%v: nothing says where it ends'
	refused '%t %v\n' '%t: for output only'
	refused '%i %v\n' '%i: for output only'
	refused '%[ %v\n' '%[: for output only'
	refused '%d{strftime[%s]} %v\n' '%d: strftime is for output only'
	refused '%o\n' 'neither %v nor %k: there is nothing to append'
	[ ! -e "$SBLOG_DIR" ]
}

@test "template: input that does not fit is refused, records before it count" {
	while IFS='|' read -r format input message; do
		run -2 --separate-stderr sblog append -f "$format" orders \
			< <(printf '%b' "$input")
		stdout_is ''
		[ "${stderr_lines[0]}" = \
			"sblog-append: orders: standard input: record 2, $message" ]
	done <<-'END'
		%v{hex},\n|61,\nxy,\n|byte 4: %v: not hexadecimal
		%v{hex},\n|61,\n6,\n|byte 4: %v: not hexadecimal
		%v{base64},\n|YQ==,\nYQ,\n|byte 6: %v: not base64
		%v{json}|"a"xxxx|byte 3: not JSON: column 4: invalid token near 'xxxx'
		%V %v|1 a-5 |byte 3: %v: its length is out of range
		%V %v|1 ax |byte 3: %V: not a number
		%V %v|1 a 1 |byte 3: %V: not a number
		%V %v|1 a9 abc|byte 3: %v: the input ends within a record
		%V %v\n|1 a\n1 bc\n|byte 4: not the text of the format
		%k %v\n|a b\nc\n|byte 4: %k: the input ends within a record
		%d{rfc3339} %v\n|2026-01-01T00:00:00.000000Z a\nnow b\n|byte 30: %d: not a time as {rfc3339} prints it
		%H %h{%k=%v,}%v\n|0 a\n1 =b,c\n|byte 4: %h: a header without a name
		%D{s} %v\n|1 a\n9223372036854775807 b\n|byte 4: %D: out of range
	END
}

@test "template: --on-error=skip goes on behind the text that ends records" {
	run -7 --separate-stderr sblog append --on-error=skip \
		-f '%v{hex},\n' orders < <(printf '61,\nxx,\n62,\n6,\n63')
	[ "${#stderr_lines[@]}" -eq 2 ]
	[ "$(sblog read orders)" = $'a\nb\nc' ]
}
