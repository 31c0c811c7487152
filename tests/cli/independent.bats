#!/usr/bin/env bats
# independent.bats - a reader that was written from the manual alone sees the
# same records as sblog read, and finds every hash and chain right.

load lib/common

# needs_reader - skip without the modules that reader.py imports
needs_reader() {
	READER=$BATS_TEST_DIRNAME/../independent/reader.py
	for PYTHON in /usr/bin/python3 python3; do
		"$PYTHON" -c 'import xxhash, lz4.block' 2>/dev/null && return 0
	done
	skip 'no python3 with the modules xxhash and lz4'
}

# same TOPIC - both readers print the same, it is not nothing, and the chain of
# all records is the same
same() {
	local chain

	sblog read -f json "$1" >ours
	"$PYTHON" "$READER" -v "$SBLOG_DIR" "$1" >theirs 2>notes
	[ -s ours ]
	cmp ours theirs
	chain=$(sblog stat "$1" | sed -n 's/^ *chain *//p')
	[ "${#chain}" -eq 16 ]
	grep "chain $chain" notes
}

# mixture N - JSON of N records with keys, headers, nulls, times, binary
mixture() {
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++) {
			s = "\"value\":\"v" i "\""
			if (i % 5 == 1) s = "\"value\":null"
			if (i % 5 == 2) s = "\"value\":\"\""
			if (i % 7 == 3) s = "\"value_b64\":\"AP8K\""
			if (i % 2) s = s ",\"key\":\"k" i % 11 "\""
			if (i % 13 == 4) s = s ",\"key\":\"\""
			if (i % 3 == 0) s = s ",\"user_ts\":" i * 1000 - 5000
			if (i % 4 == 0) s = s ",\"headers\":[{\"key\":\"h\"," \
			    "\"value\":\"x" i "\"},{\"key\":\"n\",\"value\":null}]"
			gsub(/"key":"k[0-9]*","key":""/, "\"key\":\"\"", s)
			print "{" s "}"
		}
	}'
}

# worked_example - the topic whose bytes sblog-wal(5) shows, as topic "t"
worked_example() {
	local page=$BATS_TEST_DIRNAME/../../man/sblog-wal.5

	mkdir -p "$SBLOG_DIR/t"
	sed -n '/^sblog-manifest 1/,/^hash /p' "$page" >"$SBLOG_DIR/t/manifest"
	"$PYTHON" - "$page" "$SBLOG_DIR/t/00000000000000000000.wal" <<-'END'
		import re, sys
		rows = re.findall(r"^([0-9a-f]{8})  ((?:[0-9a-f]{2} ?)+)$",
		                  open(sys.argv[1]).read(), re.M)
		with open(sys.argv[2], "wb") as f:
		    for at, row in rows:
		        f.seek(int(at, 16))
		        f.write(bytes.fromhex(row))
	END
}

@test "independent: the worked example of sblog-wal(5)" {
	needs_reader
	worked_example
	same t
	run -0 "$PYTHON" "$READER" -v "$SBLOG_DIR" t
	[[ $output == *'chain ba9b2d40746b108a'* ]]
	[ "$(sblog read -K = t)" = $'a=one\nbb=' ]
	run -0 sblog verify --deep t
}

@test "independent: an empty topic" {
	needs_reader
	sblog create t
	run -0 --separate-stderr "$PYTHON" "$READER" "$SBLOG_DIR" t
	stdout_is ''
	stderr_is ''
}

@test "independent: lines, also empty ones and one without a newline" {
	needs_reader
	printf 'a\n\nbcd\n' | sblog append t
	printf 'x' | sblog append t
	same t
	[ "$(wc -l <theirs)" -eq 4 ]
}

@test "independent: keys, headers, nulls, empty values, user times, bytes" {
	needs_reader
	mixture 300 | sblog append -f json t
	same t
}

@test "independent: batches compressed on the way in" {
	needs_reader
	seq -f 'line %08.0f of some text that repeats itself' 20000 >in
	sblog append -z lz4 t in
	mixture 300 | sblog append -z lz4 -f json t
	same t
}

@test "independent: bulk batches, which are padded to pages" {
	needs_reader
	seq -f 'line %08.0f of some text that repeats itself' 60000 >in
	sblog append t in
	same t
}

@test "independent: a sealed topic, foot and index included" {
	needs_reader
	seq -f 'line %08.0f of some text that repeats itself' 20000 >in
	sblog append t in
	mixture 300 | sblog append -f json t
	sblog seal t >report
	same t
	[ -f "$SBLOG_DIR/t/00000000000000000000.idx" ]
}

