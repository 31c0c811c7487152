#!/usr/bin/env bats
# bench-report.bats - sblog-bench report: every form, from one document.

load lib/common
load lib/bench

@test "bench report: Markdown is the default, cells cannot break the table" {
	result r 'a|b=10,20,30'
	run -0 --separate-stderr sblog bench report r
	[[ $output == *$'\n| a\\|b | 20.0 ns | 100.0 % | 3 |  |  |  | 64.0 B | 2.00 | 9,10 | 1,095 ns | in memory \\| only |' ]]
	[[ $output == *$'\n- host: h"1"\n'* ]]
	stderr_is ''
	md=$output
	run -0 --separate-stderr sblog bench report --md r
	stdout_is "$md"
}

@test "bench report --csv: a line for each run, quoted as RFC 4180 has it" {
	result r 'a,"b=10,20'
	run -0 --separate-stderr sblog bench report --csv r
	[ "${#lines[@]}" -eq 3 ]
	[ "${lines[2]}" = 'r,"a,""b","a,""b",ns/op,lower,"9,10",2,20,1,10,20,,,2,64,,,,,,,,,,,,,ok' ]
	# as many fields as heads
	[ "$(tr -cd , <<<"${lines[0]}" | wc -c)" -eq 27 ]
	unquoted=${lines[2]//\"a,\"\"b\"}
	[ "$(tr -cd , <<<"${unquoted//\"9,10\"}" | wc -c)" -eq 27 ]
}

@test "bench report --prometheus: text 0.0.4, histograms add up" {
	result r0 'a"b\c=10,20,30'
	jq -c '.measures[0].runs[0].latency = {total: 4, overflow: 1, min: 90,
		max: 3600000000001, buckets: [[90, 1], [1000, 1], [1001, 1]]}' r0 >r
	run -0 --separate-stderr sblog bench report --prometheus p r
	stdout_is ''
	stderr_is ''
	labels='result="r",scenario="a\"b\\c",measure="a\"b\\c",unit="ns/op"'
	grep -qxF "sblog_bench_value{$labels} 20" p
	grep -qxF "sblog_bench_runs{$labels} 3" p
	grep -qxF 'sblog_bench_partial{result="r"} 0' p
	grep -qxF "sblog_bench_latency_seconds_bucket{$labels,le=\"1e-07\"} 1" p
	grep -qxF "sblog_bench_latency_seconds_bucket{$labels,le=\"1e-06\"} 2" p
	grep -qxF "sblog_bench_latency_seconds_bucket{$labels,le=\"10\"} 3" p
	grep -qxF "sblog_bench_latency_seconds_bucket{$labels,le=\"+Inf\"} 4" p
	grep -qxF "sblog_bench_latency_seconds_count{$labels} 4" p
	# one TYPE for each metric, its lines together
	[ "$(grep -c '^# TYPE' p)" -eq "$(grep '^# TYPE' p | sort -u | wc -l)" ]
	[ ! -e p.tmp ]
}

@test "bench report --hgrm: ends at 100 % with the greatest value" {
	result r0 a=10
	jq -c '.measures[0].runs[0].latency = {total: 1000, overflow: 0, min: 5,
		max: 100, buckets: [[5, 990], [50, 9], [100, 1]]}' r0 >r
	run -0 --separate-stderr sblog bench report --hgrm r
	[ "${lines[0]}" = '#[a, from the intended start, nanoseconds]' ]
	[ "${lines[2]}" = '       5.000 0.000000000000        990           1.00' ]
	[[ $output == *$'\n     100.000 1.000000000000       1000\n#[Mean    =        5.500,'* ]]
	[[ $output == *'Total count    =         1000]'* ]]
	# values and counts never fall
	grep -v '^#\|Value' <<<"$output" | awk 'NF { if ($1 < v || $3 < c) exit 1; v = $1; c = $3 }'
}

@test "bench report --html: one file, nothing outside, plots or tables" {
	result r a/1=10,11,12@n:1 a/2=20,21,22@n:2 a/3=30,31,32@n:3
	run -0 --separate-stderr sblog bench report --html p.html r
	stdout_is ''
	stderr_is ''
	grep -q 'A &lt;b&gt; &amp; c' p.html
	run ! grep -nE '<script|<link|(src|href)="?https?:' p.html
	# the curve over n
	grep -q '<h3>a against n</h3>' p.html
	if command -v gnuplot >/dev/null; then grep -q '<svg' p.html; fi
	grep -q '<td class="n">21.0 ns</td>' p.html
}

@test "bench report --html: without gnuplot there are tables" {
	result r a/1=10,11,12@n:1 a/2=20,21,22@n:2 a/3=30,31,32@n:3
	mkdir bin
	ln -s "$SBLOG_BUILD/bin/sblog-bench" bin/sblog-bench
	run -0 --separate-stderr env PATH="$PWD/bin" sblog-bench report --html p.html r
	stdout_is ''
	stderr_is ''
	run ! grep -n '<svg\|<details' p.html
	grep -q '<td class="n">21.0 ns</td>' p.html
}

@test "bench report: names in a document reach gnuplot as text only" {
	command -v gnuplot >/dev/null || skip "gnuplot is not installed"
	result r0 x/1=1,2,3 x/2=4,5,6
	jq -c '.measures[0].name = "x'"'"' ; system(\"touch owned\")\n!touch owned\n`touch owned`"' r0 >r
	run -0 --separate-stderr sblog bench report --html p.html r
	stdout_is ''
	[ ! -e owned ]
	grep -q '<svg' p.html
}

@test "bench report: failed runs and partial results are said" {
	result r0 a=10,20,30
	jq -c '.partial = true | .measures[0].runs[1] += {failed: true, why: "lost 1"}' r0 >r
	run -0 --separate-stderr sblog bench report r
	[[ $output == *'**This result is partial.**'* ]]
	[[ $output == *'| 2, 1 failed |'* ]]
	[[ $output == *$'\n- a, run 2 failed: lost 1' ]]
	run -0 --separate-stderr sblog bench report --html - r
	[[ $output == *'This result is partial.'*'a, run 2: lost 1'* ]]
	# what missed a target is said too, and its value counts
	jq -c '.measures[0].runs[1] += {missed: true, why: "20 ns is not < 5 ns"}' r0 >r
	run -0 --separate-stderr sblog bench report r
	[[ $output == *'| 3 |'* ]]
	[[ $output == *$'\n- a, run 2 missed its target: 20 ns is not < 5 ns' ]]
	run -0 --separate-stderr sblog bench report --html - r
	[[ $output == *'a, run 2: 20 ns is not &lt; 5 ns'* ]]
}

@test "bench report: bad input is one line, and no file is left" {
	result r a=1
	run -1 --separate-stderr sblog bench report --html x/p.html r
	stderr_is 'sblog-bench: x/p.html: No such file or directory'
	run -1 --separate-stderr sblog bench report --html p.html r none
	stdout_is ''
	stderr_is 'sblog-bench: none: No such file or directory'
	[ ! -e p.html ]
	run -3 --separate-stderr sblog bench report --only 'z*' r
	stderr_is 'sblog-bench: r: no measure matches z*'
	run -2 --separate-stderr sblog bench report
	stderr_is 'sblog-bench: report needs a file'
	run -2 --separate-stderr sblog bench nonsense
	stderr_is 'sblog-bench: "nonsense": none of list, run, compare and report'
}
