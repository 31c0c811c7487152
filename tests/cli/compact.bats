#!/usr/bin/env bats
# compact.bats - sblog-compact and sblog-trim: what goes, what stays, and who may.

# shellcheck disable=SC2154 # stderr is set by run
load lib/common

# latest TOPIC - key and value of the newest record of each key, sorted
latest() { sblog read --latest -f '%k %v\n' "$1" | sort; }

keyed() { # FROM TO KEYS
	seq "$1" "$2" | awk -v n="$3" '{ print "k" $1 % n "\t" "v" $1 }'
}

@test "compact: keeps the latest record of each key, at its offset" {
	sblog create t --config cleanup.policy=compact
	keyed 0 9999 100 | sblog append -K '\t' t
	before=$(latest t)
	run -0 --separate-stderr sblog compact --seal t
	[ "$(cut -f 4,5 <<<"$output")" = $'10000\t100' ]
	[ "$before" = "$(latest t)" ]
	diff <(sblog read -f '%o %k %v\n' t) \
		<(keyed 0 9999 100 | awk -F '\t' 'NR > 9900 { print NR - 1, $1, $2 }')
	sblog verify --deep t
	# Nothing new: nothing to do, and not a byte changes.
	sum=$(tree_sum "$SBLOG_DIR")
	run -0 --separate-stderr sblog compact --min-dirty 0 t
	stdout_is ''
	[ "$sum" = "$(tree_sum "$SBLOG_DIR")" ]
	# Appending goes on where it was.
	run -0 --separate-stderr sblog append --ack t <<<more
	stdout_is 10000
}

@test "compact: what is not sealed is left alone and makes nothing obsolete" {
	sblog create t --config cleanup.policy=compact
	keyed 0 99 10 | sblog append -K '\t' t
	sblog seal t >/dev/null
	keyed 100 199 10 | sblog append -K '\t' t
	sblog compact t >/dev/null
	[ "$(sblog read t | wc -l)" -eq 110 ]
	sblog compact --seal --min-dirty 0 t >/dev/null
	[ "$(sblog read t | wc -l)" -eq 10 ]
}

@test "compact: a tombstone stays for its time, then goes for good" {
	sblog create t --config cleanup.policy=compact --config delete.retention.ms=1h
	printf 'a\t1\nb\t2\n' | sblog append -K '\t' t
	sblog append -k a -Z t <<<''
	sblog compact --seal t >/dev/null
	[ "$(sblog read -f '%o%k%V ' t)" = '1b1 2a-1 ' ]
	run -0 --separate-stderr sblog compact --min-dirty 0 t
	[ "$(sblog read -f '%o%k%V ' t)" = '1b1 2a-1 ' ]
	sblog compact --grace 0s t >/dev/null
	[ "$(sblog read -f '%o%k%V ' t)" = '1b1 ' ]
	run -3 --separate-stderr sblog read -q --latest --key a t
}

# A block whose records are the first of its range, without a hole before them.
@test "compact: holes only behind what stays" {
	sblog create t --config cleanup.policy=compact
	sblog append -k a t <<<1
	sblog append -k b -Z t <<<''
	sblog compact --seal t >/dev/null
	sblog compact --grace 0s t >/dev/null
	[ "$(sblog read -f '%o%k%v ' t)" = '0a1 ' ]
	sblog verify --deep t
	# The same in every block: values of 20 KB, one block for each pair.
	sblog create u --config cleanup.policy=compact
	for i in 1 2 3 4; do
		head -c 40000 /dev/zero | tr '\0' "$i" | fold -w 20000 |
			awk -v i="$i" '{ print (NR == 1 ? "k" i : "x") "\t" $0 }' |
			sblog append -K '\t' u
	done
	sblog append -k x u <<<last
	sblog compact --seal u >/dev/null
	[ "$(sblog read -f '%o%k%V ' u)" = '0k120000 2k220000 4k320000 6k420000 8x4 ' ]
	sblog verify --deep u
}

@test "compact: tombstones grow old, however often newer ones join them" {
	sblog create t --config cleanup.policy=compact --config delete.retention.ms=1s
	sblog append -k a t <<<1
	sblog append -k a -Z t <<<''
	for ((n = 0; n < 100; n++)); do
		sblog append -k "x$n" -Z t <<<''
		sblog compact --seal --min-dirty 0 t >/dev/null
		[ "$(sblog read -c 1 -f '%k' t)" = a ] || break
		read -rt 0.1 <> <(:) || :
	done
	[ "$n" -lt 100 ]
	# They share segments, of which there are few.
	[ "$(find "$SBLOG_DIR/t" -name '*.seg' | wc -l)" -le 12 ]
}

