#!/usr/bin/env bats
# streams.bats - records by key, category and position; a topic as a table.

load lib/common

# events N STREAMS - N records of so many streams of two categories
events() {
	seq 0 $(($1 - 1)) | awk -v n="$2" '{
		print ($1 % 2 ? "acct" : "bill") "-" $1 % n "\tv" $1 }'
}

# Each look-up with and without what helps it, before and after sealing.
everywhere() { # COMMAND WANTED
	local at
	for at in unsealed part sealed without; do
		case $at in
		part)
			sblog seal t >/dev/null
			sblog append -K '\t' t <"$BATS_TEST_TMPDIR/rest"
			;;
		sealed) sblog seal t >/dev/null ;;
		without) sblog index --drop t >/dev/null ;;
		*) sblog append -K '\t' t <"$BATS_TEST_TMPDIR/begin" ;;
		esac
		[ $at = unsealed ] || diff <(eval "$1") <(eval "$2") || {
			echo "$at: $1"
			return 1
		}
	done
}

setup_events() {
	events 5000 50 >"$BATS_TEST_TMPDIR/all"
	head -n 3000 "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/begin"
	tail -n 2000 "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/rest"
}

@test "streams: all records of a key, in order, with their positions" {
	setup_events
	everywhere "sblog read --key acct-7 -f '%p\t%o\t%v\n' t" \
		"awk -F '\t' '\$1 == \"acct-7\" { print n++ \"\t\" NR - 1 \"\t\" \$2 }' $BATS_TEST_TMPDIR/all"
}

@test "streams: from a position, and from an offset" {
	setup_events
	everywhere "sblog read --key bill-8 --pos 40 -c 10 -f '%p %v\n' t" \
		"awk -F '\t' '\$1 == \"bill-8\" && n++ >= 40 && n <= 50 { print n - 1, \$2 }' $BATS_TEST_TMPDIR/all"
	run -0 --separate-stderr sblog read --key bill-8 -o 2500 --to 2600 -f '%o ' t
	stdout_is '2508 2558 '
	run -0 --separate-stderr sblog read --key bill-8 --pos 1000 t
	stdout_is ''
}

@test "streams: a category in order of offset, with positions in JSON" {
	setup_events
	everywhere "sblog read --category bill -o 1001 -c 700 t" \
		"awk -F '\t' 'NR > 1001 && /^bill/ && n++ < 700 { print \$2 }' $BATS_TEST_TMPDIR/all"
	run -0 --separate-stderr sblog read --category acct -o 4999 -f json t
	[ "$(jq -r .pos <<<"$output")" = 99 ]
	# What is printed is input again.
	sblog read --category acct -f json t | sblog append -f json copy
	diff <(sblog read --category acct -K = t) <(sblog read -K = copy)
}

@test "streams: a key without a dash is a category, and no other" {
	printf 'acct 1\nacct-1 2\nacctx-1 3\n-1 4\nacct- 5\nacct-1-2 6\n 7\n' | sblog append -K ' ' t
	run -0 --separate-stderr sblog read --category acct -f '%v ' t
	stdout_is '1 2 5 6 '
	run -0 --separate-stderr sblog read --category '' -f '%v ' t
	stdout_is '4 7 '
	run -0 --separate-stderr sblog read --key '' -f '%v' t
	stdout_is 7
	run -0 --separate-stderr sblog ls t --categories --tsv
	[ "$(cut -f 1 <<<"$output")" = $'\nacct\nacctx' ]
	run -0 --separate-stderr sblog ls t --streams
	stdout_is $'\n-1\nacct\nacct-\nacct-1\nacct-1-2\nacctx-1'
}

@test "streams: the topic as a table hides tombstones" {
	setup_events
	everywhere "sblog read --latest -f '%k %v\n' t | sort" \
		"awk -F '\t' '{ v[\$1] = \$2 } END { for (k in v) print k, v[k] }' $BATS_TEST_TMPDIR/all | sort"
	sblog append -k acct-1 -Z t <<<''
	run -0 --separate-stderr sblog read --latest --key acct-1 t
	stdout_is ''
	run -3 --separate-stderr sblog read -q --latest --key acct-1 t
	stdout_is ''
	stderr_is ''
	run -0 --separate-stderr sblog read -q --latest --key acct-3 t
	stdout_is ''
	[ "$(sblog read --latest t | wc -l)" -eq 49 ]
	run -0 --separate-stderr sblog read --latest --key acct-3 t
	stdout_is v4953
}

@test "streams: the newest record, also of a type" {
	sblog append -k s-1 -H type=A t <<<a1
	seq 500 | sblog append -k s-1 -H type=B t
	sblog append -k s-2 -H type=A t <<<a2
	run -0 --separate-stderr sblog read --key s-1 --last -f '%p %v' t
	stdout_is '500 500'
	run -0 --separate-stderr sblog read --key s-1 --last --header type=A -f '%p %v' t
	stdout_is '0 a1'
	run -0 --separate-stderr sblog read --last --header type=B -f '%o' t
	stdout_is 500
	run -0 --separate-stderr sblog read --key s-1 --last --header type=C t
	stdout_is ''
	run -0 --separate-stderr sblog read --key no --last t
	stdout_is ''
}

