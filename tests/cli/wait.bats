#!/usr/bin/env bats
# wait.bats - sblog wait, and read --silent, which it is made of.

load lib/common

@test "wait: ends with the next record and prints nothing" {
	sblog append t <<<old
	sblog wait t >out 2>err 3>&- &
	waiting=$!
	# Not every append may come after the wait began; one of them does.
	while kill -0 "$waiting" 2>/dev/null; do
		sblog append t <<<new
	done
	wait "$waiting"
	[ ! -s out ]
	[ ! -s err ]
}

@test "wait: --timeout passes with 124 when nothing comes" {
	sblog append t <<<old
	run -124 --separate-stderr sblog wait --timeout 50ms t
	stdout_is ''
	stderr_is ''
}

@test "read: --silent checks everything and prints nothing" {
	seq 1000 >in
	sblog append t in
	run -0 --separate-stderr sblog read --silent t
	stdout_is ''
	stderr_is ''
	truncate -s 6000 "$SBLOG_DIR/t/00000000000000000000.wal"
	run -6 --separate-stderr sblog read --silent t
	stdout_is ''
}
