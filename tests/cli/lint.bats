#!/usr/bin/env bats
# lint.bats - each lint finds what it is for.

load lib/common

lint() { "$BATS_TEST_DIRNAME/../lint/$1" "${@:2}"; }

@test "lint: layers refuses a codec that knows sys" {
	mkdir -p libcore/codec
	printf '#include "sys/sys.h"\n' >libcore/codec/bad.c
	run -1 lint layers libcore/codec/bad.c
	[[ $output == 'libcore/codec/bad.c:1: codec/ must not include'* ]]
	printf '#include "base/buf.h"\n' >libcore/codec/bad.c
	run -0 lint layers libcore/codec/bad.c
}

@test "lint: layers refuses a command that uses what sblog-bench is made of" {
	mkdir -p cmd
	printf '#include "bench/hist.h"\n' >cmd/sblog-bad.c
	run -1 lint layers cmd/sblog-bad.c
	[[ $output == 'cmd/sblog-bad.c:1: only sblog-bench may include "bench/hist.h"' ]]
	mv cmd/sblog-bad.c cmd/sblog-bench.c
	run -0 lint layers cmd/sblog-bench.c
}

@test "lint: signs refuses a file that does not say its name" {
	printf '/*\n * other.c - something\n */\n' >bad.c
	run -1 lint signs bad.c
	[[ $output == 'bad.c: first line does not say'* ]]
}

@test "lint: sizes refuses a long function" {
	{
		printf 'int\nf(void)\n{\n'
		for _ in $(seq 80); do printf '\tx();\n'; done
		printf '}\n'
	} >bad.c
	run -1 lint sizes bad.c
	[[ $output == 'bad.c:3: function of 80 lines' ]]
}

@test "lint: symbols refuses a system call outside sys, and a foreign name" {
	printf 'libcore/log/bad.o:                 U fsync\nlibcore/log/bad.o:0000000000000000 T helper\n' >names
	run -1 lint symbols <names
	[[ $output == *'fsync() outside libcore/sys'* ]]
	[[ $output == *'global name "helper"'* ]]
}

@test "lint: globals refuses a variable that can be written to" {
	printf 'static int counter = 1; int *p(void); int *p(void) { return &counter; }\n' >bad.c
	cc -c bad.c
	nm -A -f sysv bad.o >names
	run -1 lint globals <names
	[[ $output == *'writable variable'* ]]
}

@test "lint: words refuses loose ends and control flow in macros" {
	printf '/* TO%s: later */\n#define CHECK(x) if (!(x)) return -1\n' DO >bad.c
	run -1 lint words bad.c
	[[ $output == *'a loose end'* ]]
	[[ $output == *'control flow in a macro'* ]]
}

@test "lint: man refuses an option that the page does not name" {
	mkdir -p man build/bin
	cp "$BATS_TEST_DIRNAME/../../man/sblog-ls.1" man/
	sed -i '/^\.It Fl l/,+1d' man/sblog-ls.1
	cp "$SBLOG_BUILD/bin/sblog-ls" build/bin/
	run -1 lint man build
	[[ $output == *'man/sblog-ls.1: '* ]]
}
