#!/usr/bin/env bats
# bench-compare.bats - sblog-bench compare: verdicts, refusals, go test text.

load lib/common
load lib/bench

@test "bench compare: a verdict for each measure, status 0" {
	result base a/x=100,101,102,103 b/y=100,101,102,103 c/z=100,101,102,103
	result new a/x=110,111,112,113 b/y=90,91,92,93 c/z=100,101,102,104
	run -0 --separate-stderr sblog bench compare base new
	stdout_is $'measure  base          new            change   interval      test             verdict
a/x      102 ns +-1 %  112 ns +-1 %   +9.85 %  1.078..1.120  (p=0.029 n=4+4)  worse
b/y      102 ns +-1 %  91.5 ns +-2 %  -9.85 %  0.883..0.921  (p=0.029 n=4+4)  better
c/z      102 ns +-1 %  102 ns +-2 %   +0.00 %  0.980..1.030  (p=1.000 n=4+4)  noise
geometric mean of 3 in ns/op: -0.32 %
1 worse, 1 better, 1 noise, 0 inconclusive'
	stderr_is ''
}

@test "bench compare --fail: status 8 for a regression, 0 for anything else" {
	result base a=100,101,102,103
	result new a=110,111,112,113
	run -8 --separate-stderr sblog bench compare --fail base new
	[[ $output == *'1 worse, 0 better, 0 noise, 0 inconclusive' ]]
	stderr_is ''
	run -0 --separate-stderr sblog bench compare --fail new base
	[[ $output == *'0 worse, 1 better, 0 noise, 0 inconclusive' ]]
	run -0 --separate-stderr sblog bench compare --fail base base
	[[ $output == *'0 worse, 0 better, 1 noise, 0 inconclusive' ]]
}

@test "bench compare: a change within the threshold is noise, too few runs are inconclusive" {
	result base a=100,101,102,103,104 b=1,2,3
	result new a=110,111,112,113,114 b=7,8,9
	run -0 --separate-stderr sblog bench compare --fail --threshold 20% base new
	[[ $output == *'0 worse, 0 better, 1 noise, 1 inconclusive' ]]
	run -8 --separate-stderr sblog bench compare --fail --threshold 0.05 base new
	[[ $output == *'1 worse, 0 better, 0 noise, 1 inconclusive' ]]
	# 5 against 5 cannot give less than 0.0079
	run -0 --separate-stderr sblog bench compare --fail --alpha 0.001 base new
	[[ $output == *'0 worse, 0 better, 0 noise, 2 inconclusive' ]]
}

@test "bench compare --json: all of it as numbers" {
	result base a=100,101,102,103
	result new a=110,111,112,113
	run -8 --separate-stderr sblog bench compare --json --fail base new
	[ "$(jq -r '.schema, .worse, .status, .measures[0].verdict, .measures[0].method,
		.measures[0].base, .measures[0].new, .measures[0].u' <<<"$output" | tr '\n' ' ')" = \
		'sblog.bench-compare/1 1 8 worse exact 101.5 111.5 0 ' ]
	# wilcox.test(c(100,101,102,103), c(110,111,112,113)): p-value = 0.02857
	[ "$(jq '.measures[0].p * 1e6 | round' <<<"$output")" = 28571 ]
}

@test "bench compare: another workload or unit is refused, not compared" {
	result base a=100,101@size:100 b=1,2
	result new a=100,101@size:200 b=1,2
	run -4 --separate-stderr sblog bench compare base new
	stdout_is ''
	stderr_is 'sblog-bench: new: another workload: a has size 200, in base it is 100'
	sed 's/"unit":"ns\/op"/"unit":"ops"/g' base >unit
	run -4 --separate-stderr sblog bench compare base unit
	stdout_is ''
	stderr_is 'sblog-bench: unit: a is in ops, base has a in ns/op'
	result other c=1,2
	run -4 --separate-stderr sblog bench compare base other
	stdout_is ''
	stderr_is 'sblog-bench: other: no measure of base is in it'
}

@test "bench compare: what cannot be read is one line and status 1" {
	result base a=1,2
	head -c 100 base >cut
	echo '{"schema":"other/1"}' >other
	for f in none cut other .; do
		run -1 --separate-stderr sblog bench compare base "$f"
		stdout_is ''
		[[ $stderr == "sblog-bench: $f: "* && $stderr != *$'\n'* ]]
		run -1 --separate-stderr sblog bench compare "$f" base
		stdout_is ''
		[[ $stderr == "sblog-bench: $f: "* && $stderr != *$'\n'* ]]
	done
	run -2 --separate-stderr sblog bench compare base
	stderr_is 'sblog-bench: compare needs two files'
	run -2 --separate-stderr sblog bench compare --alpha 5 base base
	stderr_is 'sblog-bench: --alpha 5: not a share between 0 and 1'
	run -2 --separate-stderr sblog bench compare --threshold x base base
	stderr_is 'sblog-bench: --threshold x: not a share between 0 and 1'
}

@test "bench compare: text of go test, as benchstat has it" {
	for i in 1 2 3 4 5 6; do
		echo "BenchmarkSend-8 50000 2500$i ns/op 2048 B/op 12 allocs/op"
	done >old.txt
	sed 's/ 2500/ 1800/; s/ 12 allocs/ 9 allocs/' old.txt >new.txt
	run -0 --separate-stderr sblog bench compare old.txt new.txt
	[[ $output == *$'\nSend-8 ns/op '*'25.0 us +-0 % '*'18.0 us +-0 % '*'-28.00 %'*'(p=0.002 n=6+6)  better'* ]]
	[[ $output == *$'\nSend-8 B/op '*'+0.00 %'*'(p=1.000 n=6+6)  noise'* ]]
	[[ $output == *$'\nSend-8 allocs/op '*'-25.00 %'*'  better'* ]]
	stderr_is ''
	echo 'BenchmarkSend-8 50000 25' >>new.txt
	run -1 --separate-stderr sblog bench compare old.txt new.txt
	stdout_is ''
	stderr_is "sblog-bench: new.txt: line 7: not a benchmark's line"
}

@test "bench compare --match: their benchmark beside ours" {
	for i in 1 2 3 4 5 6; do echo "BenchmarkLog-8 5 109$i ns/op"; done >go.txt
	result ours append=501,502,503,504,505,506
	run -0 --separate-stderr sblog bench compare --match 'Log-8 ns/op=append' go.txt ours
	[[ $output == *$'\nappend '*'1.09 us +-0 %  504 ns +-0 %  -53.'*'better'* ]]
	run -4 --separate-stderr sblog bench compare --match 'Log=append' go.txt ours
	stdout_is ''
	stderr_is 'sblog-bench: --match Log=append: go.txt has no such measure'
}

@test "bench compare: a measure without a partner is named" {
	result base a=1,2 b=1,2
	result new a=1,2 c=1,2
	run -0 --separate-stderr sblog bench compare base new
	[[ $output == *$'\nonly in base: b\nonly in new: c\n'* ]]
}

@test "bench compare: a full disk is a failure" {
	result base a=1,2
	run -1 --separate-stderr bash -c 'sblog bench compare base base >/dev/full'
	[[ $stderr == 'sblog-bench: '*'No space left on device'* ]]
}
