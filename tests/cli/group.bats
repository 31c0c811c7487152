#!/usr/bin/env bats
# group.bats - sblog-group, and what sblog-stat says of groups.

load lib/common

# field TOPIC GROUP NAME - one fact of a group
field() { sblog group show --json "$1" "$2" | jq -r ".topics[0].groups[0].$3"; }

# flip FILE POS - change one bit
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "$(printf '\\x%02x' $((byte ^ 4)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "group: commit creates a group, and later commits replace" {
	seq 10 | sblog append t
	sblog group commit t g 4
	[ "$(field t g committed)" = 4 ]
	[ "$(field t g lag)" = 6 ]
	sblog group commit t g end
	[ "$(field t g committed)" = 10 ]
	[ "$(field t g lag)" = 0 ]
	[ "$(field t g age_us)" = 0 ]
	sblog group commit t g -- -3
	[ "$(field t g committed)" = 7 ]
	sblog group commit t g +2
	[ "$(field t g committed)" = 2 ]
	[ "$(stat -c %s "$SBLOG_DIR/t/groups/g")" = 8192 ]
}

@test "group: ls is sorted, of one topic or of all" {
	seq 3 | sblog append b
	seq 3 | sblog append a
	sblog group commit b z 1
	sblog group commit b A 2
	sblog group commit a k 0
	run -0 --separate-stderr bash -c 'sblog group ls | cut -f 1-3'
	stdout_is $'a\tk\t0\nb\tA\t2\nb\tz\t1'
	run -0 bash -c 'sblog group ls b | cut -f 2'
	[ "$output" = $'A\nz' ]
	run -0 sblog group ls --json --all
	[ "$(jq -r .schema <<<"$output")" = sblog.group/1 ]
	[ "$(jq -c '[.topics[].groups[].group]' <<<"$output")" = '["k","A","z"]' ]
}

@test "group: a topic without groups has none" {
	sblog create t
	run -0 --separate-stderr sblog group ls t
	stdout_is ''
	stderr_is ''
	[ ! -e "$SBLOG_DIR/t/groups" ]
}

