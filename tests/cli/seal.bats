#!/usr/bin/env bats
# seal.bats - sblog-seal, sblog-index, sblog-verify.

load lib/common

@test "seal: prints topic, first, end, bytes before and after" {
	printf 'a\nb\n' | sblog append orders
	run -0 --separate-stderr sblog seal orders
	[[ $output =~ ^orders$'\t'0$'\t'2$'\t'[0-9]+$'\t'[0-9]+$ ]]
	stderr_is ''
	[ "$(sblog read -o 1 orders)" = b ]
	[ ! -e "$SBLOG_DIR/orders/00000000000000000000.wal" ]
	[ -e "$SBLOG_DIR/orders/00000000000000000000.seg" ]
}

@test "seal: nothing to seal is no error" {
	sblog create t
	run -0 --separate-stderr sblog seal t
	stdout_is ''
	stderr_is 'sblog-seal: t: nothing to seal'
	run -0 --separate-stderr sblog seal -q t
	stderr_is ''
}

@test "seal: -n says what would be done" {
	seq 100 | sblog append t
	before=$(tree_sum "$SBLOG_DIR")
	run -0 --separate-stderr sblog seal -n t
	[[ $output == $'t\t0\t100\t'* ]]
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "seal: --older and --larger leave young and small ones" {
	seq 100 | sblog append t
	run -0 --separate-stderr sblog seal -q --older 1h t
	stdout_is ''
	run -0 --separate-stderr sblog seal -q --larger 1G t
	stdout_is ''
	[ "$(sblog stat --json t | jq '.topics[0].segments')" = 0 ]
	run -0 --separate-stderr sblog seal --larger 100 --older 0 t
	[ "$(sblog stat --json t | jq '.topics[0].segments')" = 1 ]
}

@test "seal: --all seals every topic, --json reports" {
	for t in a b c; do sblog append "$t" <<<x; done
	run -0 --separate-stderr sblog seal --all --json
	[ "$(jq -c '[.topics[] | [.topic, .records]]' <<<"$output")" = '[["a",1],["b",1],["c",1]]' ]
}

@test "seal: records of every kind and size survive, compressed or not" {
	for type in lz4 none; do
		sblog create "$type" --config compression.type=$type --config segment.bytes=1M
		seq 50000 | sblog append "$type"
		seq 1000 | while read -r i; do echo "$i"; done | sblog append -f lines -k key "$type"
		head -c 300000 /dev/urandom | base64 -w 0 | sblog append -f whole -H a=b "$type"
		printf '{"value":null,"key":"k"}\n{"value":"","key":null,"user_ts":-5}\n' | sblog append -f json "$type"
		printf 'x||y||' | sblog append -d '||' "$type"
		sblog read -f json "$type" >before
		sblog seal -q "$type" >/dev/null
		sblog read -f json "$type" >after
		cmp before after
		run -0 --separate-stderr sblog verify --deep "$type"
		stderr_is ''
	done
}

@test "seal: many tiny batches become few blocks" {
	for i in $(seq 50); do sblog append --sync=none t <<<"record $i"; done
	sblog seal -q t >/dev/null
	[ "$(sblog verify --json t | jq '.topics[0].batches')" = 1 ]
	[ "$(sblog read t | tail -n 1)" = 'record 50' ]
}

@test "seal: what a crash left is cleared away" {
	sblog append t <<<a
	touch "$SBLOG_DIR/t/manifest.tmp.0123456789abcdef" "$SBLOG_DIR/t/strange"
	sblog seal -q t >/dev/null
	[ ! -e "$SBLOG_DIR/t/manifest.tmp.0123456789abcdef" ]
	[ -e "$SBLOG_DIR/t/strange" ]
}

@test "index: check, drop, build" {
	seq 1000 | sblog append t
	sblog seal -q t >/dev/null
	run -0 --separate-stderr sblog index --check t
	[[ $output == 't: 2 good, 0 missing, 0 stale,'* ]]
	run -0 --separate-stderr sblog index --drop t
	[ ! -e "$SBLOG_DIR/t/00000000000000000000.idx" ]
	[ "$(sblog read -o 999 t)" = 1000 ]
	run -0 --separate-stderr sblog index t
	[[ $output == *' 1 missing, 0 stale, 1 built,'* ]]
	[ -e "$SBLOG_DIR/t/00000000000000000000.idx" ]
	run -0 --separate-stderr sblog index --json t
	[ "$(jq '.topics[0].good' <<<"$output")" = 2 ]
}

@test "index: a stale one is found, never believed, and rebuilt" {
	seq 1000 | sblog append t
	seq 1000 | sblog append u
	sblog seal -q t u >/dev/null
	cp "$SBLOG_DIR/u/00000000000000000000.idx" "$SBLOG_DIR/t/"
	[ "$(sblog read -o 500 -c 1 t)" = 501 ]
	run -6 --separate-stderr sblog index --check t
	[[ $output == *' 1 stale,'* ]]
	run -6 --separate-stderr sblog verify --deep t
	[[ $output == *'not the index of this segment'* ]]
	sblog index -q t >/dev/null
	sblog verify -q --deep t
}

@test "index: -n builds nothing" {
	seq 10 | sblog append t
	sblog seal -q t >/dev/null
	rm "$SBLOG_DIR/t/00000000000000000000.idx"
	before=$(tree_sum "$SBLOG_DIR")
	run -0 --separate-stderr sblog index -n t
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "verify: ok, in text and JSON" {
	seq 10 | sblog append t
	run -0 --separate-stderr sblog verify t
	[[ $output =~ ^'t: 10 records in 1 file, '[0-9]+' bytes: ok'$ ]]
	run -0 --separate-stderr sblog verify --all --json --deep
	[ "$(jq -c '.topics[0] | [.records, .damages, .findings]' <<<"$output")" = '[10,0,[]]' ]
	run -0 --separate-stderr sblog verify --quick -q t
	stdout_is ''
}

@test "verify: JSON names file, byte position, offsets and kind" {
	printf 'a\nb\n' | sblog append t
	sblog seal -q t >/dev/null
	printf 'X' | dd of="$SBLOG_DIR/t/00000000000000000000.seg" bs=1 seek=257 conv=notrunc status=none
	run -6 --separate-stderr sblog verify --json t
	[ "$(jq -c '.topics[0].findings[0] | [.kind, .file, .pos, .first, .next]' <<<"$output")" = '["damage","00000000000000000000.seg",128,0,2]' ]
	[ "$(jq '.status' <<<"$output")" = 6 ]
}

@test "verify: what recovery cut and strange files are notes, not damage" {
	sblog append t <<<a
	mkdir "$SBLOG_DIR/t/lost+found"
	touch "$SBLOG_DIR/t/strange"
	run -0 --separate-stderr sblog verify t
	[[ $output == *'t: orphan: strange: not a file of sblog'* ]]
	[[ $output == *'t: note: lost+found: holds bytes that recovery cut off'* ]]
}

@test "verify: --rate slows it down, -j is accepted" {
	seq 1000 | sblog append t
	run -0 --separate-stderr sblog verify -q -j 2 --rate 100M t
	stderr_is ''
}
