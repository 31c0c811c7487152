#!/usr/bin/env bats
# golden.bats - stores that earlier versions wrote are read as they were, and
# can be written to.

load lib/common

# each_topic COMMAND - with GOLDEN and TOPIC set, in a copy of each store
each_topic() {
	local n=0 old

	for GOLDEN in "$BATS_TEST_DIRNAME"/../golden/v*; do
		rm -rf "$SBLOG_DIR"
		cp -r "$GOLDEN/store" "$SBLOG_DIR"
		for old in "$GOLDEN"/*.json; do
			TOPIC=$(basename "$old" .json)
			n=$((n + 1))
			"$1" || { echo "$GOLDEN: $TOPIC" && return 1; }
		done
	done
	[ "$n" -ge 5 ]
}

reads_the_same() {
	sblog read -f json "$TOPIC" >now
	cmp "$GOLDEN/$TOPIC.json" now
}

goes_on() {
	sblog verify --deep "$TOPIC" >report || return 1
	sblog append "$TOPIC" <<<new || return 1
	sblog seal "$TOPIC" >report || return 1
	sblog read -f json "$TOPIC" >now
	[ "$(wc -l <now)" -eq $(($(wc -l <"$GOLDEN/$TOPIC.json") + 1)) ] || return 1
	head -n -1 now | cmp - "$GOLDEN/$TOPIC.json" || return 1
	sblog verify --deep "$TOPIC" >report
}

@test "golden: old stores are read as they were" {
	each_topic reads_the_same
}

@test "golden: reading an old store changes nothing" {
	cp -r "$BATS_TEST_DIRNAME/../golden/v1/store" "$SBLOG_DIR"
	before=$(tree_sum "$SBLOG_DIR")
	sblog read mixed rotated >out
	sblog verify --deep --all >out
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "golden: old stores verify, are appended to and sealed" {
	each_topic goes_on
}

reads_alone() {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/../independent/reader.py" \
		"$SBLOG_DIR" "$TOPIC" >now
	cmp "$GOLDEN/$TOPIC.json" now
}

@test "golden: a reader written from the manual reads them too" {
	/usr/bin/python3 -c 'import xxhash, lz4.block' 2>/dev/null ||
		skip 'no /usr/bin/python3 with the modules xxhash and lz4'
	each_topic reads_alone
}
