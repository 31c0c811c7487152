#!/usr/bin/env bats
# guard.bats - appends that depend on what is there, and at most once.

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# shellcheck disable=SC2002,SC2016 # input shall come from a pipe; bash -c expands

load lib/common

@test "append --expect: the end it must have" {
	run -0 --separate-stderr sblog append --expect 0 --ack t <<<a
	stdout_is 0
	run -4 --separate-stderr sblog append --expect 0 --ack t <<<b
	stdout_is ''
	[ "${stderr_lines[0]}" = \
		'sblog-append: t: end is 1, not 0' ]
	run -0 --separate-stderr sblog append --expect 1 --ack t < <(printf 'b\nc\n')
	stdout_is $'1\n2'
	run -4 sblog append --expect 5 t <<<x
	[ "$(sblog read t)" = $'a\nb\nc' ]
}

@test "append --expect: empty and exists" {
	run -3 sblog append --expect exists t <<<a
	[ ! -e "$SBLOG_DIR/t" ]
	sblog append --expect empty t <<<a
	run -4 sblog append --expect empty t <<<b
	sblog append --expect exists t <<<c
	sblog create made
	run -4 sblog append --expect exists made <<<d
	sblog append --expect empty made <<<d
	[ "$(sblog read t made | sort | tr -d '\n')" = acd ]
}

@test "append --expect: a topic that does not exist is not made in vain" {
	run -4 --separate-stderr sblog append --expect 7 --json t <<<a
	[ "$(jq -c '[.status,.actual,.acked]' <<<"$output")" = '[4,0,0]' ]
	[ ! -e "$SBLOG_DIR/t" ]
	run -3 sblog append --expect 7 --no-create t <<<a
	run -4 sblog append -k a-1 --expect-pos 0 t <<<a
	run -4 sblog append -k a-1 --expect-key 0 t <<<a
	[ ! -e "$SBLOG_DIR/t" ]
	sblog append -k a-1 --expect-pos -1 --expect-key none --expect empty t <<<a
	[ "$(sblog read t)" = a ]
}

@test "append --expect: all of the input is one batch" {
	seq 1 70000 | sblog append --expect 0 --sync none t
	[ "$(sblog stat --at 69999 --json t | jq -c '.topics[0].at | [.batch_first,.batch_next]')" = '[0,70000]' ]
	printf 'x\ny\nz\n' | sblog append --expect 70000 --sync record t
	[ "$(sblog read -o 70000 t)" = $'x\ny\nz' ]
	seq 1 1100000 >many
	run -1 sblog append --expect exists t many
	[[ $output == *'records in one batch'* ]]
	[ "$(sblog read -o 70003 -c 1 t)" = '' ]
}

@test "append --expect-key and --expect-pos: what the key has" {
	local state
	for state in wal sealed; do
		local t=$state
		sblog append -k acct-1 --expect-pos -1 "$t" <<<one
		sblog append -k acct-2 --expect-key none "$t" <<<two
		[ $state = wal ] || sblog seal "$t" >/dev/null
		run -4 --separate-stderr sblog append -k acct-1 --expect-pos -1 --json "$t" <<<x
		[ "$(jq -c .actual <<<"$output")" = 0 ]
		run -4 --separate-stderr sblog append -k acct-3 --expect-pos 0 --json "$t" <<<x
		[ "$(jq -c .actual <<<"$output")" = null ]
		run -4 --separate-stderr sblog append -k acct-3 --expect-key 0 --json "$t" <<<x
		[ "$(jq -c .actual <<<"$output")" = null ]
		run -4 --separate-stderr sblog append -k acct-2 --expect-key 0 --json "$t" <<<x
		[ "$(jq -c .actual <<<"$output")" = 1 ]
		[ "${stderr_lines[0]}" = \
			"sblog-append: $t: last offset of the key is 1, not 0" ]
		sblog append -k acct-1 --expect-pos 0 "$t" < <(printf 'a\nb\n')
		sblog append -k acct-1 --expect-pos 2 --expect-key 3 "$t" <<<c
		[ "$(sblog read --key acct-1 -f '%p%v ' "$t")" = '0one 1a 2b 3c ' ]
	done
}

