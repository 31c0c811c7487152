# shellcheck shell=bash
# bench.bash - results of benchmarks to compare and report, made up.

# result FILE NAME=VALUE,VALUE,...[@WORKLOAD] ... - a document with these
# measures, in ns/op; WORKLOAD is KEY:VALUE.
result() {
	local file=$1 measures=() spec
	shift
	for spec; do
		measures+=("$(jq -n --arg name "${spec%%=*}" \
			--arg values "$(sed 's/.*=//; s/@.*//' <<<"$spec")" \
			--arg words "$(sed -n 's/.*@//p' <<<"$spec")" '
			{name: $name, scenario: ($name | split("/")[0]),
			 unit: "ns/op", better: "lower", rows: "9,10",
			 published: "1,095 ns", hides: "in memory | only",
			 workload: (if $words == "" then {} else
				[$words | split(":") | {key: .[0], value: .[1]}]
				| from_entries end),
			 runs: [$values | split(",")[] | tonumber | {value: .,
				seconds: 1, ops: 10, bytes: 20, failed: false,
				allocs_per_op: 2, alloc_bytes_per_op: 64}]}')")
	done
	jq -cs '{schema: "sblog.bench/1", version: "1.0.0", host: "h\"1\"",
		cpu: "A <b> & c", cpus: 2, memory_bytes: 0, kernel: "k",
		filesystem: "ext4", governor: "g", compiler: "gcc", sync: "none",
		remark: "", time_us: 0, partial: false, measures: .}' \
		<<<"${measures[*]}" >"$file"
}
