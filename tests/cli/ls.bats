#!/usr/bin/env bats
# ls.bats - sblog-ls and sblog-stat.

load lib/common

@test "ls: sorted bytewise, globs, nothing else" {
	for t in b a B _x a.b; do sblog create "$t"; done
	mkdir "$SBLOG_DIR/not-a-topic" "$SBLOG_DIR/.new-0000000000000000"
	touch "$SBLOG_DIR/config"
	run -0 --separate-stderr sblog ls
	stdout_is $'B\n_x\na\na.b\nb'
	run -0 --separate-stderr sblog ls 'a*' B
	stdout_is $'B\na\na.b'
	run -0 --separate-stderr sblog ls 'z*'
	stdout_is ''
}

@test "ls: --tsv has start, end, records, bytes, time" {
	printf 'a\nb\n' | sblog append t
	run -0 --separate-stderr sblog ls --tsv
	[[ $output =~ ^t$'\t'0$'\t'2$'\t'2$'\t'[0-9]+$'\t'20[0-9-]+T[0-9:.]+Z$ ]]
	run -0 --separate-stderr sblog ls --json
	[ "$(jq -r '.schema, .topics[0].topic, .topics[0].end' <<<"$output" | tr '\n' ' ')" = 'sblog.ls/1 t 2 ' ]
}

@test "ls: a topic with a damaged manifest is reported, the others listed" {
	sblog create a
	sblog create b
	echo x >>"$SBLOG_DIR/a/manifest"
	run -6 --separate-stderr sblog ls -l
	[[ $output == a*$'\n'b$'\t'0* ]]
	[[ $stderr == 'sblog-ls: a: manifest checksum differs (file manifest, byte '* ]]
}

@test "stat: the facts, in text, JSON and columns" {
	printf 'aa\nb\n' | sblog append t
	run -0 --separate-stderr sblog stat t
	[[ $output == *'  end             2'* ]]
	[[ $output == *'  bytes_raw       5'* ]]
	run -0 --separate-stderr sblog stat --json t
	[ "$(jq -c '.topics[0] | [.start, .end, .durable_end, .records, .segments, .wals]' <<<"$output")" = '[0,2,2,2,0,1]' ]
	sblog seal -q t >/dev/null
	run -0 --separate-stderr sblog stat --json --segments t
	[ "$(jq -c '.topics[0].files | map([.kind, .first, .next])' <<<"$output")" = '[["segment",0,2],["active",2,2]]' ]
}

@test "stat: what is not durable yet is told apart" {
	sblog append t <<<a
	sblog append --sync=none t <<<b
	[ "$(sblog stat --json t | jq -c '.topics[0] | [.end, .durable_end]')" = '[2,1]' ]
	sblog append t <<<c
	[ "$(sblog stat --json t | jq -c '.topics[0] | [.end, .durable_end]')" = '[3,3]' ]
}

@test "stat: the chain depends on the records alone" {
	printf 'a\nb\nc\n' | sblog append t
	chain=$(sblog stat --json t | jq -r '.topics[0].chain')
	sblog seal -q t >/dev/null
	[ "$(sblog stat --json t | jq -r '.topics[0].chain')" = "$chain" ]
	sblog read -f frame t | sblog append -f frame --keep-offsets u
	[ "$(sblog stat --json u | jq -r '.topics[0].chain')" = "$chain" ]
	sblog append t <<<d
	[ "$(sblog stat --json t | jq -r '.topics[0].chain')" != "$chain" ]
}

@test "stat: --at says where a record lies" {
	seq 100 | sblog append t
	sblog seal -q t >/dev/null
	run -0 --separate-stderr sblog stat --json --at 42 t
	[ "$(jq -c '.topics[0].at | [.offset, .file, .pos, .batch_first, .batch_next]' <<<"$output")" = '[42,"00000000000000000000.seg",128,0,100]' ]
	run -3 --separate-stderr sblog stat --at 100 t
	stderr_is 'sblog-stat: t: no such offset (offset 100)'
}

@test "stat: --metrics is Prometheus text" {
	printf 'a\nb\n' | sblog append t
	run -0 --separate-stderr sblog stat --metrics t
	[[ $output == *'sblog_topic_end_offset{topic="t"} 2'* ]]
	! grep -vE '^sblog_topic_[a-z_]+\{topic="t"\} [0-9]+$' <<<"$output"
}

@test "stat: thresholds are status 7" {
	sblog append t <<<a
	run -0 --separate-stderr sblog stat -q --max-age 1h --min-free 1 t
	run -7 --separate-stderr sblog stat --min-free 1000000T t
	stderr_is 'sblog-stat: t: less space is free than --min-free'
}

@test "ls, stat: reading works where nothing can be written" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root to mount'
	sblog append t <<<a
	sblog seal -q t >/dev/null
	sblog append t <<<b
	mount --bind "$SBLOG_DIR" "$SBLOG_DIR" 2>/dev/null || skip 'cannot mount here'
	mount -o remount,ro,bind "$SBLOG_DIR" || { umount "$SBLOG_DIR"; skip 'cannot remount here'; }
	read_status=0 append_status=0
	out=$(sblog read t && sblog stat -q t >/dev/null && sblog verify -q t) || read_status=$?
	sblog append t <<<c 2>err || append_status=$?
	umount "$SBLOG_DIR"
	[ "$read_status" -eq 0 ]
	[ "$out" = $'a\nb' ]
	[ "$append_status" -eq 1 ]
	grep -q 'Read-only file system' err
}