@test "compact: tombstones grow old beside segments of which nothing stays" {
	sblog create t --config cleanup.policy=compact --config compact.unkeyed=drop \
		--config delete.retention.ms=1s
	sblog append -k a t <<<1
	sblog append -k a -Z t <<<''
	sblog append -k b t <<<1
	for ((n = 0; n < 100; n++)); do
		seq 3 | sblog append t
		sblog compact --seal --min-dirty 0 t >/dev/null
		[ "$(sblog read -c 1 -f '%k' t)" = a ] || break
		read -rt 0.1 <> <(:) || :
	done
	[ "$n" -lt 100 ]
}

@test "compact: a tombstone stays as long as what it deleted stays for its token" {
	sblog create t --config cleanup.policy=compact
	sblog append --once token -k a t <<<1
	sblog append -k a -Z t <<<''
	sblog append -k b t <<<1
	sblog compact --seal t >/dev/null
	sblog compact --grace 0s --min-dirty 0 t >/dev/null
	[ "$(sblog read -f '%o%k%V ' t)" = '0a1 1a-1 2b1 ' ]
	run -3 --separate-stderr sblog read -q --latest --key a t
	sblog config t dedup.window=1us
	sblog compact --grace 0s --min-dirty 0 t >/dev/null
	[ "$(sblog read -f '%o%k%V ' t)" = '2b1 ' ]
}

@test "compact: records without a key stay, or go" {
	sblog create t --config cleanup.policy=compact
	printf 'a\t1\na\t2\n' | sblog append -K '\t' t
	seq 5 | sblog append t
	sblog compact --seal t >/dev/null
	[ "$(sblog read t | paste -sd ' ')" = '2 1 2 3 4 5' ]
	sblog config t compact.unkeyed=drop
	sblog append -k z t <<<z
	sblog compact --seal --min-dirty 0 t >/dev/null
	printf 'a\t3\n' | sblog append -K '\t' t
	sblog compact --seal --min-dirty 0 t >/dev/null
	[ "$(latest t | paste -sd ' ')" = 'a 3 z z' ]
}

@test "compact: little memory means more passes, and the same result" {
	sblog create t --config cleanup.policy=compact
	keyed 0 199999 100000 | sblog append -K '\t' t
	before=$(latest t | sha256sum)
	run -0 --separate-stderr sblog compact --seal --memory 1M --json t
	[ "$(jq '.topics[0].passes' <<<"$output")" -gt 2 ]
	[ "$(jq '.topics[0].records_after' <<<"$output")" -eq 100000 ]
	[ "$before" = "$(latest t | sha256sum)" ]
}

@test "compact: -n changes nothing and says the same" {
	sblog create t --config cleanup.policy=compact
	keyed 0 999 10 | sblog append -K '\t' t
	sblog seal t >/dev/null
	sum=$(tree_sum "$SBLOG_DIR")
	run -0 --separate-stderr sblog compact -n --json t
	[ "$(jq '.topics[0] | .records_before, .records_after' <<<"$output" | paste -sd ' ')" = '1000 10' ]
	[ "$sum" = "$(tree_sum "$SBLOG_DIR")" ]
}

@test "compact: --auto seals by segment.ms, and is silent where nothing is to do" {
	sblog create t --config segment.ms=1ms --config cleanup.policy=compact
	sblog create idle
	keyed 0 99 10 | sblog append -K '\t' t
	run -0 --separate-stderr sblog compact --all --auto
	[ "$(cut -f 1,2,5 <<<"$output")" = $'t\t100\t10' ]
	run -0 --separate-stderr sblog compact --all --auto
	stdout_is ''
	stderr_is ''
}

@test "compact: hook.seal runs for each segment" {
	sblog create t --config "hook.seal=echo \$SBLOG_TOPIC \$SBLOG_OFFSET \$SBLOG_END >>$BATS_TEST_TMPDIR/ran; test -s \$SBLOG_SEGMENT"
	seq 10 | sblog append t
	sblog seal t >/dev/null
	[ "$(cat ran)" = 't 0 10' ]
	sblog config t 'hook.seal=exit 3'
	seq 10 | sblog append t
	run -7 --separate-stderr sblog seal t
	[ "${stderr##*$'\n'}" = 'sblog-seal: t: hook.seal failed for 00000000000000000010.seg' ]
	[ "$(sblog read t | wc -l)" -eq 20 ]
}

