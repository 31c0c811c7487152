#!/usr/bin/env bats
# hostile.bats - files that no sblog of this version made: newer formats, links,
# pipes and directories where files should be.

# shellcheck disable=SC2154 # stderr_lines is set by run
load lib/common

WAL=00000000000000000000.wal

# refused STATUS - read, append and verify of topic t end so and change nothing
refused() {
	local before

	before=$(tree_sum "$SBLOG_DIR")
	run -"$1" --separate-stderr sblog read t
	stdout_is ''
	[ "${#stderr_lines[@]}" -eq 1 ]
	run -"$1" --separate-stderr sblog append t <<<x
	stdout_is ''
	run -"$1" sblog verify t
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "hostile: a manifest of a newer version is refused before any write" {
	/usr/bin/python3 -c 'import xxhash' 2>/dev/null ||
		skip 'no /usr/bin/python3 with the module xxhash'
	sblog append t <<<a
	/usr/bin/python3 - "$SBLOG_DIR/t/manifest" <<-'END'
		import sys, xxhash
		text = open(sys.argv[1], "rb").read()
		text = text[:text.rindex(b"hash ")].replace(b" 1\n", b" 2\n", 1)
		text += b"hash %016x\n" % xxhash.xxh3_64_intdigest(text)
		open(sys.argv[1], "wb").write(text)
	END
	refused 2
}

@test "hostile: a symbolic link in place of a log is not followed" {
	sblog append t <<<a
	mv "$SBLOG_DIR/t/$WAL" elsewhere
	ln -s "$PWD/elsewhere" "$SBLOG_DIR/t/$WAL"
	sum=$(cksum <elsewhere)
	run timeout 10 sblog read t
	[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
	run timeout 10 sblog append t <<<x
	[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
	[ "$(cksum <elsewhere)" = "$sum" ]
}

@test "hostile: a symbolic link in place of a topic is not followed" {
	mkdir -p "$SBLOG_DIR" elsewhere
	ln -s "$PWD/elsewhere" "$SBLOG_DIR/t"
	run timeout 10 sblog append t <<<x
	[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
	[ -z "$(ls elsewhere)" ]
}

@test "hostile: a pipe or a directory in place of a file does not hang" {
	for file in manifest state config lock.append "$WAL"; do
		for make in mkfifo mkdir; do
			rm -rf "$SBLOG_DIR"
			sblog append t <<<a
			rm -f "$SBLOG_DIR/t/$file"
			"$make" "$SBLOG_DIR/t/$file"
			for command in read verify append; do
				run timeout 10 sblog "$command" t <<<x
				[ "$status" -ne 124 ]
				[ "$status" -lt 128 ]
			done
		done
	done
}

@test "hostile: directories that are no topics are not listed" {
	sblog create t
	mkdir "$SBLOG_DIR/empty" "$SBLOG_DIR/.new-0123456789abcdef"
	touch "$SBLOG_DIR/file"
	run -0 --separate-stderr sblog ls
	stdout_is t
	stderr_is ''
}

@test "hostile: without a manifest nothing is deleted" {
	sblog append t <<<a
	sblog seal t >report
	rm "$SBLOG_DIR/t/manifest"
	before=$(tree_sum "$SBLOG_DIR")
	for command in read verify seal index; do
		run -3 sblog "$command" t
	done
	run -3 sblog append --no-create t <<<x
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "hostile: unknown files survive a seal, and the removal of the topic" {
	sblog append t <<<a
	echo mine >"$SBLOG_DIR/t/notes.txt"
	sblog seal t >report
	[ "$(cat "$SBLOG_DIR/t/notes.txt")" = mine ]
	sblog rm --yes t
	[ ! -e "$SBLOG_DIR/t" ]
	[ "$(cat "$SBLOG_DIR"/lost+found/*notes.txt)" = mine ]
}
