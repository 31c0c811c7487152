#!/usr/bin/env bats
# consume.bats - sblog-read -g: where it begins, what it commits, who may.

# shellcheck disable=SC2154,SC2016 # stderr is set by run; sh -c expands
load lib/common

# committed TOPIC GROUP - its offset
committed() { sblog group show --json "$1" "$2" | jq -r '.topics[0].groups[0].committed // .groups[0].committed'; }

@test "consume: begins where it was committed, and commits what was printed" {
	seq 10 | sblog append t
	run -0 --separate-stderr sblog read -g g -c 4 t
	stdout_is "$(seq 4)"
	[ "$(committed t g)" -eq 4 ]
	run -0 --separate-stderr sblog read -g g t
	stdout_is "$(seq 5 10)"
	run -0 --separate-stderr sblog read -g g t
	stdout_is ''
	[ "$(committed t g)" -eq 10 ]
	run -0 --separate-stderr sblog read -g new -o 8 t
	stdout_is "$(seq 9 10)"
}

@test "consume: a reader that goes away: what it took is committed, no more" {
	seq 200000 | sblog append t
	run -141 --separate-stderr bash -c 'sblog read -g g t | head -n 777 >/dev/null; exit "${PIPESTATUS[0]}"'
	n=$(committed t g)
	[ "$n" -ge 777 ]
	[ "$n" -lt 200000 ]
	run -0 --separate-stderr sblog read -g g -c 1 t
	stdout_is $((n + 1))
}

@test "consume: SIGTERM while following commits what was printed" {
	seq 10 | sblog append t
	sblog read -g g -F t >out 3>&- &
	reader=$!
	for ((n = 0; n < 1000; n++)); do
		[ "$(wc -l <out)" -lt 10 ] || break
		read -rt 0.01 <> <(:) || :
	done
	kill $reader
	status=0
	wait $reader || status=$?
	[ "$status" -eq 143 ]
	[ "$(committed t g)" -eq 10 ]
}

@test "consume: kill -9 repeats, and skips nothing" {
	seq 50000 | sblog append t
	: >seen
	for ((i = 0; i < 60; i++)); do
		sblog read -g g --batch-bytes 2000 --exec 'cat >>seen' t 3>&- &
		reader=$!
		for ((k = 0; k < i % 7; k++)); do read -rt 0.01 <> <(:) || :; done
		kill -9 $reader 2>/dev/null || :
		wait $reader 2>/dev/null || :
	done
	sblog read -g g --exec 'cat >>seen' t
	[ "$(committed t g)" -eq 50000 ]
	diff <(sort -n -u seen) <(seq 50000)
}

@test "consume: --exec commits only what the command accepted" {
	seq 10 | sblog append t
	run -123 --separate-stderr sblog read -g g -c 3 t --exec 'cat; [ $SBLOG_OFFSET -lt 6 ]'
	[ "$(committed t g)" -eq 6 ]
	run -0 --separate-stderr sblog read -g g -c 3 t --exec 'echo $SBLOG_GROUP; cat'
	stdout_is "$(printf 'g\n7\n8\n9\ng\n10')"
	[ "$(committed t g)" -eq 10 ]
}

@test "consume: several topics, one commit each" {
	seq 3 | sblog append a
	seq 5 | sblog append b
	run -0 --separate-stderr sblog read -g g a b
	[ "${#lines[@]}" -eq 8 ]
	[ "$(committed a g)" -eq 3 ]
	[ "$(committed b g)" -eq 5 ]
}

