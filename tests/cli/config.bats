#!/usr/bin/env bats
# config.bats - sblog-config: settings and where they come from.

load lib/common

@test "config: lists all with their origin" {
	sblog create t --config sync=none
	sblog config --defaults segment.bytes=16M
	run -0 --separate-stderr sblog config t
	stdout_is 'cleanup.policy = delete  # default
compact.unkeyed = keep  # default
compression.type = lz4  # default
dedup.window = 1d  # default
delete.retention.ms = 1d  # default
group.retention.ms = none  # default
hook.seal =   # default
index.keys = auto  # default
max.message.bytes = 64M  # default
min.cleanable.dirty.ratio = 0.5  # default
min.free.bytes = 0  # default
readonly = false  # default
retention.bytes = none  # default
retention.groups = true  # default
retention.ms = none  # default
retention.records = none  # default
segment.bytes = 16M  # store
segment.ms = 7d  # default
sync = none  # topic'
	run -0 --separate-stderr sblog config --json t
	[ "$(jq -r '.settings["segment.bytes"].origin' <<<"$output")" = store ]
	run -0 --separate-stderr sblog config --tsv t sync
	stdout_is $'sync\tnone\ttopic'
}

@test "config: one value alone, for command substitution" {
	sblog create t
	run -0 --separate-stderr sblog config t sync
	stdout_is batch
	run -2 --separate-stderr sblog config t no.such
	stderr_is 'sblog-config: no.such: unknown setting'
}

@test "config: set, and back to the default; all or none" {
	sblog create t
	run -0 --separate-stderr sblog config t readonly=true max.message.bytes=1K
	stdout_is ''
	[ "$(sblog config t readonly)" = true ]
	[ "$(sblog config t max.message.bytes)" = 1K ]
	sblog config t readonly=
	[ "$(sblog config t readonly)" = false ]
	before=$(tree_sum "$SBLOG_DIR")
	run -2 --separate-stderr sblog config t sync=none readonly=maybe
	stderr_is 'sblog-config: t: readonly: bad value "maybe"'
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "config: -n changes nothing" {
	sblog create t
	before=$(tree_sum "$SBLOG_DIR")
	run -0 --separate-stderr sblog config -n t sync=none
	run -2 --separate-stderr sblog config -n t sync=sometimes
	[ "$(tree_sum "$SBLOG_DIR")" = "$before" ]
}

@test "config: comments and order of the file are kept" {
	sblog create t --config sync=none
	printf '# by hand\nsync = none\n\nreadonly = false\n' >"$SBLOG_DIR/t/config"
	sblog config t readonly=true
	[ "$(cat "$SBLOG_DIR/t/config")" = $'# by hand\nsync = none\n\nreadonly = true' ]
}

@test "config: a bad file is named with its byte" {
	sblog create t
	printf 'sync = none\nnonsense\n' >"$SBLOG_DIR/t/config"
	run -2 --separate-stderr sblog read t
	stdout_is ''
	stderr_is 'sblog-read: t: nonsense: not a line "key = value" (file config, byte 12)'
	printf 'speed = 11\n' >"$SBLOG_DIR/t/config"
	run -2 --separate-stderr sblog read t
	stderr_is 'sblog-read: t: speed: unknown setting (file config, byte 0)'
}

@test "config: min.free.bytes stops appends, and says so" {
	sblog create t --config min.free.bytes=900T
	run -1 --separate-stderr sblog append t <<<a
	stdout_is ''
	[[ $stderr == 'sblog-append: t: only '*' bytes are free, min.free.bytes is '* ]]
	[ -z "$(sblog read t)" ]
}

@test "config: a WAL that reaches segment.bytes is finished" {
	sblog create t --config segment.bytes=64K
	# One call may be one batch, and a batch is not split.
	seq 20000 | sblog append t
	seq 20001 30000 | sblog append t
	[ "$(sblog stat --json t | jq '.topics[0].wals > 1')" = true ]
	[ "$(sblog read t | sha256sum)" = "$(seq 30000 | sha256sum)" ]
}
