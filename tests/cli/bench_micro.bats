#!/usr/bin/env bats
# bench_micro.bats - sblog-bench run micro, readpath and streams: what they
# measure, and which published figures each stands for.

# Its loops are long for a sanitizer.
# bats file_tags=slow

load lib/common

measured() {
	mkdir -p stores
	run -0 --separate-stderr sblog bench run --quick --duration 1ms \
		--directory stores --output r "$@"
	stderr_is ''
	[ -z "$(ls -A stores)" ]
	[ "$(jq '[.measures[].runs[] | select(.failed or (.value > 0 | not))] | length' r)" -eq 0 ]
}

# rows_of GROUP: numbers of the published figures, one to a line
rows_of() {
	sblog bench list --json "$1" |
		jq -r '.scenarios[].rows | split(",")[] | select(. != "")' | sort -nu
}

@test "bench run micro: every operation, with what it allocates" {
	measured micro
	[ "$(jq '[.measures[].scenario] | length' r)" -eq "$(sblog bench list micro | wc -l)" ]
	# an append and a look-up allocate nothing
	[ "$(jq '[.measures[] | select(.name == "micro/append-1" or .name == "micro/key-get")
		| .runs[].allocs_per_op] | add' r)" = 0 ]
	# and the counter counts: opening a topic does
	[ "$(jq '.measures[] | select(.name == "micro/topic-open") | .runs[0].allocs_per_op >= 1' r)" = true ]
}

@test "bench run readpath: pieces, sizes, readers, warm and at random" {
	measured readpath/chunk readpath/size readpath/readers readpath/order
	[ "$(jq -r '[.measures[] | select(.name | startswith("readpath/chunk/"))] | length' r)" -eq 15 ]
	[ "$(jq -r '[.measures[].workload.readers // empty] | join(" ")' r)" = '1 2 4 8' ]
}

@test "bench run readpath/cold: nothing is cold where files live in memory" {
	[ -d /dev/shm ] || skip "no file system in memory"
	TMPDIR=/dev/shm run -4 --separate-stderr sblog bench run --quick readpath/cold
	[[ $stderr == *'sealed-cold, run 1: '*' pages stay in the cache: nothing is cold'* ]]
}

@test "bench run streams: at three numbers of messages" {
	measured streams
	[ "$(jq -r '[.measures[] | select(.scenario == "streams/get-10") | .workload.messages] | join(" ")' r)" = \
		'100 10000 100000' ]
}

@test "bench list: the published figures of operations have their scenarios" {
	# 20, 23, 25 to 31, 43: no operation, or an example of how to print one;
	# 52 to 54, 59, 61 to 63: other systems' stores and plans;
	# 81 to 83, 85, 87 to 89, 100: advice
	rows_of '*' >have
	printf '%s\n' {1..19} 21 22 24 26 {32..42} {44..51} {55..58} 60 {64..80} 84 86 \
		{90..99} >want
	[ "$(comm -13 <(sort have) <(sort want) | tr '\n' ' ')" = '' ]
}
