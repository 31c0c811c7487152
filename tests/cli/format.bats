#!/usr/bin/env bats
# format.bats - the manual and the code describe the same bytes.

load lib/common

# fields_in_manual PAGE SECTION - "at type field" for each row of its table
fields_in_manual() {
	sed -n "/^\.Ss $2\$/,/^\.El/s/^\.It \([0-9]*\) Ta \([ui][0-9]*\) Ta \([a-z_0-9]*\) .*/\1 \2 \3/p" "$ROOT/man/$1"
}

# fields_in_header FILE FROM TO - the same from the layout comment of a header,
# from the line that matches FROM to the one that matches TO
fields_in_header() {
	sed -n "/$2/,/$3/s/^ \*	 *\([0-9][0-9]*\)  *\([ui][0-9][0-9]*\)  *\([a-z_0-9]*\).*/\1 \2 \3/p" "$ROOT/$1"
}

# agree ROWS PAGE SECTION FILE FROM TO - both have ROWS rows, the same ones
agree() {
	fields_in_manual "$2" "$3" >manual
	fields_in_header "$4" "$5" "$6" >header
	[ "$(wc -l <manual)" -eq "$1" ]
	diff -u manual header
}

setup_file() {
	export ROOT=$BATS_TEST_DIRNAME/../..
}

@test "format: sblog-store(5) and codec/filehead.h agree on the file head" {
	agree 19 sblog-store.5 'File head' libcore/codec/filehead.h \
		'^ \* File head' '^ \* Foot'
}

@test "format: sblog-segment(5) and codec/filehead.h agree on the foot" {
	agree 16 sblog-segment.5 'Segment foot' libcore/codec/filehead.h \
		'^ \* Foot' '^ \*\/'
}

@test "format: sblog-wal(5) and codec/batch.h agree on the batch head" {
	agree 28 sblog-wal.5 'Batch head' libcore/codec/batch.h '^\/\*' '^ \*\/'
}

@test "format: sblog-index(5) and store/index.h agree on WAL index entries" {
	agree 4 sblog-index.5 'WAL index entry' libcore/store/index.h \
		'^ \* WAL index' '^ \*\/'
}

@test "format: sblog-index(5) and store/keyindex.h agree on the keys of a segment" {
	agree 3 sblog-index.5 'Key index head' libcore/store/keyindex.h \
		'^ \*	  0       file head' '^ \* then the hash'
	agree 3 sblog-index.5 'Key index page' libcore/store/keyindex.h \
		'^ \* times the number' 'n entries of'
	agree 6 sblog-index.5 'Key index entry' libcore/store/keyindex.h \
		'n entries of' '^ \* then the posting'
}

@test "format: sblog-index(5) and store/keytab.h agree on the keys of a WAL" {
	agree 11 sblog-index.5 'Key table head' libcore/store/keytab.h \
		'^ \*	  0       file head' '^ \* then tables'
	agree 8 sblog-index.5 'Key table entry' libcore/store/keytab.h \
		'^ \* bits; 0: none' '^ \* The links'
}

@test "format: sblog-group(5) and codec/group.h agree on a slot" {
	agree 20 sblog-group.5 'Group slot' libcore/codec/group.h '^\/\*' '^ \*\/'
}

@test "format: sblog-store(5) and store/state.h agree on the state page" {
	agree 33 sblog-store.5 'State words' libcore/store/state.h '^\/\*' \
		'^ \*\/'
}

@test "format: sblog-format(7) and cmd/common/frame.h agree on the frame" {
	agree 7 sblog-format.7 'Layout of a frame' cmd/common/frame.h '^\/\*' '^ \*\/'
}

@test "format: sblog-manifest(5) and codec/manifest.h have the same lines" {
	lines() {
		sed -n "s/^$1\(generation\|topic\|created\|start\|segment\|wal\|active\|lost\|hash\|sblog-manifest\) \(.*\)/\1/p" "$2"
	}
	sed -n '/^\.Bd/,/^\.Ed/p' "$ROOT/man/sblog-manifest.5" >text
	lines '' text >manual
	lines ' \*	' "$ROOT/libcore/codec/manifest.h" >header
	[ "$(wc -l <manual)" -eq 10 ]
	diff -u manual header
}

@test "format: constants of the chain are those of codec/chain.h" {
	grep -o '0x[0-9a-f]\{16\}' "$ROOT/libcore/codec/chain.h" | sort -u >header
	[ "$(wc -l <header)" -eq 5 ]
	while read -r constant; do
		grep -qi "$constant" "$ROOT/man/sblog-wal.5"
	done <header
}

# says TEXT FILE - however its lines are broken
says() { tr -s '[:space:]' ' ' <"$2" | grep -qF "$1"; }

@test "format: limits in the pages are those of the code" {
	cd "$ROOT"
	says 'SB_BATCH_HEAD_SIZE = 128,' libcore/codec/batch.h
	says 'SB_WAL_HEAD_SIZE = 4096' libcore/codec/filehead.h
	says 'SB_SEG_HEAD_SIZE = 128,' libcore/codec/filehead.h
	says 'SB_BLOCK_RAW = 96 << 10' libcore/store/segment.h
	says 'SB_WINDEX_STEP = 256 << 10' libcore/store/index.h
	says 'SB_STATE_SIZE = 4096' libcore/store/state.h
	says 'SBLOG_HEADERS_MAX = 1 << 20' libcore/include/sblog.h
	says 'SBLOG_VALUE_MAX = (1 << 30) - 1' libcore/include/sblog.h
	says 'SBLOG_BATCH_RECORDS_MAX = 1 << 20' libcore/include/sblog.h
}
