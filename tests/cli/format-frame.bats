#!/usr/bin/env bats
# format-frame.bats - the format frame, both ways; its bytes are those of
# sblog-format(7).

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

# flip FILE AT - change one bit of a file
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# one - a frame in the file "in": offset 7, time 1000, key k, header a=b, value v
one() {
	printf '%s\n' '{"offset":7,"ts":1000,"user_ts":-2,"key":"k","value":"v","headers":[{"key":"a","value":"b"}]}' |
		sblog append -f json --keep-offsets orders
	sblog read -f frame orders >in
}

@test "frame: the bytes are those of the table" {
	one
	od -An -v -tx1 in | tr -d ' \n' >hex
	hash=$(tail -c 8 in | od -An -tx1 | tr -d ' ')
	[ "$(cat hex)" = "360000000700000000000000e803000000000000feffffffffffffff020000000800000002000000""6b""0100""02000000""6162""76""$hash" ]
	if command -v xxhsum >/dev/null; then
		head -c -8 in | xxhsum -H3 --little-endian |
			grep -qi "$hash"
	fi
}

@test "frame: a round trip loses nothing, nulls and holes included" {
	one
	head -c 50000 /dev/urandom | sblog append -K a -H h= orders
	printf 'k=\n=\nplain\n' | sblog append -K = -Z orders
	head -c 200000 /dev/urandom | sblog append -f whole orders
	sblog read -f frame orders >all
	sblog append -f frame --keep-offsets copy all
	sblog read -f frame copy | cmp - all
	cat all | sblog append -f frame --keep-offsets --batch-bytes 100 again
	sblog read -f frame again | cmp - all
}

@test "frame: without --keep-offsets, offsets and times are new" {
	one
	sblog append -f frame fresh in
	[ "$(sblog read -f '%o %D %k %v%h{ %k=%v}\n' fresh)" = '0 -2 k v a=b' ]
	[ "$(sblog read -f %d fresh)" -gt 1000000000000000 ]
}

@test "frame: any flipped bit is refused" {
	one
	size=$(stat -c %s in)
	for ((at = 0; at < size; at++)); do
		cp in bad
		flip bad $at
		run -2 --separate-stderr sblog append -f frame copy bad
		stdout_is ''
		[[ $stderr == *'bad: record 1, byte 0: '* ]]
	done
	[ "$(sblog read copy)" = '' ]
}

@test "frame: input that ends within a frame is refused, those before count" {
	one
	size=$(stat -c %s in)
	for ((n = 1; n < size; n++)); do
		cat in <(head -c $n in) >cut
		run -2 --separate-stderr sblog append -f frame copy cut
		stdout_is ''
		[ "${stderr_lines[0]}" = "sblog-append: copy: cut: record 2, byte $size: the input ends within a frame" ]
		[ "${stderr_lines[1]}" = "sblog-append: copy: acked=1 next=$n" ]
	done
}

@test "frame: --on-error=skip steps over a frame with a wrong checksum" {
	one
	cp in bad
	flip bad $(($(stat -c %s in) - 9))
	cat in bad in | sblog append --on-error=skip -f frame copy || status=$?
	[ "$status" -eq 7 ]
	[ "$(sblog read copy)" = $'v\nv' ]
	printf 'garbage' | cat in - in >lost
	run -2 --separate-stderr sblog append --on-error=skip -f frame copy lost
	[[ $stderr == *'record 2, byte 58: no frame begins here'* ]]
	[ "$(sblog read -o 2 copy)" = v ]
}

@test "frame: a length without bytes behind it takes no memory" {
	[[ $SBLOG_BUILD != *address* ]] || skip 'a sanitizer takes all of the address space'
	printf '\377\377\377\077' >in
	head -c 100 /dev/zero >>in
	run -2 --separate-stderr bash -c \
		'ulimit -v 100000; sblog append -f frame orders in'
	stdout_is ''
	[[ $stderr == *'record 1, byte 0: '* ]]
}
