#!/usr/bin/env bats
# append.bats - sblog-append: what reaches the log, the streams and $?.

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

# records TOPIC - offset, key and value of each, as JSON
records() {
	sblog read -f '%o %k{json} %v{json}\n' "$1"
}

@test "append: lines become records, and nothing is printed" {
	run -0 --separate-stderr sblog append orders < <(printf 'a\nb\n')
	stdout_is ''
	stderr_is ''
	[ "$(records orders)" = $'0 null "a"\n1 null "b"' ]
}

@test "append: a last line without newline and an empty line are records" {
	printf 'a\n\nb' | sblog append orders
	[ "$(records orders)" = $'0 null "a"\n1 null ""\n2 null "b"' ]
}

@test "append: empty input creates the topic and appends nothing" {
	run -0 --separate-stderr sblog append orders </dev/null
	stdout_is ''
	stderr_is ''
	run -0 --separate-stderr sblog read orders
	stdout_is ''
}

@test "append: files in order, - is standard input, each ends its last record" {
	printf '1\n2' >one
	printf '4\n' >two
	printf '3' | sblog append orders one - two
	[ "$(sblog read orders)" = $'1\n2\n3\n4' ]
}

@test "append: --ack prints every offset, and only offsets" {
	run -0 --separate-stderr sblog append --ack orders < <(printf 'a\nb\n')
	stdout_is $'0\n1'
	stderr_is ''
	run -0 --separate-stderr sblog append --ack orders < <(printf 'c\n')
	stdout_is '2'
}

@test "append: --ack=FORMAT prints what it says of each record" {
	run -0 --separate-stderr sblog append --ack='%t/%o %i %%\n' orders \
		< <(printf 'a\nb\n')
	stdout_is $'orders/0 0 %\norders/1 1 %'
	stderr_is ''
	sblog append --ack='%d\n' orders <<<c >ack
	sblog read -o 2 -f '%d\n' orders | cmp - ack
}

@test "append: --ack=FORMAT with what only a record knows is misuse" {
	run -2 --separate-stderr sblog append --ack=%v orders </dev/null
	stdout_is ''
	stderr_is 'sblog-append: --ack: %v is not known there'
	[ ! -e "$SBLOG_DIR" ]
}

@test "append: offsets of a long input are all acknowledged, in order" {
	seq 0 199999 >in
	sblog append --ack orders in >out
	cmp in out
	cat in | sblog append --ack --sync=none orders >out
	seq 200000 399999 | cmp - out
}

