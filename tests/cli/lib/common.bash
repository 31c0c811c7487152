# shellcheck shell=bash
# common.bash - what every .bats file here relies on.
#
# Each test gets its own store ($SBLOG_DIR) below $BATS_TEST_TMPDIR and the
# freshly built commands first in PATH.  Nothing outside is touched.

bats_require_minimum_version 1.7.0

setup() {
	PATH=${SBLOG_BUILD:?run through make check}/bin:$PATH
	export SBLOG_DIR=$BATS_TEST_TMPDIR/store LC_ALL=C TZ=UTC
	cd "$BATS_TEST_TMPDIR" || return 1
}

# stdout_is TEXT, stderr_is TEXT - compare whole streams, show a diff if not.
# They follow "run --separate-stderr".
# shellcheck disable=SC2154 # output is set by run
stdout_is() { diff -u --label expected --label stdout <(printf '%s' "$1") <(printf '%s' "$output"); }
# shellcheck disable=SC2154 # stderr is set by run
stderr_is() { diff -u --label expected --label stderr <(printf '%s' "$1") <(printf '%s' "$stderr"); }

# tree_sum DIR - one line that changes when any name, byte or mode below DIR does.
tree_sum() { (cd "$1" && find . -printf '%P %m %s\n' -type f -exec sha256sum {} + | sort | sha256sum); }
