#!/usr/bin/env bats
# examples.bats - every example in the manual does what the manual says.
#
# An example is a display behind a line '.\" test: NAME'.  Each runs in a store
# of its own.  Lines that begin with "$ " are commands; the lines up to the next
# one are the standard output that they must have, and their status must be 0.

load lib/common

# examples PAGE - "LINE NAME" for each example of a page
examples() {
	sed -n '/^\.\\" test: /{s/^\.\\" test: //;=;p;}' "$1" |
		while read -r line && read -r name; do
			printf '%s %s\n' "$line" "$name"
		done
}

# text PAGE LINE - the display behind this line, as a reader sees it
text() {
	sed -n "$2,/^\.Ed/p" "$1" |
		sed -n '/^\.Bd/,/^\.Ed/{/^\.B*E*d/d;s/\\e/\\/g;s/\\&//g;s/\\-/-/g;p;}'
}

# run_example PAGE LINE - in the working directory, which is empty
run_example() {
	local command='' expected='' line

	check() {
		[ -n "$command" ] || return 0
		bash -o pipefail -c "$command" >out 2>err </dev/null || {
			echo "$ $command: status $?" && cat err && return 1
		}
		printf '%s' "$expected" |
			diff -u --label manual --label output - out || {
			echo "$ $command" && cat err && return 1
		}
	}
	while IFS= read -r line; do
		if [[ $line == '$ '* ]]; then
			check || return 1
			command=${line#'$ '} expected=''
		else
			expected+=$line$'\n'
		fi
	done < <(text "$1" "$2")
	[ -n "$command" ] && check
}

@test "examples: every example of the manual prints what the manual says" {
	local failed=0 n=0 page line name

	for page in "$BATS_TEST_DIRNAME"/../../man/*.[1-9]; do
		while read -r line name; do
			n=$((n + 1))
			mkdir "$BATS_TEST_TMPDIR/$n"
			cd "$BATS_TEST_TMPDIR/$n"
			SBLOG_DIR=$PWD/store run_example "$page" "$line" || {
				echo "${page##*/}:$line: $name"
				failed=1
			}
		done < <(examples "$page")
	done
	[ "$n" -ge 15 ]
	[ "$failed" -eq 0 ]
}

@test "examples: the runner notices output that differs and a failing command" {
	printf '%s\n' '.\" test: x' '.Bd -literal' '$ echo a' b .Ed >wrong.1
	run -1 run_example wrong.1 1
	printf '%s\n' '.\" test: x' '.Bd -literal' '$ false' .Ed >fails.1
	run -1 run_example fails.1 1
	printf '%s\n' '.\" test: x' '.Bd -literal' '$ echo a' a .Ed >right.1
	run -0 run_example right.1 1
}
