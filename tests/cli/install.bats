#!/usr/bin/env bats
# install.bats - make install and uninstall, and building against what they put
# there.

load lib/common

root() { echo "$BATS_TEST_DIRNAME/../.."; }

needs_plain() {
	case $SBLOG_BUILD in
	*plain) ;;
	*) skip 'only the default build is installed' ;;
	esac
}

# install_to DIR - with the flags of the build that is there, so that nothing
# is built again
install_to() {
	local flags
	flags=$(sed -n 's/.* \(-O[0-9s] -g\( -Werror\)\{0,1\}\).*/\1/p' "$(root)/build/plain/flags")
	make -s -C "$(root)" install DESTDIR="$1" PREFIX=/usr CFLAGS="${flags:--O2 -g}"
}

@test "install: programs, library, manual, completions; uninstall leaves nothing" {
	needs_plain
	install_to "$PWD/dest"
	for f in bin/sblog libexec/sblog/sblog-verify include/sblog.h lib/libsblog.a \
		lib/libsblog.so lib/libsblog.so.0 lib/pkgconfig/sblog.pc \
		share/man/man1/sblog.1 share/man/man5/sblog-wal.5 \
		share/bash-completion/completions/sblog share/zsh/site-functions/_sblog \
		share/fish/vendor_completions.d/sblog.fish; do
		[ -e "dest/usr/$f" ] || { echo "$f is missing" && false; }
	done
	cp -r dest copy
	echo a | copy/usr/bin/sblog append t
	[ "$(copy/usr/bin/sblog read t)" = a ]
	make -s -C "$(root)" uninstall DESTDIR="$PWD/dest" PREFIX=/usr
	[ -z "$(find dest -mindepth 1)" ]
}

@test "install: a program builds against the installed library" {
	needs_plain
	command -v pkg-config >/dev/null || skip 'pkg-config is not installed'
	install_to "$PWD/dest"
	cat >try.c <<'EOF'
#include <sblog.h>
#include <stdio.h>
int main(void) { return puts(sblog_code_name(SBLOG_EBUSY)) < 0; }
EOF
	export PKG_CONFIG_PATH=$PWD/dest/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$PWD/dest
	# shellcheck disable=SC2046 # flags are words
	cc try.c -o try $(pkg-config --cflags --libs sblog)
	[ "$(LD_LIBRARY_PATH=dest/usr/lib ./try)" = busy ]
}

@test "install: make help names every target that the README does" {
	for target in check demo install uninstall lint fmt fuzz stress bench; do
		make -s -C "$(root)" help | grep -q "^$target " || { echo "$target" && false; }
	done
}
