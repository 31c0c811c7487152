#!/usr/bin/env bats
# read.bats - sblog-read: what is printed, where it stops, and $?.

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

# three - a topic of three batches with two records each: a1 a2 b1 b2 c1 c2
three() {
	for batch in a b c; do
		printf '%s1\n%s2\n' $batch $batch | sblog append orders
	done
}

# damage FILE AT - change one byte of a file
damage() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# batch_pos TOPIC OFFSET - where in the WAL the values of a record are
value_pos() {
	grep -abo "$2\$" "$SBLOG_DIR/$1"/*.wal | head -n 1 | cut -d: -f1
}

@test "read: all records, in order" {
	three
	run -0 --separate-stderr sblog read orders
	stdout_is $'a1\na2\nb1\nb2\nc1\nc2'
	stderr_is ''
}

@test "read: an empty topic and an empty range are success" {
	sblog create orders
	run -0 --separate-stderr sblog read orders
	stdout_is ''
	stderr_is ''
	sblog append orders <<<a
	run -0 --separate-stderr sblog read -o 1 orders
	stdout_is ''
	run -0 --separate-stderr sblog read -o 1 --to 0 orders
	stdout_is ''
	run -0 --separate-stderr sblog read --to start orders
	stdout_is ''
}

@test "read: changes nothing on disk" {
	three
	before=$(tree_sum "$SBLOG_DIR")
	sblog read orders
	sblog read -o -2 -f json orders
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "read: -c stops anywhere, also within a batch" {
	three
	for n in 0 1 2 3 5 6 7 100; do
		run -0 --separate-stderr sblog read -c $n orders
		stdout_is "$(sblog read orders | head -n $n)"
		stderr_is ''
		sblog read -c $n -f json orders >out
		sblog read -f json orders | head -n $n | cmp - out
	done
}

@test "read: --max-bytes stops before it is passed, never skips" {
	printf 'aa\nbbbb\nc\ndddddddd\ne\n' | sblog append orders
	for pair in 0:1 1:1 3:1 7:1 8:2 9:2 10:3 11:3 19:4 20:4 21:5 1000:5; do
		run -0 --separate-stderr sblog read --max-bytes ${pair%:*} orders
		stdout_is "$(sblog read orders | head -n ${pair#*:})"
		stderr_is ''
	done
	sblog read --max-bytes 200 -f json orders >out
	sblog read -f json orders | head -n 2 | cmp - out
}

@test "read: --max-bytes gives a first record that is larger alone" {
	head -c 600000 /dev/zero | tr '\0' x | sblog append -k k orders
	sblog append orders <<<small
	sblog read --max-bytes 1K orders | cmp - <(sblog read -c 1 orders)
	[ "$(sblog read --max-bytes 1K orders | wc -c)" -eq 600001 ]
	[ "$(sblog read --max-bytes 600010 orders | wc -c)" -eq 600007 ]
	[ "$(sblog read --max-bytes 700000 -f '%k%v' orders | wc -c)" -eq 600006 ]
}

@test "read: the same bytes to a pipe, a file and /dev/null" {
	seq 1 300000 >in
	sblog append orders in
	sblog read orders >out
	cmp in out
	sblog read orders | cmp in -
	sblog read orders >/dev/null
	sblog append orders <in
	sblog seal orders
	sblog append -z lz4 orders in
	sblog read orders | cmp - <(cat in in in)
	sblog read orders >out
	cmp out <(cat in in in)
}

@test "read: from the middle of a large batch, to the middle of one" {
	seq 0 299999 >in
	sblog append orders in
	for range in 1:2 17:123456 99999:200001 0:1 299999:300000; do
		from=${range%:*} to=${range#*:}
		sblog read -o "$from" --to "$to" orders |
			cmp - <(seq "$from" $((to - 1)))
		sblog read -o "$from" --to "$to" -f '%v\n' orders |
			cmp - <(seq "$from" $((to - 1)))
		sblog read -o "$from" -c $((to - from)) orders |
			cmp - <(seq "$from" $((to - 1)))
	done
}

@test "read: delimiters of appends do not matter for what is printed" {
	printf 'a\nb\n' | sblog append orders
	printf 'c\0d\0' | sblog append -f nul orders
	printf 'e::f' | sblog append -d :: orders
	printf 'g' | sblog append -f whole orders
	printf 'k=h\n' | sblog append -K = orders
	[ "$(sblog read orders | tr '\n' ,)" = a,b,c,d,e,f,g,h, ]
	[ "$(sblog read -f nul orders | tr '\0' ,)" = a,b,c,d,e,f,g,h, ]
	[ "$(sblog read -d :: orders)" = a::b::c::d::e::f::g::h:: ]
	[ "$(sblog read -f raw orders)" = abcdefgh ]
	[ "$(sblog read -K = orders | tr '\n' ,)" = a,b,c,d,e,f,g,k=h, ]
}

@test "read: several topics are merged by append time, ties as named" {
	printf '%s\n' '{"offset":0,"ts":10,"value":"a10"}' \
		'{"offset":1,"ts":30,"value":"a30"}' \
		'{"offset":2,"ts":30,"value":"a30b"}' |
		sblog append -f json --keep-offsets a
	printf '%s\n' '{"offset":0,"ts":5,"value":"b5"}' \
		'{"offset":1,"ts":30,"value":"b30"}' \
		'{"offset":2,"ts":40,"value":"b40"}' |
		sblog append -f json --keep-offsets b
	run -0 --separate-stderr sblog read -f '%t %v\n' a b
	stdout_is 'b b5
a a10
a a30
a a30b
b b30
b b40'
	stderr_is ''
	[ "$(sblog read b a | tr '\n' ' ')" = 'b5 a10 b30 a30 a30b b40 ' ]
	[ "$(sblog read -c 3 b a | tr '\n' ' ')" = 'b5 a10 b30 ' ]
	[ "$(sblog read -o 1 -f '%i%v ' a b)" = '0a30 1a30b 2b30 3b40 ' ]
}

@test "read: a topic that does not exist is status 3, a bad name 2" {
	sblog append orders <<<a
	run -3 --separate-stderr sblog read missing
	stdout_is ''
	[[ $stderr == 'sblog-read: missing: '* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	run -3 --separate-stderr sblog read orders missing
	stdout_is ''
	run -2 --separate-stderr sblog read ../store
	stdout_is ''
	stderr_is 'sblog-read: not a topic name: ../store'
	run -3 --separate-stderr sblog -C nowhere read orders
	stdout_is ''
	[ ! -e nowhere ]
}

@test "read: misuse is one line and status 2" {
	sblog append orders <<<a
	while read -r args; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr sblog read $args
		stdout_is ''
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == 'sblog-read: '* ]]
	done <<-'END'

		--nonsense orders
		-f nonsense orders
		-f whole orders
		-f %q orders
		-o nowhere orders
		--to 1x orders
		-c -1 orders
		-c many orders
		-d 123456789 orders
		-f json -d x orders
		-f hex -K x orders
		--max-bytes 1Z orders
		--timeout 1s orders
		-F --timeout soon orders
		--latest -F orders
	END
}

@test "read: output that cannot be written is status 1" {
	seq 1 1000 | sblog append orders
	for format in lines json; do
		run -1 --separate-stderr bash -c \
			"sblog read -f $format orders >/dev/full"
		stdout_is ''
		stderr_is 'sblog-read: cannot write to standard output: No space left on device'
		run -1 --separate-stderr bash -c "sblog read -f $format orders >&-"
		stderr_is 'sblog-read: cannot write to standard output: Bad file descriptor'
	done
	run -0 --separate-stderr bash -c 'sblog read orders <&- 2>&-'
	stdout_is "$(seq 1 1000)"
}

@test "read: a reader that goes away ends it quietly, by SIGPIPE" {
	seq 1 1000000 | sblog append orders
	for format in lines json; do
		run --separate-stderr bash -c \
			"sblog read -f $format orders | head -n 1 >/dev/null
			exit \${PIPESTATUS[0]}"
		[ "$status" -eq 141 ]
		stderr_is ''
	done
}

@test "read: damage ends it with status 6, what came before is printed" {
	three
	damage "$SBLOG_DIR"/orders/*.wal "$(value_pos orders b1)"
	run -6 --separate-stderr sblog read orders
	stdout_is $'a1\na2'
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == 'sblog-read: orders: '*'offsets 2..3, file '*'.wal, byte '* ]]
}

@test "read: --skip-damaged prints the others, says what is lost, status 7" {
	three
	damage "$SBLOG_DIR"/orders/*.wal "$(value_pos orders b1)"
	for format in lines '%v\n'; do
		run -7 --separate-stderr sblog read --skip-damaged -f "$format" \
			orders
		stdout_is $'a1\na2\nc1\nc2'
		[ "${stderr_lines[1]}" = 'sblog-read: orders: lost offsets 2..3' ]
		[ "${#stderr_lines[@]}" -eq 2 ]
	done
}

@test "read: damage in one of several topics is skipped too" {
	three
	sblog append other <<<x
	damage "$SBLOG_DIR"/orders/*.wal "$(value_pos orders b1)"
	run -7 --separate-stderr sblog read --skip-damaged orders other
	stdout_is $'a1\na2\nc1\nc2\nx'
	run -6 --separate-stderr sblog read orders other
	stdout_is $'a1\na2'
}

@test "read: --durable prints what was synced" {
	sblog append orders <<<synced
	run -0 --separate-stderr sblog read --durable orders
	stdout_is synced
}

@test "read: a read-only file system or directory is enough" {
	three
	chmod -R a-w "$SBLOG_DIR"
	run -0 --separate-stderr sblog read -c 1 orders
	chmod -R u+w "$SBLOG_DIR"
	stdout_is a1
}

@test "read: records are escaped on a terminal, and only there" {
	command -v script >/dev/null || skip 'script(1) is not installed'
	printf 'a\033[31mb\302\233c\377\td\n' | sblog append -k $'\033k' orders
	script -qec 'sblog read orders' /dev/null </dev/null >out
	[ "$(tr -d '\r' <out)" = 'a\x1b[31mb\xc2\x9bc\xff'$'\t''d' ]
	script -qec "sblog read -f '%k=%v\n' orders" /dev/null </dev/null >out
	[ "$(tr -d '\r' <out)" = '\x1bk=a\x1b[31mb\xc2\x9bc\xff'$'\t''d' ]
	sblog read orders | cmp - <(printf 'a\033[31mb\302\233c\377\td\n')
	run -2 script -qec 'sblog read -f frame orders' /dev/null </dev/null
	[[ $output == *'frames are not for a terminal'* ]]
}

@test "read: memory stays below 16 MiB for a long topic" {
	[[ $SBLOG_BUILD != *address* ]] || skip 'a sanitizer takes all of the address space'
	yes 0123456789012345678901234567890123456789 | head -c 100000000 >in
	sblog append --sync=none orders in
	for format in lines json raw; do
		(ulimit -v 32768 && sblog read -f $format orders | wc -c >n)
		[ "$(cat n)" -gt 90000000 ]
	done
}
