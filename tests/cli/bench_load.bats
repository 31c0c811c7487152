#!/usr/bin/env bats
# bench_load.bats - sblog-bench run cli, e2e, load and crash: what they measure,
# and that wrong data does not pass.

# Its runs are timed by a clock that sanitizers do not stop.
# bats file_tags=slow

load lib/common

# Targets may be missed on a busy machine, which is status 4; data may not.
measured() {
	run --separate-stderr sblog bench run --directory stores --output r "$@"
	[ "$status" -eq 0 ] || { [ "$status" -eq 4 ] && [[ $stderr != *lost* ]]; }
	[ -z "$(ls -A stores)" ]
}

# A folder with the program and what it starts, one of which is a script now:
# tampered NAME LINE..., in which "real" runs the one that it replaces.
tampered() {
	local name=$1 file
	shift
	mkdir bin stores
	cp "$SBLOG_BUILD/bin/sblog-bench" bin
	for file in append group read; do
		ln -s "$SBLOG_BUILD/bin/sblog-$file" "bin/sblog-$file"
	done
	rm "bin/$name"
	printf '%s\n' '#!/bin/bash' "path=$SBLOG_BUILD/bin/$name" \
		'real() { "$path" "$@"; }' "$@" >"bin/$name"
	chmod +x "bin/$name"
}