@test "independent: segments without compression" {
	needs_reader
	sblog create --config compression.type=none t
	mixture 300 | sblog append -f json t
	sblog seal t >report
	same t
}

@test "independent: segments, finished logs and an active one" {
	needs_reader
	sblog create --config segment.bytes=64K t
	for part in 1 2 3; do
		seq -f "part $part line %06.0f" 3000 >in
		sblog append t in
		if [ "$part" -lt 3 ]; then
			sblog seal t >report
		fi
		mixture 50 | sblog append -f json t
	done
	same t
}

@test "independent: holes that were kept" {
	needs_reader
	printf '%s\n' '{"offset":3,"ts":5,"value":"a"}' \
		'{"offset":4,"ts":5,"value":"b"}' \
		'{"offset":9,"ts":8,"value":"c"}' |
		sblog append -f json --keep-offsets t
	same t
	sblog seal t >report
	same t
}

@test "independent: compacted segments, merged, with holes; and a start" {
	needs_reader
	sblog create t --config cleanup.policy=compact
	for part in 1 2 3; do
		mixture 300 | sblog append -f json t
		seq -f 'line %06.0f without a key' 500 | sblog append t
		sblog compact --seal --min-dirty 0 t >report
		same t
	done
	[ -z "$(find "$SBLOG_DIR/t" -name '00000000000000000000.seg')" ]
	# Only the last record of a block is gone.
	sblog create u --config cleanup.policy=compact
	sblog append -k a u <<<1
	sblog append -k b -Z u <<<''
	sblog compact --seal u >report
	same u
	sblog compact --grace 0s u >report
	same u
	[ "$(wc -l <theirs)" -eq 1 ]
	sblog trim --before 1000 t >report
	same t
}

@test "independent: a topic that was written by many processes" {
	needs_reader
	sblog create t
	for p in 1 2 3 4 5 6; do
		for n in 1 2 3; do
			echo "$p $n" | sblog append t
		done &
	done
	wait
	same t
	[ "$(wc -l <theirs)" -eq 18 ]
}

@test "independent: what a torn write left is not part of the topic" {
	needs_reader
	printf 'a\nb\n' | sblog append --sync=none t
	sblog read -f json t >before
	printf 'SBB1 half of a batch' >>"$SBLOG_DIR/t/00000000000000000000.wal"
	rm "$SBLOG_DIR/t/state"
	same t
	cmp before theirs
	grep 'torn tail at byte' notes
	sblog append t <<<c
	same t
	[ "$(wc -l <theirs)" -eq 3 ]
	grep -c 'half of a batch' "$SBLOG_DIR/t/lost+found"/*
}

@test "independent: a log that lost durable records is damaged for both" {
	needs_reader
	printf 'a\nb\n' | sblog append t
	truncate -s 4200 "$SBLOG_DIR/t/00000000000000000000.wal"
	run -6 sblog read t
	run -6 "$PYTHON" "$READER" "$SBLOG_DIR" t
	[[ $output == *'records 0 to 2 are lost'* ]]
}

# bats test_tags=slow
@test "independent: every flipped byte of a small topic is noticed or harmless" {
	needs_reader
	printf 'a\nb\n' | sblog append t
	sblog seal t >report
	"$PYTHON" "$READER" "$SBLOG_DIR" t >before
	for file in manifest 00000000000000000000.seg; do
		size=$(stat -c %s "$SBLOG_DIR/t/$file")
		for at in 0 9 25 $((size / 2)) $((size - 120)) $((size - 2)); do
			cp -a "$SBLOG_DIR" broken
			"$PYTHON" - "broken/t/$file" "$at" <<-'END'
				import sys
				with open(sys.argv[1], "r+b") as f:
				    f.seek(int(sys.argv[2]))
				    byte = f.read(1)[0]
				    f.seek(int(sys.argv[2]))
				    f.write(bytes([byte ^ 1]))
			END
			status=0
			"$PYTHON" "$READER" broken t >after 2>why || status=$?
			if [ "$status" -eq 0 ]; then
				cmp before after
			else
				[ "$status" -eq 6 ]
			fi
			rm -r broken
		done
	done
}

# bats test_tags=slow
@test "independent: random topics, sealed, copied, read at single offsets" {
	needs_reader
	run -0 "$PYTHON" "${READER%reader.py}shuffle.py" "$SBLOG_BUILD/bin" . 0 20
	[ -z "$output" ]
}