@test "consume: two at once is refused, shards are shared, a dead one is followed" {
	for i in {1..400}; do echo "k$((i % 40)):$i"; done | sblog append -K : t
	sblog read -g g -F t >first 3>&- &
	one=$!
	for ((n = 0; n < 1000; n++)); do
		[ "$(wc -l <first)" -lt 400 ] || break
		read -rt 0.01 <> <(:) || :
	done
	run -4 --separate-stderr sblog read -g g t
	kill -9 $one
	wait $one 2>/dev/null || :
	sblog group reset t g --to start
	run -0 --separate-stderr sblog read -g g t
	[ "${#lines[@]}" -eq 400 ]
	# Each key whole, in order, with one of them.
	for i in 0 1 2; do
		sblog read -g h --join 3 -F -f '%k %v\n' t >"part.$i" 3>&- &
		pids="${pids-} $!"
	done
	for ((n = 0; n < 1000; n++)); do
		[ "$(cat part.* | wc -l)" -lt 400 ] || break
		read -rt 0.01 <> <(:) || :
	done
	# shellcheck disable=SC2086 # a list
	kill $pids
	wait
	[ "$(cat part.* | wc -l)" -eq 400 ]
	[ "$(cut -d ' ' -f 1 part.0 part.1 part.2 | sort -u | wc -l)" -eq 40 ]
	[ "$(for i in 0 1 2; do cut -d ' ' -f 1 part.$i | sort -u; done | wc -l)" -eq 40 ]
	for i in 0 1 2; do
		diff <(sblog read --shard $i/3 t) <(sort -n <(sblog read --shard $i/3 t))
	done
	[ "$(for i in 0 1 2; do sblog read --shard $i/3 t; done | sort -u | wc -l)" -eq 400 ]
}

@test "consume: a free shard goes to one that waits, at the committed offset" {
	for i in {1..100}; do echo "k$i:$i"; done | sblog append -K : t
	sblog read -g g --join 1 -F t >one 3>&- &
	one=$!
	for ((n = 0; n < 1000; n++)); do
		[ "$(wc -l <one)" -lt 100 ] || break
		read -rt 0.01 <> <(:) || :
	done
	sblog read -g g --join 1 -F -c 1 t >two 3>&- &
	two=$!
	kill -9 $one
	wait $one 2>/dev/null || :
	sblog append -k k1 t <<<101
	wait $two
	[ -s two ]
	[ "$(tail -n 1 two)" -le 101 ]
}

@test "consume: a log that is not the one it has read is status 6" {
	seq 10 | sblog append t
	sblog read -g g t >/dev/null
	cp -r "$SBLOG_DIR/t/groups" saved
	sblog rm t --yes
	seq 20 | sblog append t
	cp -r saved "$SBLOG_DIR/t/groups"
	run -6 --separate-stderr sblog read -g g t
	stdout_is ''
}

@test "consume: misuse" {
	seq 3 | sblog append t
	for bad in '-g a/b' '-g g --key k' '--retry 1' '--exec-once' '--join 2' '--shard 2/2' \
		'-g g --shard x' '--dead-letter d' '-g g --latest'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr sblog read $bad t
		[ "$(wc -l <<<"$stderr")" -eq 1 ] || { echo "$bad"; return 1; }
	done
	run -127 --separate-stderr sblog read -g g --exec /no/such/command t
	[ "$(sblog read -g g -c 1 t)" = 1 ]
}

# bats test_tags=slow
@test "consume: killed at each system call, it skips nothing and repeats one batch at most" {
	command -v strace >/dev/null || skip 'there is no strace'
	strace -o /dev/null -e inject=close:retval=0:when=9999 true 2>/dev/null || skip 'strace may not trace here'
	for call in openat read pread64 pwrite64 write flock fdatasync mmap close pipe2 fcntl wait4 clone vfork rt_sigaction poll; do
		for ((n = 1; n < 60; n++)); do
			rm -rf "$SBLOG_DIR" seen
			seq 9 | sblog append t
			: >seen
			status=0
			strace -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$n \
				sblog read -g g -c 2 --exec 'cat >>seen' t 2>/dev/null || status=$?
			[ "$status" -ne 0 ] || break
			at=$(committed t g 2>/dev/null || echo 0)
			# What is committed was seen, and at most one batch more was.
			[ "${at:-0}" != null ] || at=0
			[ "$(wc -l <seen)" -ge "${at:-0}" ] || { echo "$call $n: committed $at of $(wc -l <seen)"; return 1; }
			[ "$(wc -l <seen)" -le $((${at:-0} + 2)) ] || { echo "$call $n: $(wc -l <seen) seen, $at committed"; return 1; }
			sblog read -g g -c 2 --exec 'cat >>seen' t
			[ "$(sort -n -u seen | paste -sd ' ')" = '1 2 3 4 5 6 7 8 9' ] || { echo "$call $n"; return 1; }
			[ "$(wc -l <seen)" -le 11 ]
		done
	done
}
