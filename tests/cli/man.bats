#!/usr/bin/env bats
# man.bats - the manual is well-formed, complete and says what the commands say.

load lib/common

setup_file() {
	export ROOT=$BATS_TEST_DIRNAME/../..
}

# commands - names of all commands, from their sources
commands() {
	local c

	for c in "$ROOT"/cmd/sblog-*.c; do
		c=${c##*/}
		printf '%s\n' "${c%.c}"
	done
}

@test "man: no page has a warning of mandoc" {
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	run -0 mandoc -Tlint -W warning "$ROOT"/man/*.[1-9]
	[ -z "$output" ]
}

@test "man: every page that another one names exists" {
	cd "$ROOT/man"
	sed -n 's/^\.Xr \(sblog[^ ]*\) \([1-9]\).*/\1.\2/p' ./*.[1-9] |
		sort -u >"$BATS_TEST_TMPDIR/named"
	[ -s "$BATS_TEST_TMPDIR/named" ]
	while read -r page; do
		[ -f "$page" ] || { echo "$page is named, not there" && false; }
	done <"$BATS_TEST_TMPDIR/named"
}

@test "man: the title of a page is the name of its file" {
	for page in "$ROOT"/man/*.[1-9]; do
		name=${page##*/}
		section=${name##*.}
		name=${name%.*}
		grep -q "^\.Dt ${name^^} $section\$" "$page" ||
			{ echo "$page" && false; }
	done
}

@test "man: every command has a page, and sblog(1) lists it" {
	commands >names
	[ "$(wc -l <names)" -ge 10 ]
	while read -r command; do
		[ -f "$ROOT/man/$command.1" ] || { echo "$command" && false; }
		grep -q "^\.It Xr $command 1\$" "$ROOT/man/sblog.1"
	done <names
	for page in "$ROOT"/man/sblog-*.1; do
		page=${page##*/}
		grep -qx "${page%.1}" names || { echo "$page" && false; }
	done
}

# options_in_manual PAGE - "short long argument" of each option it lists
options_in_manual() {
	sed -n 's/^\.It Fl //p' "$1" | awk '{
		short = long = arg = "-"
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^(,|Ns|Op|Ar|Fl)$/) continue
			if ($i ~ /^-/ && long == "-") long = substr($i, 2)
			else if (i == 1) short = $i
			else if (arg != "-") arg = arg $i
			else if ($i != "=") arg = $i
		}
		print short, long, arg
	}' | sort
}

# options_of COMMAND - the same from its table
options_of() {
	"$1" --help-json | sed 's/^{"short":/\n&/' |
		sed -n 's/^{"short":\([^,]*\),"long":"\([^"]*\)","arg":\("[^"]*"\|null\),.*/\1 \2 \3/p' |
		sed 's/^null /- /; s/ null$/ -/; s/"//g' | sort
}

@test "man: sblog(1) lists the options that every command has" {
	options_in_manual "$ROOT/man/sblog.1" >manual
	[ "$(wc -l <manual)" -ge 8 ]
	commands >names
	while read -r command; do
		options_of "$SBLOG_BUILD/bin/$command" >options
		[ -z "$(comm -23 manual options)" ] ||
			{ echo "$command" && diff -u manual options && false; }
	done <names
}

@test "man: every page lists the options of its command, and no others" {
	options_in_manual "$ROOT/man/sblog.1" >common
	commands >names
	while read -r command; do
		options_of "$SBLOG_BUILD/bin/$command" |
			comm -23 - common >program
		options_in_manual "$ROOT/man/$command.1" >manual
		diff -u --label "$command --help-json" program \
			--label "$command.1" manual
	done <names
}

@test "man: every function of sblog.h is in section 3, and no other" {
	sed -n 's/^[a-z].*[ *]\(sblog_[a-z_]*\)(.*/\1/p' \
		"$ROOT/libcore/include/sblog.h" |
		grep -v '_fn$' | sort -u >header
	sed -n 's/^\.Fn \(sblog_[a-z_]*\) ".*/\1/p' "$ROOT"/man/*.3 |
		sort -u >manual
	[ -s header ]
	diff -u header manual
}

@test "man: every setting of the program is in sblog-config(5), and no other" {
	sblog create t
	sblog config --tsv t | cut -f1 | sort >program
	sed -n 's/^\.It Cm \([a-z.]*\)$/\1/p' "$ROOT/man/sblog-config.5" |
		sort >manual
	[ -s program ]
	diff -u program manual
}

@test "man: every test that sblog-guarantees(7) names exists" {
	sed -n 's/^\.Pa \(tests\/[^ ]*\).*/\1/p' \
		"$ROOT/man/sblog-guarantees.7" | sort -u >named
	[ -s named ]
	while read -r path; do
		[ -e "$ROOT/$path" ] || { echo "$path" && false; }
	done <named
}