@test "append: -k gives every record a key, -K takes it from the line" {
	printf 'a\n' | sblog append -k 'the key' orders
	printf 'k=v=w\nnone\n=\n' | sblog append -K = orders
	[ "$(records orders)" = '0 "the key" "a"
1 "k" "v=w"
2 null "none"
3 "" ""' ]
}

@test "append: -K may have several bytes and escapes" {
	printf 'k\t:v\n' | sblog append -K '\t:' orders
	[ "$(records orders)" = '0 "k" "v"' ]
}

@test "append: -Z makes an empty value null, else it is empty" {
	printf 'k=\n' | sblog append -K = orders
	printf 'k=\n' | sblog append -K = -Z orders
	[ "$(records orders)" = $'0 "k" ""\n1 "k" null' ]
}

@test "append: -H adds headers in order, --timestamp a user time" {
	sblog append -H a=1 -H b= -H a=x=y --timestamp 2026-01-02T03:04:05Z \
		orders <<<v
	[ "$(sblog read -f '%D{rfc3339} %H%h{ %k:%v}\n' orders)" = \
		'2026-01-02T03:04:05.000000Z 3 a:1 b: a:x=y' ]
	run -2 --separate-stderr sblog append -H nothing orders <<<v
	stderr_is 'sblog-append: -H: not NAME=VALUE: nothing'
	run -2 --separate-stderr sblog append -H =v orders <<<v
	stderr_is 'sblog-append: -H: a header without a name'
}

@test "append: bytes come back as they went in, also at EOF without newline" {
	head -c 65536 /dev/urandom >in
	sblog append -f whole blobs in
	sblog read -f raw blobs >out
	cmp in out
	printf '\n' | cat in - | sblog append lines
	sblog read lines | cmp - <(cat in; echo)
}

@test "append: -f whole makes one record of each input, also of none" {
	printf 'a\nb\n' >in
	sblog append -f whole blobs in - in </dev/null
	[ "$(sblog read -f '%o %v{json}\n' blobs)" = '0 "a\nb\n"
1 ""
2 "a\nb\n"' ]
}

@test "append: --atomic makes one batch of all inputs, or nothing" {
	printf 'a\nb' >one
	printf 'c\n' >two
	run -0 --separate-stderr sblog append --atomic --ack orders one two
	stdout_is $'0\n1\n2'
	[ "$(sblog read orders)" = $'a\nb\nc' ]
	before=$(tree_sum "$SBLOG_DIR")
	printf '{"value":"d"}\nnonsense\n' >bad
	run -2 --separate-stderr sblog append --atomic -f json orders bad
	stdout_is ''
	[[ $stderr == 'sblog-append: orders: bad: record 2, byte 14: not JSON'* ]]
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "append: --atomic is one batch whatever --sync says" {
	for sync in batch record none; do
		run -0 --separate-stderr sblog append --atomic --ack --sync=$sync "$sync" <<<$'a\nb\nc'
		stdout_is $'0\n1\n2'
		[ "$(sblog read "$sync")" = $'a\nb\nc' ]
	done
}

@test "append: --atomic with too many records appends nothing" {
	sblog append orders <<<kept
	before=$(tree_sum "$SBLOG_DIR")
	yes '' | head -n 1048577 >in
	run -1 --separate-stderr sblog append --atomic orders in
	stdout_is ''
	[[ $stderr == *'in: more than 1048576 records in one batch'* ]]
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
	head -n 1048576 in | sblog append --atomic orders
	[ "$(sblog read -o end orders; sblog read -f '%o\n' -o -1 orders)" = \
		1048576 ]
}

@test "append: --sync=record makes a batch of each record" {
	printf 'a\nb\nc\n' | sblog append --sync=record --ack orders >out
	[ "$(cat out)" = $'0\n1\n2' ]
	sblog read -f '%d\n' orders | sort -u >seen
	[ "$(wc -l <seen)" -gt 1 ]
	[ "$(sblog read orders)" = $'a\nb\nc' ]
}

@test "append: --batch-bytes and --batch-time change nothing of what is stored" {
	seq 1 20000 >in
	sblog append --batch-bytes 100 orders in
	sblog append --batch-bytes 1K --batch-time 10ms orders <in
	sblog read orders | cmp - <(cat in in)
	run -2 --separate-stderr sblog append --batch-bytes 0 orders <in
	stderr_is 'sblog-append: --batch-bytes: 1 to 1G'
}

@test "append: -z lz4 stores less and gives the same bytes" {
	seq 1 100000 >in
	sblog append plain in
	sblog append -z lz4 packed in
	sblog read packed | cmp - in
	[ "$(du -sk "$SBLOG_DIR/packed" | cut -f1)" -lt \
		"$(du -sk "$SBLOG_DIR/plain" | cut -f1)" ]
}

@test "append: records with keys of a long input are all there" {
	seq 1 100000 | sed 's/.*/key&=value&/' >in
	sblog append -K = orders in
	sblog read -K = orders | cmp - in
	sblog read -f '%k\n' orders | cmp - <(cut -d= -f1 in)
}

@test "append: --no-create fails without a topic and leaves nothing behind" {
	run -3 --separate-stderr sblog append --no-create orders <<<a
	stdout_is ''
	[[ $stderr == 'sblog-append: orders: '* ]]
	[ ! -e "$SBLOG_DIR" ]
	sblog append other <<<a
	run -3 --separate-stderr sblog append --no-create orders <<<a
	stdout_is ''
	[ ! -e "$SBLOG_DIR/orders" ]
	run -0 --separate-stderr sblog append --no-create other <<<b
	[ "$(sblog read other)" = $'a\nb' ]
}

@test "append: -n reads and checks, and changes nothing" {
	run -0 --separate-stderr sblog append -n --json orders \
		< <(printf 'a\nb\n')
	stdout_is '{"schema":"sblog.append/1","topic":"orders","status":0,"dry_run":true,"records":2,"acked":0,"first":null,"next":null,"replayed":false,"actual":null,"skipped":0,"bytes":4,"errors":[]}'
	stderr_is ''
	[ ! -e "$SBLOG_DIR" ]
	run -2 --separate-stderr sblog append -n -f json orders <<<'{'
	stdout_is ''
	[[ $stderr == *'record 1, byte 0: not JSON'* ]]
	run -3 --separate-stderr sblog append -n --no-create orders <<<a
	stdout_is ''
}

@test "append: --json reports offsets, and errors as well" {
	run -0 --separate-stderr sblog append --json orders < <(printf 'a\nb')
	stdout_is '{"schema":"sblog.append/1","topic":"orders","status":0,"dry_run":false,"records":2,"acked":2,"first":0,"next":2,"replayed":false,"actual":null,"skipped":0,"bytes":3,"errors":[]}'
	stderr_is ''
	run -2 --separate-stderr sblog append --json -f json orders < <(
		printf '{"value":"c"}\n{"value":1}\n')
	stdout_is '{"schema":"sblog.append/1","topic":"orders","status":2,"dry_run":false,"records":1,"acked":1,"first":2,"next":3,"replayed":false,"actual":null,"skipped":0,"bytes":14,"errors":[{"input":"standard input","record":2,"byte":14,"message":"member \"value\": not a string"}]}'
	stderr_is 'sblog-append: orders: standard input: record 2, byte 14: member "value": not a string
sblog-append: orders: acked=1 next=3'
}

@test "append: at bad JSON, records before it are acknowledged and counted" {
	printf '{"value":"a"}\n{"value":"b"}\n{"value":\n{"value":"d"}\n' >in
	run -2 --separate-stderr sblog append --ack -f json orders in
	stdout_is $'0\n1'
	[[ ${stderr_lines[0]} == \
		'sblog-append: orders: in: record 3, byte 28: not JSON'* ]]
	[ "${stderr_lines[1]}" = 'sblog-append: orders: acked=2 next=2' ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[ "$(sblog read orders)" = $'a\nb' ]
}

@test "append: --on-error=skip goes on behind what is no record, status 7" {
	printf '{"value":"a"}\n[]\n{"value":"c"}\nx\n' >in
	run -7 --separate-stderr sblog append --on-error=skip -f json orders in
	stdout_is ''
	[ "${stderr_lines[0]}" = \
		'sblog-append: orders: in: record 2, byte 14: not a JSON object' ]
	[[ ${stderr_lines[1]} == 'sblog-append: orders: in: record 4, byte 31: not JSON'* ]]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[ "$(sblog read orders)" = $'a\nc' ]
}

@test "append: a record over max.message.bytes stops it, those before count" {
	sblog create orders --config max.message.bytes=8
	printf 'a\n12345678\n123456789\nb\n' >in
	run -1 --separate-stderr sblog append --ack orders in
	stdout_is $'0\n1'
	stderr_is 'sblog-append: orders: in: record 3, byte 11: over max.message.bytes (8)
sblog-append: orders: acked=2 next=2'
	[ "$(sblog read orders)" = $'a\n12345678' ]
	run -1 --separate-stderr sblog append -K = orders \
		< <(printf 'c\nk=123456789\nd\n')
	stderr_is 'sblog-append: orders: standard input: record 2: over max.message.bytes (8)
sblog-append: orders: acked=1 next=3'
}

@test "append: --on-error=skip steps over records that are too big" {
	sblog create orders --config max.message.bytes=8
	printf '123456789\na\n123456789\n123456789\nb\n123456789' >in
	run -7 --separate-stderr sblog append --on-error=skip orders in
	stdout_is ''
	[ "${#stderr_lines[@]}" -eq 4 ]
	[ "${stderr_lines[3]}" = 'sblog-append: orders: in: record 6, byte 34: over max.message.bytes (8)' ]
	run -7 --separate-stderr sblog append --on-error=skip -k x orders in
	[ "${#stderr_lines[@]}" -eq 4 ]
	[ "$(sblog read orders)" = $'a\nb\na\nb' ]
}

@test "append: a line without end needs no more memory than the limit allows" {
	[[ $SBLOG_BUILD != *address* ]] || skip 'a sanitizer takes all of the address space'
	sblog create orders --config max.message.bytes=100K
	for how in '' '-k x' '-f json' '-f whole'; do
		# shellcheck disable=SC2086
		run -1 --separate-stderr bash -c \
			'ulimit -v 200000; sblog append '"$how"' orders' \
			< <(head -c 300000000 /dev/zero | tr '\0' x)
		stdout_is ''
		[[ $stderr == *'record 1, byte 0: over max.message.bytes (100K)'* ||
			$stderr == *'record 1, byte 0: over max.message.bytes (102400)'* ]]
	done
	[ "$(sblog read orders)" = '' ]
}

@test "append: a huge line is skipped in pieces, the next is a record" {
	sblog create orders --config max.message.bytes=100K
	for how in '' '-k x'; do
		{
			echo before
			head -c 30000000 /dev/zero | tr '\0' x
			echo
			echo after
		} >in
		# shellcheck disable=SC2086
		run -7 --separate-stderr sblog append --on-error=skip $how \
			orders in
		[ "${#stderr_lines[@]}" -eq 1 ]
	done
	[ "$(sblog read orders)" = $'before\nafter\nbefore\nafter' ]
}

@test "append: a long line within the limit is a record, however it comes" {
	head -c 5000000 /dev/zero | tr '\0' x >in
	sblog append orders in
	cat in | sblog append orders
	sblog append -k x orders in
	sblog read orders | cmp - <(for _ in 1 2 3; do cat in; echo; done)
}

@test "append: binary garbage is stored as it is" {
	head -c 300000 /dev/urandom >in
	sblog append orders in
	sblog read orders | head -c 300000 | cmp - in
	for format in json frame; do
		run ! --separate-stderr sblog append -f $format bad in
		stdout_is ''
		[[ $stderr == *'record 1, byte 0: '* ]]
	done
	run -0 --separate-stderr sblog read bad
	stdout_is ''
}

@test "append: a topic name that is none changes nothing" {
	for name in a/b .. . .hidden $'a\nb' $'a\033[31m' '' \
		"$(printf 'x%.0s' {1..201})"; do
		run -2 --separate-stderr sblog append "$name" <<<v
		stdout_is ''
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == 'sblog-append: not a topic name:'* ]]
		[[ $stderr != *$'\033'* ]]
	done
	[ ! -e "$SBLOG_DIR" ]
}

@test "append: misuse is one line and status 2" {
	while read -r args; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr sblog append $args </dev/null
		stdout_is ''
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == 'sblog-append: '* ]]
	done <<-'END'

		--nonsense orders
		-f nonsense orders
		-f hex orders
		-f raw orders
		-f %v orders
		-d 123456789 orders
		-d \q orders
		-f json -d x orders
		-f json -K x orders
		-k a -K b orders
		--sync=never orders
		-z zstd orders
		--keep-offsets orders
		--ack --json orders
		--on-error=panic orders
		--timestamp yesterday orders
		--batch-time 1x orders
	END
	[ ! -e "$SBLOG_DIR" ]
}

