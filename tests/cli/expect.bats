#!/usr/bin/env bats
# expect.bats - appends that depend on what is there, and appends applied once.

# shellcheck disable=SC2154 # stderr is set by run
load lib/common

@test "expect: the end of the topic" {
	run -0 --separate-stderr sblog append --expect 0 --ack t < <(printf 'a\nb\n')
	run -4 --separate-stderr sblog append --expect 1 t <<<no
	stderr_is $'sblog-append: t: end is 2, not 1\nsblog-append: t: acked=0 next=2'
	run -4 --separate-stderr sblog append --expect 1 --json t <<<no
	[ "$(jq -c '[.status, .actual, .records]' <<<"$output")" = '[4,2,0]' ]
	sblog append --expect 2 t <<<c
	[ "$(sblog read t)" = $'a\nb\nc' ]
}

@test "expect: empty and exists" {
	run -3 --separate-stderr sblog append --expect exists t <<<no
	[ ! -e "$SBLOG_DIR/t" ]
	sblog append --expect empty t <<<a
	run -4 --separate-stderr sblog append --expect empty t <<<no
	sblog append --expect exists t <<<b
	[ "$(sblog read t)" = $'a\nb' ]
	sblog create u
	run -4 --separate-stderr sblog append --expect exists u <<<no
	run -3 --separate-stderr sblog append --no-create --expect 0 missing <<<no
}

@test "expect: the last record of a key, by offset and by position" {
	sblog append -k s-1 --expect-key none --expect-pos -1 t <<<a
	run -4 --separate-stderr sblog append -k s-1 --expect-key none t <<<no
	[ "${stderr%%$'\n'*}" = 'sblog-append: t: last offset of the key is 0, not none' ]
	run -4 --separate-stderr sblog append -k s-2 --expect-pos 0 t <<<no
	[ "${stderr%%$'\n'*}" = 'sblog-append: t: last position of the key is none, not 0' ]
	sblog append -k s-2 --expect-pos -1 t <<<b
	sblog append -k s-1 --expect-pos 0 --expect-key 0 t < <(printf 'c\nd\n')
	run -4 --separate-stderr sblog append -k s-1 --expect-pos 0 --json t <<<no
	[ "$(jq -c .actual <<<"$output")" = 2 ]
	sblog seal t >/dev/null
	sblog append -k s-1 --expect-pos 2 t <<<e
	[ "$(sblog read --key s-1 -f '%p%v ' t)" = '0a 1c 2d 3e ' ]
}

@test "expect: of many at the same place one wins" {
	sblog create t --config sync=none
	for i in {1..8}; do
		(
			won=0
			for n in {0..19}; do
				sblog append --expect "$n" t <<<"$i" 2>/dev/null && won=$((won + 1))
				while [ "$(sblog read -o end -f '%o' t; sblog stat --tsv t | cut -f 3)" -le "$n" ]; do :; done
			done
			echo $won >"won.$i"
		) 3>&- &
	done
	wait
	[ "$(sblog stat --tsv t | cut -f 3)" -eq 20 ]
	[ "$(cat won.* | paste -sd + | bc)" -eq 20 ]
}

@test "expect: misuse" {
	for bad in '--expect x' '--expect -1' '--expect-key 1' '--expect-pos 1' \
		'-k a --expect-key x' '-k a --expect-pos -2' '--once=' \
		'--once a --keep-offsets -f json'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr sblog append $bad t <<<x
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
	run -2 --separate-stderr sblog append --once "$(printf '%0201d' 0)" t <<<x
	[ ! -e "$SBLOG_DIR/t" ]
}

@test "once: a replay appends nothing and says where it was" {
	run -0 --separate-stderr sblog append --once T1 --ack t < <(printf 'a\nb\n')
	first=$output
	sblog append t <<<between
	run -0 --separate-stderr sblog append --once T1 --ack t < <(printf 'a\nb\n')
	stdout_is "$first"
	run -0 --separate-stderr sblog append --once T1 --json t < <(printf 'a\nb\n')
	[ "$(jq -c '[.replayed, .first, .next]' <<<"$output")" = '[true,0,2]' ]
	sblog append --once T2 t <<<c
	[ "$(sblog read t)" = $'a\nb\nbetween\nc' ]
	# Through sealing, a lost index, and without one.
	sblog seal t >/dev/null
	sblog append --once T1 t <<<no
	sblog index --drop t >/dev/null
	sblog append --once T2 t <<<no
	[ "$(sblog stat --tsv t | cut -f 3)" -eq 4 ]
	# It goes with the first record.
	run -0 --separate-stderr sblog read -c 1 -f '%h{%k=%v}' t
	stdout_is 'sblog.once=2 T1'
}

@test "once: beginnings of a token, and other headers, are other tokens" {
	sblog append --once abc t <<<1
	sblog append --once ab t <<<2
	sblog append --once 'b abc' t <<<3
	sblog append -H sblog.oncex=4 -H 'x=1 zzz' t <<<4
	sblog append --once zzz t <<<5
	[ "$(sblog read t | paste -sd ' ')" = '1 2 3 4 5' ]
}

@test "once: what is older than dedup.window is forgotten" {
	sblog create t --config dedup.window=50ms
	sblog append --once T t <<<1
	before=$(date +%s%N)
	while [ $(($(date +%s%N) - before)) -lt 60000000 ]; do :; done
	sblog append --once T t <<<2
	[ "$(sblog read t | paste -sd ' ')" = '1 2' ]
	sblog config t dedup.window=none
	sblog append --once T t <<<3
	[ "$(sblog read t | paste -sd ' ')" = '1 2' ]
}

@test "once: a condition that does not hold any more does not matter to a replay" {
	sblog append --once T --expect 0 t <<<1
	sblog append --once T --expect 0 t <<<1
	run -4 --separate-stderr sblog append --once U --expect 0 t <<<1
	[ "$(sblog read t)" = 1 ]
}

@test "once: eight at the same time append it once" {
	for i in {1..8}; do
		sblog append --once T --ack t < <(printf 'a\nb\nc\n') >"ack.$i" 3>&- &
	done
	wait
	[ "$(sblog stat --tsv t | cut -f 3)" -eq 3 ]
	for i in {2..8}; do cmp ack.1 "ack.$i"; done
}
