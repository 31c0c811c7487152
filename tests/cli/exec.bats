#!/usr/bin/env bats
# exec.bats - sblog-read --exec: what a command gets, how it is judged, what
# becomes of a batch that it refuses.

# shellcheck disable=SC2016 # sh -c expands

load lib/common

@test "exec: batches of -c records, each to a command of its own" {
	seq 10 | sblog append t
	run -0 --separate-stderr sblog read -c 4 t --exec \
		'echo "$SBLOG_TOPIC $SBLOG_OFFSET $SBLOG_END ${SBLOG_GROUP-none}"; cat'
	stdout_is $'t 0 4 none\n1\n2\n3\n4\nt 4 8 none\n5\n6\n7\n8\nt 8 10 none\n9\n10'
	stderr_is ''
}

@test "exec: --batch-bytes bounds a batch; a longer record is one of its own" {
	printf '%s\n' a b cccccccccc d e f | sblog append t
	run -0 --separate-stderr sblog read --batch-bytes 4 --exec 'tr "\n" ,; echo' t
	stdout_is $'a,b,\ncccccccccc,\nd,e,\nf,'
	stderr_is ''
}

@test "exec: the batch is in the format of -f" {
	printf 'k=a\nl=b\n' | sblog append -K = t
	run -0 --separate-stderr sblog read -f '%k:%v;' --exec cat t
	stdout_is 'k:a;l:b;'
	stderr_is ''
	run -0 --separate-stderr sblog read -f frame --exec 'sblog append -f frame u' t
	[ "$(sblog read -f '%k:%v;' u)" = 'k:a;l:b;' ]
}

@test "exec: no records, no command" {
	sblog create t
	run -0 --separate-stderr sblog read --exec 'echo called' t
	stdout_is ''
	stderr_is ''
}

@test "exec: 123 and the offsets when the command fails" {
	seq 10 | sblog append t
	run -123 --separate-stderr sblog read -c 4 t --exec \
		'cat; [ $SBLOG_OFFSET -lt 4 ] || exit 3'
	stdout_is $'1\n2\n3\n4\n5\n6\n7\n8'
	stderr_is 'sblog-read: t: the command exited with status 3 (offsets 4..7)'
	run -123 --separate-stderr sblog read -c 1 -o 9 --exec 'kill -9 $$' t
	stdout_is ''
	stderr_is 'sblog-read: t: the command was killed by signal 9 (offset 9)'
}

@test "exec: 126 and 127 when there is no such command, whatever else is asked" {
	seq 10 | sblog append t
	touch plain
	run -126 --separate-stderr sblog read --exec ./plain --retry 3 --dead-letter d t
	stdout_is ''
	[[ $stderr == *'sblog-read: t: the command exited with status 126 (offsets 0..9)' ]]
	run -127 --separate-stderr sblog read --exec ./nothing --retry 3 --dead-letter d t
	stdout_is ''
	[[ $stderr == *'sblog-read: t: the command exited with status 127 (offsets 0..9)' ]]
	[ -z "$(sblog read d)" ]
}

@test "exec: a command that does not read is judged by its status" {
	seq 1000000 | sblog append t
	run -0 --separate-stderr sblog read --exec true t
	stdout_is ''
	stderr_is ''
	run -123 --separate-stderr sblog read --exec false t
	stdout_is ''
	[[ $stderr == 'sblog-read: t: the command exited with status 1 (offsets 0..'* ]]
}

@test "exec: the command has ordinary signals and no descriptor of ours" {
	sblog append t <<<a
	look='grep -E "^SigBlk" /proc/self/status; ls /proc/self/fd'
	expected=$(sh -c "$look" </dev/null)
	run -0 --separate-stderr sblog read --exec "$look" t
	stdout_is "$expected"
	stderr_is ''
}

@test "exec: --retry tries again, with doubled pauses" {
	seq 3 | sblog append t
	echo 0 >tries
	run -0 --separate-stderr sblog read --retry 3 --backoff 1ms t --exec \
		'n=$(cat tries); echo $((n + 1)) >tries; [ $n -ge 2 ] && cat'
	stdout_is $'1\n2\n3'
	[ "$(cat tries)" = 3 ]
	[ "$(wc -l <<<"$stderr")" -eq 2 ]
	run -123 --separate-stderr sblog read --retry 2 --backoff 1ms --exec 'echo x; false' t
	stdout_is $'x\nx\nx'
}

@test "exec: --dead-letter keeps everything and says where it came from" {
	printf 'k=a\n' | sblog append -K = -H h=1 --timestamp 2026-01-02 t
	seq 2 | sblog append t
	run -7 --separate-stderr sblog read -c 2 --dead-letter dead t --exec \
		'[ $SBLOG_OFFSET -ge 2 ] && cat'
	stdout_is 2
	stderr_is $'sblog-read: t: the command exited with status 1 (offsets 0..1)
sblog-read: t: put aside in dead (offsets 0..1)'
	run -0 --separate-stderr sblog read -f '%k %v %D{ms} %h{%k=%v;}\n' dead
	stdout_is $'k a 1767312000000 h=1;sblog-topic=t;sblog-offset=0;sblog-reason=exited with status 1;\n 1  sblog-topic=t;sblog-offset=1;sblog-reason=exited with status 1;'
	run -0 --separate-stderr sblog read --exec cat dead
	stdout_is $'a\n1'
}

@test "exec: --skip-damaged goes on behind damage, 7" {
	printf 'a\nb\n' | sblog append t
	printf 'c\n' | sblog append t
	printf '\xff' | dd of="$SBLOG_DIR/t/00000000000000000000.wal" bs=1 seek=4224 conv=notrunc status=none
	run -6 --separate-stderr sblog read --exec cat t
	stdout_is ''
	[[ $stderr == 'sblog-read: t: batch values checksum differs (offsets 0..1'* ]]
	run -7 --separate-stderr sblog read --skip-damaged --exec cat t
	stdout_is c
	[[ $stderr == *'lost offsets 0..1'* ]]
}

