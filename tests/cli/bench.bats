#!/usr/bin/env bats
# bench.bats - sblog-bench list and run, and what a run leaves.

load lib/common

@test "bench list: columns, and the same as JSON" {
	run -0 --separate-stderr sblog bench list tool
	stdout_is $'tool\ttool\t\twhat measuring itself costs: an empty operation, the clock, the histogram'
	stderr_is ''
	run -0 --separate-stderr sblog bench list --json
	[ "$(jq -r '.schema' <<<"$output")" = sblog.bench-list/1 ]
	[ "$(jq -r '.scenarios[].name' <<<"$output")" = "$(sblog bench list | cut -f1)" ]
}

@test "bench run: a result with every run, its workload and its machine" {
	mkdir stores
	export TMPDIR=$PWD/stores
	run -0 --separate-stderr sblog bench run --quick --runs 3 --output r \
		--remark 'a remark' tool
	[ "$(wc -l <<<"$output")" -eq 4 ]
	[[ $output == 'MEASURE '*$'\n''tool/empty '*'/s '*' not subtracted from anything'$'\n'* ]]
	stderr_is ''
	[ "$(jq -c '[.schema, .remark, .partial, (.measures | length)]' r)" = \
		'["sblog.bench/1","a remark",false,3]' ]
	[ "$(jq -c '[.measures[].workload.ops] | unique' r)" = '["500000"]' ]
	[ "$(jq '[.measures[].runs[] | select(.value > 0 and .ops == 500000 and
		(.failed | not))] | length' r)" -eq 9 ]
	[ -z "$(ls -A stores)" ]
	# and it can be compared with itself and reported
	run -0 --separate-stderr sblog bench compare --fail r r
	[[ $output == *'0 worse, 0 better, '* ]]
	run -0 --separate-stderr sblog bench report r
	[[ $output == *'- remark: a remark'*'| tool/histogram |'* ]]
}

@test "bench run: bad input is refused before anything is run" {
	run -2 --separate-stderr sblog bench run tool nonsense
	stdout_is ''
	stderr_is 'sblog-bench: nonsense: no such scenario (see sblog bench list)'
	run -2 --separate-stderr sblog bench list nonsense
	stdout_is ''
	stderr_is 'sblog-bench: nonsense: no such scenario (see sblog bench list)'
	run -1 --separate-stderr sblog bench run --quick --directory none tool
	stdout_is ''
	[[ $stderr == 'sblog-bench: none/sblog-bench-'*': No such file or directory' ]]
	run -1 --separate-stderr sblog bench run --quick --output none/r tool
	[[ $stderr == 'sblog-bench: none/r: No such file or directory' ]]
}

@test "bench run: what was measured before a signal is kept and marked" {
	mkdir stores
	sblog-bench run --runs 1000000 --quick --directory stores --output r tool \
		>out 2>err &
	pid=$!
	until [ -n "$(ls -A stores)" ]; do kill -0 $pid; done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ $status -eq 143 ]
	[ "$(jq -c '.partial, (.measures[0].runs | length > 0)' r | tr '\n' ' ')" = 'true true ' ]
	[ "$(wc -l <out)" -eq 4 ]
	[ ! -s err ]
	[ -z "$(ls -A stores)" ]
	run -0 --separate-stderr sblog bench report r
	[[ $output == *'**This result is partial.**'* ]]
}