@test "append: an input that cannot be read is status 1, the rest counts" {
	echo a >one
	run -1 --separate-stderr sblog append orders one missing
	stdout_is ''
	stderr_is 'sblog-append: orders: missing: No such file or directory
sblog-append: orders: acked=1 next=1'
	mkdir dir
	run -1 --separate-stderr sblog append orders dir
	stderr_is 'sblog-append: orders: dir: Is a directory
sblog-append: orders: acked=0 next=1'
	[ "$(sblog read orders)" = a ]
}

@test "append: closed standard input is an error, not an empty one" {
	run -1 --separate-stderr bash -c 'sblog append orders <&-'
	stdout_is ''
	[[ $stderr == 'sblog-append: orders: standard input: '* ]]
}

@test "append: acknowledgements that cannot be written are status 1" {
	run -1 --separate-stderr bash -c 'sblog append --ack orders <<<a >/dev/full'
	stdout_is ''
	[[ $stderr == *'cannot write to standard output: No space left on device'* ]]
	run -1 --separate-stderr bash -c 'sblog append --ack orders <<<b >&-'
	[[ $stderr == *'cannot write to standard output: '* ]]
	run -0 --separate-stderr bash -c 'sblog append orders <<<c >&- 2>&-'
	[ "$(sblog read -o -1 orders)" = c ]
}

