#!/usr/bin/env bats
# api.bats - the program in sblog(3) compiles against the library and works.

load lib/common

# program PAGE NAME - the source of a program in a manual page
program() {
	sed -n "/^\.\\\\\" program: $2\$/,/^\.Ed/{/^\./d;s/\\\\e/\\\\/g;s/\\\\&//g;p}" \
		"$BATS_TEST_DIRNAME/../../man/$1"
}

@test "api: the example of sblog(3) compiles without a warning and runs" {
	include=$BATS_TEST_DIRNAME/../../libcore/include
	library=$(find "$SBLOG_BUILD" -name libsblog.a | head -n 1)
	[ -n "$library" ]
	program sblog.3 example.c >main.c
	[ "$(wc -l <main.c)" -gt 40 ]
	sanitize=()
	! nm "$library" | grep -q __asan ||
		sanitize=("-fsanitize=address,undefined")
	"${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$include" \
		"${sanitize[@]}" -o example main.c "$library" -llz4 -lpthread

	run -0 --separate-stderr ./example store

	stdout_is $'appended at 0\n0 first\n1 second'
	stderr_is ''
	[ "$(sblog -C store read -f '%k %v\n' orders)" = $'k1 first\n second' ]
}

@test "api: the header compiles alone, also as C++" {
	include=$BATS_TEST_DIRNAME/../../libcore/include
	echo '#include <sblog.h>' >alone.c
	"${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$include" \
		-fsyntax-only alone.c
	command -v c++ >/dev/null || skip 'no C++ compiler'
	c++ -Wall -Wextra -Werror -I"$include" -fsyntax-only -x c++ alone.c
}