@test "exec: damage behind good records: those are delivered first, then 6" {
	printf 'a\nb\n' | sblog append t
	printf 'c\n' | sblog append t
	pos=$(sblog stat --at 2 --json t | jq '.topics[0].at.pos')
	printf '\xff' | dd of="$SBLOG_DIR/t/00000000000000000000.wal" bs=1 seek=$((pos + 128)) conv=notrunc status=none
	run -6 --separate-stderr sblog read --exec cat t
	stdout_is $'a\nb'
}

@test "exec: several topics in turn, a batch is of one topic" {
	seq 3 | sblog append a
	seq 11 13 | sblog append b
	run -0 --separate-stderr sblog read -c 2 --exec 'echo $SBLOG_TOPIC $(cat)' a b
	stdout_is $'a 1 2\nb 11 12\na 3\nb 13'
	stderr_is ''
}

@test "exec-once: one process, announced batches, an answer for each" {
	seq 7 | sblog append t
	run -0 --separate-stderr sblog read -c 3 --exec-once t --exec \
		'echo start $SBLOG_TOPIC $SBLOG_OFFSET $SBLOG_ACK_FD $SBLOG_BATCH_FD
		while read -r topic from to count bytes <&4; do
			echo "$topic $from $to $count $bytes:" $(head -c $bytes)
			echo $to >&3
		done; echo end'
	stdout_is $'start t 0 3 4\nt 0 3 3 6: 1 2 3\nt 3 6 3 6: 4 5 6\nt 6 7 1 2: 7\nend'
	stderr_is ''
}

@test "exec-once: the simplest consumer answers each record" {
	seq 3 | sblog append t
	run -0 --separate-stderr sblog read -c 1 --exec-once t --exec \
		'while read -r x; do echo got $x; echo >&3; done'
	stdout_is $'got 1\ngot 2\ngot 3'
	stderr_is ''
}

@test "exec-once: a batch is refused by an answer, by death, by silence" {
	seq 6 | sblog append t
	run -123 --separate-stderr sblog read -c 3 --exec-once t --exec \
		'head -c 6 >/dev/null; echo no space >&3'
	stdout_is ''
	stderr_is 'sblog-read: t: the command answered: no space (offsets 0..2)'
	run -123 --separate-stderr sblog read -c 3 --exec-once --exec 'exit 0' t
	stderr_is 'sblog-read: t: the command ended without acknowledging the batch (offsets 0..2)'
	run -123 --separate-stderr sblog read -c 3 --exec-once --exec 'exit 9' t
	stderr_is 'sblog-read: t: the command exited with status 9 (offsets 0..2)'
	run -127 --separate-stderr sblog read -c 3 --exec-once --exec ./nothing t
	# It closes its answers and goes on reading: nothing will ever come.
	run -123 --separate-stderr sblog read -c 3 --exec-once --exec 'exec 3>&-; cat >/dev/null' t
	stderr_is 'sblog-read: t: the command ended without acknowledging the batch (offsets 0..2)'
	# It dies, and something it has started holds its descriptors.
	run -123 --separate-stderr sblog read -c 3 --exec-once --exec 'tail -f /dev/null >/dev/null 2>&1 & echo $! >pid; exit 5' t
	kill "$(cat pid)"
	stderr_is 'sblog-read: t: the command exited with status 5 (offsets 0..2)'
}

@test "exec-once: an answer before the batch was read is no answer" {
	seq 100000 | sblog append t
	run -123 --separate-stderr sblog read --exec-once --exec 'echo ok >&3; cat >/dev/null' t
	stdout_is ''
	[[ $stderr == 'sblog-read: t: the command answered before it had read the batch (offsets 0..'* ]]
}

@test "exec-once: a command that dies is started again by --retry" {
	seq 6 | sblog append t
	echo 0 >starts
	run -0 --separate-stderr sblog read -c 2 --retry 1 --backoff 1ms --exec-once t --exec \
		'n=$(cat starts); echo $((n + 1)) >starts
		while read -r topic from to count bytes <&4; do
			[ $n -gt 0 ] || [ $from -lt 2 ] || exit 1
			head -c $bytes; echo ok >&3
		done'
	stdout_is $'1\n2\n3\n4\n5\n6'
	stderr_is 'sblog-read: t: the command exited with status 1 (offsets 2..3)'
	[ "$(cat starts)" = 2 ]
}

@test "exec: --batch-time waits for a full batch" {
	sblog append t <<<1
	sblog read -F -c 3 --batch-time 20s --exec 'echo $(cat) >>got' t 3>&- &
	reader=$!
	sblog append t <<<2
	[ ! -e got ]
	sblog append t <<<3
	for _ in $(seq 1000); do
		[ ! -s got ] || break
		read -rt 0.01 <> <(:) || :
	done
	kill $reader
	wait $reader || [ $? -eq 143 ]
	[ "$(cat got)" = '1 2 3' ]
}

@test "exec: usage" {
	seq 3 | sblog append t
	for words in '--exec-once t' '--retry 3 t' '--batch-time 1s t' '--dead-letter d t' \
		'--exec cat --dead-letter t t' '--exec cat --dead-letter a/b t' \
		'--exec cat -c 0 t' '--exec cat --batch-bytes 0 t' \
		'--exec cat --silent t' '--exec cat --max-bytes 3 t'; do
		# shellcheck disable=SC2086 # words are words
		run -2 --separate-stderr sblog read $words
		stdout_is ''
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
}