@test "append --expect: without input, and in a dry run, it is looked at too" {
	sblog append t <<<a
	run -4 sblog append --expect 0 t </dev/null
	run -0 sblog append --expect 1 t </dev/null
	run -4 sblog append --expect 0 -n t <<<a
	run -0 sblog append --expect 1 -n t <<<a
	run -4 sblog append --expect 1 -n none <<<a
	run -0 sblog append --expect 0 -n none <<<a
	[ "$(sblog read t)" = a ]
}

@test "append --expect: of eight that race for each offset one wins" {
	racer() {
		local n=$1 end=0 out
		while [ "$end" -lt 60 ]; do
			if out=$(sblog append --expect "$end" --sync none --json t <<<"$n $end" 2>>"errors.$n"); then
				echo "$end $n" >>"won.$n"
				end=$((end + 1))
			else
				[ "$(jq .status <<<"$out")" = 4 ] || return 1
				end=$(jq .actual <<<"$out")
			fi
		done
	}
	local n pids=()
	for n in 1 2 3 4 5 6 7 8; do
		racer $n &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n"
	done
	[ "$(sblog read -f '%o %v\n' t | awk '$1 != $3' | wc -l)" = 0 ]
	diff <(sblog read -f '%o %v\n' t | cut -d ' ' -f 1,2) \
		<(sort -n won.*)
}

@test "append --once: after sealing, with records and with keys" {
	printf 'k:a\nl:b\n' | sblog append -K : --once A t
	head -c 300000 /dev/zero | tr '\0' x | sblog append -f whole --once B t
	seq 1 1000 | sblog append -z lz4 --once C t
	sblog read -f json t >before
	sblog seal t >/dev/null
	sblog read -f json t | cmp - before
	local x
	for x in A B C; do
		run -0 sblog append --once $x --json t <<<x
		[ "$(jq .replayed <<<"$output")" = true ]
	done
	sblog append t <<<more
	sblog seal t >/dev/null
	run -0 sblog append --once C --ack t <<<x
	[ "${lines[0]}" = 3 ]
	[ "${#lines[@]}" = 1000 ]
	sblog verify --deep t >/dev/null
}

@test "append --once: many tokens, beside other appends" {
	local i
	sblog create t --config segment.bytes=64K
	for i in $(seq 1 150); do
		sblog append --once "t$i" --sync none t <<<"$i"
		[ $((i % 7)) -ne 0 ] || seq 1 200 | sblog append --sync none t
		[ $((i % 40)) -ne 0 ] || sblog seal t >/dev/null
	done
	sblog read t | cksum >before
	for i in $(seq 1 150); do
		sblog append -q --once "t$i" --sync none t <<<"$i"
	done
	sblog read t | cksum | cmp - before
}

@test "append --once: eight at a time with the same tokens" {
	racer() {
		local i
		for i in $(seq 1 40); do
			sblog -q append --once "token $i" --sync none t <<<"$i" || return 1
		done
	}
	local n pids=()
	for n in 1 2 3 4 5 6 7 8; do
		racer &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n"
	done
	diff <(sblog read t | sort -n) <(seq 1 40)
}

@test "append --atomic: with --sync record nothing is left out" {
	printf 'a\nb\nc\n' | sblog append --atomic --sync record t
	[ "$(sblog read t)" = $'a\nb\nc' ]
}

@test "append --once: compaction keeps what a retry would be told by" {
	sblog create t --config cleanup.policy=compact
	sblog append -k a --once A t <<<1
	sblog append -k a t <<<2
	sblog append -k a t <<<3
	sblog seal t >/dev/null
	sblog compact --min-dirty 0 t >/dev/null
	run -0 --separate-stderr sblog append -k a --once A --ack t <<<1
	stdout_is 0
	[ "$(sblog read -f '%o%v ' t)" = '01 23 ' ]
	# And lets go of it when nobody will ask any more.
	sblog config t dedup.window=1ms
	sblog append -k a t <<<4
	sblog seal t >/dev/null
	sblog compact --min-dirty 0 t >/dev/null
	[ "$(sblog read -f '%o%v ' t)" = '34 ' ]
}