@test "append: a reader of acknowledgements that goes away ends it quietly" {
	run --separate-stderr bash -c \
		'seq 1 2000000 | sblog append --ack --sync=none orders | head -n 1
		exit ${PIPESTATUS[1]}'
	[ "$status" -eq 141 ]
	stdout_is 0
	stderr_is ''
}

@test "append: --keep-offsets keeps holes, and refuses what does not go up" {
	printf '%s\n' '{"offset":5,"ts":100,"value":"a"}' \
		'{"offset":9,"ts":100,"value":"b"}' >in
	run -0 --separate-stderr sblog append -f json --keep-offsets --ack \
		orders in
	stdout_is $'5\n9'
	[ "$(sblog read -f '%o %d %v\n' orders)" = $'5 100 a\n9 100 b' ]
	sblog append orders <<<c
	[ "$(sblog read -o -1 -f '%o\n' orders)" = 10 ]
	before=$(tree_sum "$SBLOG_DIR")
	run -4 --separate-stderr sblog append -f json --keep-offsets orders in
	stdout_is ''
	[[ $stderr == *'acked=0 next=11' ]]
	[ "$(sblog read -f '%o\n' orders)" = $'5\n9\n10' ]
	run -2 --separate-stderr sblog append -f json --keep-offsets orders \
		<<<'{"value":"x"}'
	[[ $stderr == *'record 1, byte 0: it carries no offset'* ]]
}