# Start a run, and wait until its log has so many records: sets pid and store.
started() { # RECORDS OPTION...
	local records=$1
	shift
	mkdir stores
	MARK=$BATS_TEST_TMPDIR sblog-bench run --directory stores --output r "$@" >out 2>err &
	pid=$!
	until store=$(echo stores/*/store) && [ -s "$store/t/state" ] &&
		[ "$(sblog stat -C "$store" --json t 2>/dev/null |
			jq '.topics[0].end')" -gt "$records" ] 2>/dev/null; do
		kill -0 $pid
	done
}

# Processes that were started with the stores of this test.
processes() {
	local n=0 file
	for file in /proc/[0-9]*/environ; do
		if tr '\0' '\n' 2>/dev/null <"$file" | grep -qxF "MARK=$BATS_TEST_TMPDIR"; then
			n=$((n + 1))
		fi
	done
	echo $n
}

ended() { # STATUS
	local status=0
	wait "$pid" || status=$?
	[ "$status" -eq "$1" ]
	[ -z "$(ls -A stores)" ]
	[ "$(processes)" -eq 0 ]
}

@test "bench run cli: a process for each operation, durable and not" {
	mkdir stores
	measured --quick cli
	[ "$status" -eq 0 ]
	stderr_is ''
	[ "$(jq -r '.measures[] | "\(.name) \(.unit) \(.workload.sync)
		\(.runs[0].ops) \(.runs[0].latency.total)" | gsub("\\s+"; " ")' r)" = \
		"cli/append ns/op batch 100 100
cli/append-none ns/op none 100 100
cli/parallel records/s batch 1000 null
cli/parallel-none records/s none 1000 null
cli/batches records/s batch 1000 10
cli/batches-none records/s none 1000 10
cli/read records/s batch 1000 1
cli/commit ns/op batch 100 100
cli/commit-none ns/op none 100 100
cli/get ns/op batch 100 100" ]
	[ "$(jq '[.measures[].runs[] | select(.value > 0 and .cpu_seconds > 0 and
		(.failed | not))] | length' r)" -eq 10 ]
}

@test "bench run cli: a command that loses, changes or invents is found out" {
	tampered sblog-append 'if mkdir lost 2>/dev/null; then exit 0; fi' 'real "$@"'
	run -4 --separate-stderr bin/sblog-bench run --quick --directory stores cli/append
	stderr_is 'sblog-bench: cli/append, run 1: 99 of 100 records are in the log, and 0 others'
	rm -r lost bin stores

	tampered sblog-append 'sed s/x/y/ | real "$@"'
	run -4 --separate-stderr bin/sblog-bench run --quick --directory stores cli/parallel-none
	stderr_is 'sblog-bench: cli/parallel-none, run 1: 0 of 1000 records are in the log, and 1000 others'
	rm -r bin stores

	tampered sblog-append 'cat >in; real "$@" <in; real "$@" <in'
	run -4 --separate-stderr bin/sblog-bench run --quick --directory stores cli/batches
	stderr_is 'sblog-bench: cli/batches, run 1: 1000 of 1000 records are in the log, and 1000 others'
	rm -r bin stores

	tampered sblog-read 'real "$@" | sed 500d'
	run -4 --separate-stderr bin/sblog-bench run --quick --directory stores cli/read
	stderr_is 'sblog-bench: cli/read, run 1: sblog-read did not print the 1000 records'
	rm -r bin stores

	tampered sblog-group 'real "${@:1:6}" 7'
	run -4 --separate-stderr bin/sblog-bench run --quick --directory stores cli/commit
	stderr_is 'sblog-bench: cli/commit, run 1: 7 is committed, and not 100'
	rm -r bin stores

	tampered sblog-group 'real "$@" | sed "s/\t50\t/\t51\t/"'
	run -4 --separate-stderr bin/sblog-bench run --quick --directory stores cli/get
	stderr_is 'sblog-bench: cli/get, run 1: 1 of 100 answers were wrong'
	[ -z "$(ls -A stores)" ]
}

@test "bench run cli: a command that fails ends the run" {
	tampered sblog-read 'exit 1'
	run -1 --separate-stderr bin/sblog-bench run --quick --directory stores \
		--output r cli/get cli/read
	stderr_is "sblog-bench: $PWD/bin/sblog-read: ended with status 1"
	[ "$(jq -c '[.partial, .measures[0].name]' r)" = '[true,"cli/get"]' ]
	[ -z "$(ls -A stores)" ]
	rm bin/sblog-read
	run -1 --separate-stderr bin/sblog-bench run --quick --directory stores cli/read
	stderr_is "sblog-bench: $PWD/bin/sblog-read: cannot be started: No such file or directory"
	[ -z "$(ls -A stores)" ]
}

@test "bench run load: every message is counted, timed twice, and there" {
	mkdir stores
	measured --duration 400ms --rate 1000 --producers 2 --consumers 3 \
		--size 100..200 --keys 50:1.1 --seed 7 load/latency
	[ "$(jq -c '.measures[] | select(.name == "load/latency/seen") | .workload' r)" = \
		'{"producers":"2","consumers":"3","sync":"batch","size":"100..200","seconds":"0.4","keys":"50:1.1","rate":"1000","measure":"seen"}' ]
	[ "$(jq -r '.measures[] | "\(.name) \(.unit) \(.rows)"' r)" = \
		"load/latency/lost messages 
load/latency/rate msg/s 32
load/latency/ack ns 
load/latency/seen ns 32
load/latency/seen-p95 ns 32
load/latency/seen-p99 ns 32
load/latency/seen-p99.9 ns 32
load/latency/seen-p99.99 ns 
load/latency/seen-max ns 
load/latency/delivered msg/s 
load/latency/cpu-per-10k cores 
load/latency/memory-per-10k B " ]
	# 400 messages after the warm-up, 3 times read, in both kinds of time
	[ "$(jq -c '[.measures[] | select(.name | test("(lost|ack|seen)$")) | .runs[0] |
		[.value == 0, .ops, .latency.total, .service.total]]' r)" = \
		'[[true,400,null,null],[false,400,400,400],[false,400,1200,1200]]' ]
	[ "$(jq '[.measures[] | select(.name == "load/latency/rate") | .runs[0] |
		(.series | add)] | .[0]' r)" -eq 400 ]
	# what was late counts from when it was due: never less than the service
	[ "$(jq '.measures[] | select(.name == "load/latency/seen") | .runs[0] |
		.latency.max >= .service.max' r)" = true ]
}

@test "bench run load: spikes, bursts, no follower, no rate, without keys" {
	mkdir stores
	measured --duration 500ms --rate 200 --spike-rate 2000 --spike-duration 100ms load/spike
	[ "$(jq -c '[.measures[] | select(.name == "load/spike/rate") |
		.workload.spike, .runs[0].ops]' r)" = '["2000 for 0.1 s",280]' ]
	measured --duration 400ms --rate 1000 --sync none load/burst
	[ "$(jq -c '[.measures[] | select(.name == "load/burst/rate") |
		.workload.sync, .workload.burst, .runs[0].ops]' r)" = '["none","0.1 s",400]' ]
	measured --duration 200ms load/most
	[ "$(jq '.measures[] | select(.name == "load/most/rate") | .runs[0].ops > 1000' r)" = true ]
}

@test "bench run load: sealed and trimmed meanwhile, read again and again" {
	mkdir stores
	measured --duration 1s --rate 2000 --producers 4 --consumers 4 load/soak load/mixed
	[ "$(jq -c '[.measures[] | select(.name | endswith("lost")) | .runs[0].value]' r)" = '[0,0]' ]
}

@test "bench run load: a record that nobody sent does not pass" {
	started 100 --duration 3s --rate 1000 load/latency
	echo alien | sblog append -C "$store" t
	ended 4
	[[ $(<err) == 'sblog-bench: load/latency/lost, run 1: '*' messages are wrong or were not reached: a follower: offset '*': not a message that was sent' ]]
	[ "$(wc -l <err)" -eq 1 ]
	# and no figure of that run counts
	[ "$(jq -c '[.measures[].name]' r)" = '["load/latency/lost"]' ]
}

@test "bench run load: a record that is gone afterwards does not pass" {
	started 100 --duration 3s --rate 1000 load/latency
	sblog trim -C "$store" --before 1 t
	ended 4
	[[ $(<err) == *': the log afterwards: offset 1 came where 0 was expected' ]]
}

@test "bench run load: a byte that changes does not pass" {
	started 100 --duration 3s --rate 1000 load/latency
	printf X | dd of="$(echo "$store"/t/*.wal)" bs=1 seek=9999 conv=notrunc status=none
	ended 4
	[[ $(<err) == 'sblog-bench: load/latency/lost, run 1: '*checksum* ]]
}

@test "bench run load: what a signal cuts short is kept, and nobody is left" {
	# the second second: the first one is the warm-up
	started 1300 --duration 60s --rate 1000 --producers 3 load/latency
	kill -TERM $pid
	ended 143
	[ "$(jq -c '[.partial, (.measures[] | select(.name | test("lost|rate")) | .runs[0] |
		.ops > 100, .failed)]' r)" = '[true,true,false,true,false]' ]
}

@test "bench run load: killed, it leaves no process" {
	started 100 --duration 60s --rate 1000 --producers 3 load/latency
	[ "$(processes)" -eq 9 ]
	kill -KILL $pid
	wait $pid || true
	for _ in {1..100}; do
		[ "$(processes)" -ne 0 ] || return 0
	done
	false
}

@test "bench run e2e: from a process to another, and through the commands" {
	mkdir stores
	measured --duration 300ms e2e/durable e2e/published e2e/pipe
	[ "$(jq -c '[.measures[] | select(.name | endswith("/seen")) |
		.name, .workload.sync, .runs[0].latency.total]' r)" = \
		'["e2e/durable/seen","batch",300,"e2e/published/seen","none",300,"e2e/pipe/seen","none",300]' ]
	measured --duration 50ms e2e/producers-none e2e/consumers
	[ "$(jq -c '[.measures[] | select(.name | endswith("/lost")) |
		[.workload.producers, .workload.consumers, .runs[0].value] | join(" ")]' r)" = \
		'["1 1 0","2 1 0","4 1 0","8 1 0","16 1 0","1 1 0","1 2 0","1 4 0","1 8 0","1 16 0"]' ]
}

@test "bench run e2e: a line that gets lost between the commands is found out" {
	tampered sblog-append 'real "$@" < <(sed -u 50d)'
	run -4 --separate-stderr bin/sblog-bench run --duration 200ms --directory stores e2e/pipe
	[[ $stderr == 'sblog-bench: e2e/pipe/lost, run 1: '*' messages are wrong or were not reached: line 50 is not the one that was sent' ]]
	[ -z "$(ls -A stores)" ]
}

@test "bench run crash: everything that was acknowledged is there" {
	mkdir stores
	run -0 --separate-stderr sblog bench run --duration 1s --directory stores \
		--output r --producers 3 crash
	stderr_is ''
	[ "$(jq -c '[.measures[] | select(.name | endswith("kept")) | .name, .unit,
		(.runs[0] | .value, .ops > 0)]' r)" = \
		'["crash/library/kept","%",100,true,"crash/command/kept","%",100,true]' ]
	[ "$(jq '.measures[] | select(.name == "crash/library/recovery") | .runs[0] |
		.ops > 0 and .latency.total == .ops' r)" = true ]
}

@test "bench run crash: who says durable too early is found out" {
	tampered sblog-append 'seq 0 9; exec "$path" "$@"'
	run -4 --separate-stderr bin/sblog-bench run --quick --directory stores \
		--output r crash/command
	[[ $stderr == 'sblog-bench: crash/command/kept, run 1: '*' acknowledged lines are there; round '* ]]
	[ "$(jq '.measures[0].runs[0].failed' r)" = true ]
	[ -z "$(ls -A stores)" ]
}

@test "bench run crash: records that disappear after a round are found out" {
	started 100 --duration 20s crash/library
	sblog trim -C "$store" --before 50 t
	kill -TERM $pid
	ended 143
	[[ $(<err) == 'sblog-bench: crash/library/kept, run 1: '*' acknowledged messages are there; round '* ]]
}

@test "bench run: rates, sizes and keys that make no sense" {
	local bad
	bad() {
		run -2 --separate-stderr sblog bench run "${@:2}"
		stdout_is ''
		stderr_is "sblog-bench: $1"
	}
	bad '--rate 0: at least 1' --rate 0 load/latency
	bad '--producers 0: at least 1' --producers 0 load/latency
	bad 'size 500..200: not bytes or MIN..MAX up to 1M' --size 500..200 load/latency
	bad 'size 10..20: messages of load/latency have at least 28 bytes' --size 10..20 load/latency
	bad 'size 2M: not bytes or MIN..MAX up to 1M' --size 2M load/latency
	bad 'keys 100:x: not N or N:EXPONENT up to 10000000' --keys 100:x load/latency
	bad 'keys 100:-1: not N or N:EXPONENT up to 10000000' --keys 100:-1 load/latency
	bad 'keys 100:nan: not N or N:EXPONENT up to 10000000' --keys 100:nan load/latency
	bad 'keys 0: not N or N:EXPONENT up to 10000000' --keys 0 load/latency
	bad 'at most 64 producers and consumers' --producers 65 load/latency
	bad 'at most 100000000 messages a second' --rate 100000001 load/latency
	bad 'the spike is longer than the run' --duration 1s --spike-duration 2s load/spike
}

@test "bench run: the scenario files there are, shortened" {
	local files=("$BATS_TEST_DIRNAME"/../../bench/scenarios/*.conf)
	[ "${#files[@]}" -ge 5 ]
	mkdir stores
	measured --duration 200ms --rate 500 --producers 2 --consumers 2 \
		--spike-duration 50ms "${files[@]}"
	[ "$(jq -c '[.measures[] | select(.name | endswith("/lost")) | .name, .runs[0].value]' r)" = \
		'["orders/lost",0,"soak/lost",0,"spike/lost",0,"stress/lost",0,"throughput/lost",0]' ]
	[ "$(jq -r '.measures[] | select(.name == "orders/lost") | .workload | .size + " " + .keys' r)" = \
		'200..500 100000:1.1' ]
}

@test "bench run load: a full disk is said once, and the result is partial" {
	mkdir stores
	status=0
	(
		ulimit -f 1000
		sblog bench run --duration 2s --directory stores --output r load/throughput
	) >out 2>err || status=$?
	[ "$status" -eq 1 ]
	[ "$(<err)" = 'sblog-bench: append: cannot write: File too large (file 00000000000000000000.wal)' ]
	[ "$(jq -c '.partial, .measures' r | tr '\n' ' ')" = 'true [] ' ]
	[ -z "$(ls -A stores)" ]
}