@test "compact: damage stops it, and nothing is removed" {
	sblog create t --config cleanup.policy=compact
	keyed 0 999 10 | sblog append -K '\t' t
	sblog seal t >/dev/null
	seg=$(echo "$SBLOG_DIR"/t/*.seg)
	printf 'X' | dd of="$seg" bs=1 seek=300 conv=notrunc status=none
	run -6 --separate-stderr sblog compact t
	[ "$(ls "$SBLOG_DIR"/t/*.seg)" = "$seg" ]
}

@test "retention: by records, bytes and time, whole files" {
	sblog create t --config segment.bytes=64K
	for i in {1..8}; do
		seq -f "$i %040.0f" 1000 | sblog append t
		sblog seal t >/dev/null
	done
	sblog config t retention.records=2500
	sblog compact t >/dev/null
	[ "$(sblog read t | wc -l)" -eq 3000 ]
	[ "$(sblog read -c 1 -f '%o' t)" -eq 5000 ]
	sblog config t retention.records= retention.bytes=1
	sblog compact t >/dev/null
	[ "$(sblog stat --tsv t | cut -f 2,3)" = $'8000\t8000' ]
	seq 5 | sblog append t
	sblog seal t >/dev/null
	sblog config t retention.bytes= retention.ms=1h
	run -0 --separate-stderr sblog compact t
	stdout_is ''
	sblog config t retention.ms=1us
	sblog compact t >/dev/null
	[ "$(sblog read t | wc -l)" -eq 0 ]
}

@test "trim: exact by offset and number" {
	seq 0 99 | sblog append t
	sblog seal t >/dev/null
	seq 100 199 | sblog append t
	run -0 --separate-stderr sblog trim --before 42 t
	stdout_is $'t\t42\t0\t0\t0'
	[ "$(sblog read -c 2 t | paste -sd ' ')" = '42 43' ]
	run -3 --separate-stderr sblog stat --at 41 t
	run -0 --separate-stderr sblog trim --keep-records 10 t
	[ "$(sblog read t | paste -sd ' ')" = "$(seq 190 199 | paste -sd ' ')" ]
	[ "$(find "$SBLOG_DIR/t" -name '*.seg' -o -name '*.idx' | wc -l)" -eq 0 ]
	run -0 --separate-stderr sblog trim --before end t
	[ "$(sblog read t | wc -l)" -eq 0 ]
	run -3 --separate-stderr sblog trim --before 201 t
	run -0 --separate-stderr sblog append --ack t <<<x
	stdout_is 200
	sblog verify --deep t
}

@test "trim: a group that has not read holds it back" {
	seq 0 99 | sblog append t
	sblog group commit t slow 10
	run -4 --separate-stderr sblog trim --before 50 t
	stderr_is 'sblog-trim: t: group slow has read only up to 10'
	[ "$(sblog read t | wc -l)" -eq 100 ]
	sblog trim --before 10 t >/dev/null
	sblog group park t slow
	sblog trim --before 20 t >/dev/null
	sblog group park --unpark t slow || sblog group commit t slow 20
	sblog trim --before 50 --ignore-groups t >/dev/null
	[ "$(sblog read -c 1 t)" -eq 50 ]
}

@test "retention: groups bar it unless retention.groups says otherwise" {
	sblog create t --config retention.records=10
	for i in 0 1 2; do
		seq $((i * 100)) $((i * 100 + 99)) | sblog append t
		sblog seal t >/dev/null
	done
	sblog group commit t slow 150
	run -0 --separate-stderr sblog compact t
	[ "$(sblog read -c 1 t)" -eq 150 ]
	[[ $stderr == *'group slow holds records back'* ]]
	sblog config t retention.groups=false
	sblog compact t >/dev/null
	[ "$(sblog read -c 1 t)" -eq 200 ]
}

@test "trim: a follower is told of the gap" {
	seq 0 9 | sblog append t
	mkfifo pipe
	sblog read -F -c 12 t >out 2>err 3>&- &
	reader=$!
	for ((n = 0; n < 1000; n++)); do
		[ "$(wc -l <out)" -lt 10 ] || break
		read -rt 0.01 <> <(:) || :
	done
	kill -STOP $reader
	seq 10 99 | sblog append t
	sblog trim --before 98 t >/dev/null
	kill -CONT $reader
	status=0
	wait $reader || status=$?
	[ "$status" -eq 7 ]
	[ "$(cat err)" = 'sblog-read: t: gap 10..97 retention' ]
	[ "$(tail -n 2 out | paste -sd ' ')" = '98 99' ]
}

@test "trim: misuse" {
	seq 3 | sblog append t
	for bad in '' '--before 1 --keep-records 1' '--keep-records 0' '--before x' '--keep-age 0s'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr sblog trim $bad t
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
	run -2 --separate-stderr sblog compact --min-dirty 2 t
	run -3 --separate-stderr sblog compact nope
	run -2 --separate-stderr sblog compact
}