@test "group: asking writes nothing" {
	seq 3 | sblog append t
	sblog group commit t g 1
	before=$(tree_sum "$SBLOG_DIR")
	sblog group ls
	sblog group show t g
	sblog group commit -n t g 2
	sblog group reset -n t g --to 0
	sblog group park -n t g
	sblog group rm -n t g
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "group: --if is compare and set" {
	seq 10 | sblog append t
	run -4 --separate-stderr sblog group commit t g 1 --if 0
	stderr_is 'sblog-group: t: nothing is committed'
	sblog group commit t g 1 --if none
	run -4 --separate-stderr sblog group commit t g 2 --if none
	stderr_is 'sblog-group: t: offset 1 is committed'
	sblog group commit t g 2 --if 1
	run -4 sblog group reset t g --to 9 --if 1
	[ "$(field t g committed)" = 2 ]
}

@test "group: of many who compare and set, one wins" {
	seq 100 | sblog append t
	sblog group commit t g 0
	for i in 1 2 3 4 5 6 7 8; do
		{ sblog group commit t g "$i" --if 0 2>/dev/null && echo won; } &
	done >out
	wait
	[ "$(cat out)" = won ]
}

@test "group: past the end, before the start, and what is not durable" {
	seq 10 | sblog append t
	run -3 --separate-stderr sblog group commit t g 11
	stderr_is 'sblog-group: t: past the end: 0 to 10 can be committed (offset 11)'
	run -3 sblog group reset t g --to 11
	[ ! -e "$SBLOG_DIR/t/groups/g" ]
	seq 5 | sblog append --sync=none t
	run -3 --separate-stderr sblog group commit t g 12
	stderr_is 'sblog-group: t: not durable yet: 0 to 10 can be committed (offset 12)'
	sblog group commit t g 12 --undurable
	[ "$(field t g durable)" = false ]
}

@test "group: reset to a position or by a number, within the log" {
	seq 10 | sblog append t
	sblog group commit t g 5 --meta 'a note'
	sblog group reset t g --shift 2
	[ "$(field t g committed)" = 7 ]
	sblog group reset t g --shift=-3
	[ "$(field t g committed)" = 4 ]
	sblog group reset t g --shift 1000
	[ "$(field t g committed)" = 10 ]
	sblog group reset t g --shift -1000
	[ "$(field t g committed)" = 0 ]
	sblog group reset t g --to -1
	[ "$(field t g committed)" = 9 ]
	[ "$(field t g note)" = 'a note' ]
	sblog group reset t g --to 1 --meta other
	[ "$(field t g note)" = other ]
	sblog group commit t g 2
	[ "$(field t g note)" = '' ]
	run -3 sblog group reset t nobody --shift 1
}

@test "group: park, unpark, with a commit or alone" {
	seq 10 | sblog append t
	sblog group commit t g 5
	sblog group park t g
	[ "$(field t g state)" = parked ]
	[ "$(field t g holds)" = false ]
	sblog group commit t g 6
	[ "$(field t g parked)" = true ]
	sblog group commit t g 7 --unpark
	[ "$(field t g parked)" = false ]
	sblog group commit t g 8 --park
	[ "$(field t g parked)" = true ]
	sblog group park --unpark t g
	[ "$(field t g holds)" = true ]
	run -3 sblog group park t nobody
}

@test "group: rm forgets, and the offset with it" {
	seq 10 | sblog append t
	sblog group commit t g 5
	sblog group commit t h 5
	sblog group rm t g
	run -3 --separate-stderr sblog group show t g
	stderr_is 'sblog-group: t: no such group'
	run -3 sblog group rm t g h
	[ -z "$(sblog group ls t)" ]
	sblog group commit t g 1 --if none
}

@test "group: names like those of topics" {
	seq 3 | sblog append t
	for bad in a/b '' . .. -x @ a@0-of-1 x.tmp.0123456789abcdef \
		"$(printf 'x%.0s' {1..201})"; do
		run -2 sblog group commit t -- "$bad" 1
		[ "${#lines[@]}" = 1 ]
		run -2 sblog group rm -- t "$bad"
	done
	long=$(printf 'x%.0s' {1..200})
	sblog group commit t "$long" 2
	[ "$(field t "$long" committed)" = 2 ]
	[ "$(ls "$SBLOG_DIR/t/groups")" = "$long" ]
}

@test "group: wrong command lines" {
	sblog create t
	for words in '' bla 'commit t g' 'commit t g x' 'commit t g 1 2' 'reset t g' \
		'reset t g --to 1 --shift 1' 'reset t' 'show' 'show --all t' 'park t' \
		'rm t' 'commit t g 1 --park --unpark' 'park --park t g' \
		'commit t g 1 --shift 1' 'commit t g 1 --if x' 'commit t g 1 --sync fast'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr sblog group $words
		[ "${#stderr_lines[@]}" = 1 ]
		stdout_is ''
	done
	run -3 sblog group show nothing
	run -3 sblog group commit nothing g 1
	run -2 sblog group commit t g 0 --meta "$(printf 'x%.0s' {1..1025})"
}

@test "group: one damaged slot serves the other, and a commit heals" {
	seq 10 | sblog append t
	sblog group commit t g 4
	sblog group commit t g 5
	flip "$SBLOG_DIR/t/groups/g" 50
	run -7 --separate-stderr sblog group show --json t g
	[ "$(jq '.topics[0].groups[0].committed' <<<"$output")" = 4 ]
	stderr_is 'sblog-group: t: group g: one of its last two commits is damaged (file groups/g, byte 0)'
	run -7 sblog group ls t
	run -7 sblog stat --groups t
	sblog group commit t g 6 --if 4
	run -0 --separate-stderr sblog group show t g
	stderr_is ''
	[ "$(field t g committed)" = 6 ]
}

@test "group: two damaged slots are told, and reset makes a new file" {
	seq 10 | sblog append t
	sblog group commit t g 4
	sblog group commit t other 3
	flip "$SBLOG_DIR/t/groups/g" 50
	flip "$SBLOG_DIR/t/groups/g" 4150
	run -6 --separate-stderr sblog group show t g
	stderr_is 'sblog-group: t: slot checksum differs, and so is the other (file groups/g, byte 0)'
	run -6 --separate-stderr sblog group ls t
	[ "$(cut -f 2,3 <<<"$output")" = $'g\t-\nother\t3' ]
	run -6 sblog group commit t g 5
	run -6 sblog group park t g
	run -6 sblog stat --groups t
	sblog group reset t g --to 5
	[ "$(field t g committed)" = 5 ]
	sblog group ls t
}

@test "group: a file that was renamed, swapped or cut short is not believed" {
	seq 10 | sblog append t
	seq 10 | sblog append u
	sblog group commit t g 4
	sblog group commit u g 5
	cp "$SBLOG_DIR/t/groups/g" "$SBLOG_DIR/t/groups/h"
	run -6 sblog group show t h
	cp "$SBLOG_DIR/u/groups/g" "$SBLOG_DIR/t/groups/g"
	run -6 sblog group show t g
	truncate -s 100 "$SBLOG_DIR/u/groups/g"
	run -6 sblog group show u g
	truncate -s 0 "$SBLOG_DIR/u/groups/g"
	run -6 sblog group commit u g 1
	sblog group rm u g
	run -3 sblog group show u g
}

@test "group: what is no file is no group" {
	seq 10 | sblog append t
	mkdir -p "$SBLOG_DIR/t/groups/dir"
	mkfifo "$SBLOG_DIR/t/groups/fifo"
	ln -s /etc/passwd "$SBLOG_DIR/t/groups/link"
	for g in dir fifo link; do
		run -1 sblog group show t "$g"
		run -1 sblog group commit t "$g" 1
	done
}

@test "group: a log that is another one now has diverged" {
	seq 10 | sblog append --sync=none t
	sblog group commit t g 8 --undurable
	wal=$SBLOG_DIR/t/00000000000000000000.wal
	truncate -s 4096 "$wal"
	rm "$SBLOG_DIR/t/state"
	run -6 --separate-stderr sblog group show t g
	[[ $stderr == *'log diverged'* ]]
	seq 20 | sblog append t
	run -6 --separate-stderr sblog group show --json t g
	[ "$(jq -r '.topics[0].groups[0].state' <<<"$output")" = diverged ]
	[[ $stderr == *'log diverged'*'(offset 8)'* ]]
	sblog group reset t g --to 3
	run -0 sblog group show t g
}

@test "group: what retention took before it was committed" {
	seq 10 | sblog append t
	sblog group commit t g 3
	run -4 sblog trim t --before 5
	sblog group park t g
	sblog trim t --before 5
	[ "$(field t g trimmed)" = 2 ]
	[ "$(field t g lag)" = 5 ]
	[ "$(field t g state)" = parked ]
	run -3 --separate-stderr sblog group reset t g --to 4
	stderr_is 'sblog-group: t: before the start: 5 to 10 can be committed (offset 4)'
	sblog group reset t g --shift -1
	[ "$(field t g committed)" = 5 ]
}

@test "group: what was durable when committed is not taken for torn" {
	seq 10 | sblog append t
	sblog group commit t g 8
	truncate -s 4096 "$SBLOG_DIR/t/00000000000000000000.wal"
	rm "$SBLOG_DIR/t/state"
	echo next | sblog append t
	[ "$(sblog read -o 8 -f '%o %v\n' t)" = '8 next' ]
	run -6 sblog read t
}

@test "group: a removed topic takes its groups along" {
	seq 10 | sblog append t
	sblog group commit t g 8
	sblog rm t --yes
	[ ! -e "$SBLOG_DIR/lost+found" ]
	seq 10 | sblog append t
	run -3 sblog group show t g
}

@test "group: a removed topic keeps what is not of sblog among its groups" {
	seq 10 | sblog append t
	sblog group commit t g 8
	echo mine >"$SBLOG_DIR/t/groups/..mine"
	sblog rm t --yes
	run -0 find "$SBLOG_DIR/lost+found" -type f -name '..mine'
	[ -n "$output" ]
}

@test "group: verify knows groups" {
	seq 10 | sblog append t
	sblog group commit t g 7
	sblog group commit t g 8
	run -0 --separate-stderr sblog verify --deep t
	stderr_is ''
	[ "${#lines[@]}" = 1 ]
	echo x >"$SBLOG_DIR/t/groups/..x"
	flip "$SBLOG_DIR/t/groups/g" 50
	run -0 sblog verify --tsv t
	[[ $output == *$'torn\tgroups/g\t0\t'* ]]
	[[ $output == *$'orphan\tgroups/..x\t'* ]]
	flip "$SBLOG_DIR/t/groups/g" 5000
	run -0 sblog verify t
	flip "$SBLOG_DIR/t/groups/g" 4150
	run -6 sblog verify --tsv t
	[[ $output == *$'damage\tgroups/g\t0\t'* ]]
	[ "$(sblog read t)" = "$(seq 10)" ]
}

@test "stat: --groups, --metrics and --max-lag" {
	seq 10 | sblog append t
	sblog group commit t slow 2
	sblog group commit t fast 9
	run -0 bash -c 'sblog stat --groups --tsv t | cut -f 1-3,6,12'
	[ "$output" = $'t\tfast\t9\t1\t-\nt\tslow\t2\t8\tholds' ]
	[ "$(sblog stat --groups --json t | jq -c '[.topics[0].groups[].group]')" = '["fast","slow"]' ]
	[ "$(sblog stat --json t | jq '.topics[0].groups')" = null ]
	run -0 sblog stat --metrics t
	[[ $output == *'sblog_group_lag{topic="t",group="slow"} 8'* ]]
	run -0 sblog stat --max-lag 8 t
	run -7 --separate-stderr sblog stat --max-lag 7 t
	stderr_is 'sblog-stat: t: group slow is further behind than --max-lag'
	sblog group park t slow
	run -0 sblog stat --max-lag 7 t
	run -7 --separate-stderr sblog group show --max-lag 7 t
	stderr_is 'sblog-group: t: group slow: lag 8 is more than --max-lag'
	run -0 sblog group show --max-age 1h t
	run -7 sblog group show --max-age 0s t fast
}