@test "streams: members share a category as Message DB does" {
	# Cardinal id, and its hash modulo 2, 3, 4, 8.
	cat >"$BATS_TEST_TMPDIR/vectors" <<-'END'
		 0 2 0 4
		1 0 0 2 6
		2 1 1 1 5
		3 0 2 2 2
		123 1 1 3 3
		456 1 1 3 7
		abc 0 2 0 0
		a1b2c3d4 1 2 3 3
		account 1 0 1 5
		someCategory 0 0 0 0
		550e8400-e29b-41d4-a716-446655440000 0 1 0 4
	END
	while IFS=' ' read -r id m2 m3 m4 m8; do
		[ -n "$m8" ] || { m8=$m4 m4=$m3 m3=$m2 m2=$id id=; }
		sblog append -k "c-$id" t <<<"$id"
		sblog append -k "c-$id+more" plus <<<"$id"
		for share in "$m2/2" "$m3/3" "$m4/4" "$m8/8"; do
			for topic in t plus; do
				sblog read --category c --member "$share" "$topic" | grep -qx -- "$id" ||
					{ echo "$id is not read by $share"; return 1; }
			done
		done
	done <"$BATS_TEST_TMPDIR/vectors"
	[ "$(for i in 0 1 2; do sblog read --category c --member $i/3 t; done | wc -l)" -eq 11 ]
	# Without an id: nobody's, unless it is asked for.
	sblog append -k c t <<<idless
	[ "$(for i in 0 1 2; do sblog read --category c --member $i/3 t; done | grep -c idless)" -eq 0 ]
	[ "$(for i in 0 1 2; do sblog read --category c --member $i/3 --include-idless t; done | grep -c idless)" -eq 1 ]
	run -2 --separate-stderr sblog read --member 3/3 t
	run -2 --separate-stderr sblog read --member x t
}

@test "streams: correlation is the category of a stream in the metadata" {
	sblog append -k a-1 -H 'meta={"correlationStreamName":"wf-1"}' t <<<1
	sblog append -k a-2 -H 'meta={"correlationStreamName":"wf"}' t <<<2
	sblog append -k a-3 -H 'meta={"correlationStreamName":"wfx-1"}' t <<<3
	sblog append -k a-4 -H 'meta={"other":"wf-1"}' t <<<4
	sblog append -k a-5 -H 'meta=wf-1' t <<<5
	sblog append -k a-6 t <<<6
	run -0 --separate-stderr sblog read --category a --correlation wf -f '%v ' t
	stdout_is '1 2 '
	run -0 --separate-stderr sblog read --category a --correlation w_ t
	stdout_is ''
}

@test "streams: a follower of a key sees what comes, and nothing else" {
	sblog append -k a t <<<1
	sblog read --key a -F -c 3 t >"$BATS_TEST_TMPDIR/out" &
	for i in 2 3; do
		sblog append -k b t <<<no
		sblog append -k a t <<<$i
	done
	wait $!
	diff <(seq 3) "$BATS_TEST_TMPDIR/out"
}

@test "streams: stat counts by stream, category and type" {
	printf 'a-1 x\na-2 yy\nb-1 z\na-1 w\n' | sblog append -K ' ' -H type=T t
	echo none | sblog append t
	run -0 --separate-stderr sblog stat --by category --tsv t
	[ "$(cut -f 1-5 <<<"$output")" = $'a\t3\t4\t0\t3\nb\t1\t1\t2\t2' ]
	run -0 --separate-stderr sblog stat --by stream --json t
	[ "$(jq -c '[.topics[0].stream[] | [.name, .records]]' <<<"$output")" = '[["a-1",2],["a-2",1],["b-1",1]]' ]
	run -0 --separate-stderr sblog stat --by type t
	[ "$(cut -f 1,2,6 <<<"$output")" = $'T\t4\t100.0%' ]
	run -2 --separate-stderr sblog stat --by nothing t
}

@test "streams: bad asks are one line and status 2" {
	sblog create t
	for bad in '--key a --category b' '--pos 1' '--category a-b' '--latest -F' \
		'--last -F' '--latest --category c' '--include-idless' '--header x'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr sblog read $bad t
		[ "${#stderr_lines[@]}" -eq 1 ]
	done
	run -2 --separate-stderr sblog read --key "$(printf '%070000d' 0)" t
	run -2 --separate-stderr sblog ls --streams
	run -2 --separate-stderr sblog ls --streams t u
	run -2 --separate-stderr sblog ls --prefix x
	run -3 --separate-stderr sblog ls --streams nope
}

@test "streams: index.keys=false keeps no index, and finds the same" {
	setup_events
	sblog create t --config index.keys=false
	sblog append -K '\t' t <"$BATS_TEST_TMPDIR/begin"
	sblog seal t >/dev/null
	sblog append -K '\t' t <"$BATS_TEST_TMPDIR/rest"
	[ "$(find "$SBLOG_DIR/t" -name '*.k*' | wc -l)" -eq 0 ]
	diff <(sblog read --key acct-7 t) \
		<(awk -F '\t' '$1 == "acct-7" { print $2 }' "$BATS_TEST_TMPDIR/all")
	sblog config t index.keys=true
	sblog index t >/dev/null
	[ "$(find "$SBLOG_DIR/t" -name '*.k*' | wc -l)" -eq 2 ]
	diff <(sblog read --key acct-7 t) \
		<(awk -F '\t' '$1 == "acct-7" { print $2 }' "$BATS_TEST_TMPDIR/all")
}