@test "append: a slow pipe is appended as it comes, not at its end" {
	sblog create orders
	mkfifo pipe
	sblog append orders <pipe 3>&- &
	exec 7>pipe
	echo first >&7
	run -0 --separate-stderr sblog read -F -c 1 --timeout 10s orders
	stdout_is first
	echo second >&7
	run -0 --separate-stderr sblog read -F -o 1 -c 1 --timeout 10s orders
	stdout_is second
	exec 7>&-
	wait
}

@test "append: SIGTERM ends it by that signal, what came before is there" {
	sblog create orders
	mkfifo pipe
	sblog append orders <pipe 3>&- &
	pid=$!
	exec 7>pipe
	echo first >&7
	sblog read -F -c 1 --timeout 10s orders
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 143 ]
	exec 7>&-
	[ "$(sblog read orders)" = first ]
}

@test "append: memory stays below 16 MiB for a long input" {
	[[ $SBLOG_BUILD != *address* ]] || skip 'a sanitizer takes all of the address space'
	yes 0123456789012345678901234567890123456789 | head -c 100000000 >in
	(ulimit -v 32768 && sblog append --sync=none orders in)
	(ulimit -v 32768 && sblog append --sync=none orders <in)
	[ "$(sblog read orders | wc -c)" -ge 200000000 ]
}

@test "append: --progress=always shows progress, but not on standard output" {
	run -0 --separate-stderr sblog append --progress=always orders <<<a
	stdout_is ''
}

@test "append: a read-only store is status 1 and unchanged" {
	[ "$(id -u)" -ne 0 ] || skip 'root may write everywhere'
	sblog append orders <<<a
	chmod -R a-w "$SBLOG_DIR"
	run -1 --separate-stderr sblog append orders <<<b
	chmod -R u+w "$SBLOG_DIR"
	[ "$(sblog read orders)" = a ]
}

@test "append: a store that is a file is status 1" {
	echo data >file
	run -1 --separate-stderr sblog -C file append orders <<<a
	stdout_is ''
	[ "${#stderr_lines[@]}" -eq 1 ]
	[ "$(cat file)" = data ]
}
