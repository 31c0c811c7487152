#!/usr/bin/env bats
# messagedb.bats - the functions of Message DB, as documented, with sblog.
#
# Streams are keys, the message store is the topic m, type and metadata are the
# headers "type" and "meta": sblog-streams(7).

# shellcheck disable=SC2154 # stderr is set by run

load lib/common

# write_message STREAM TYPE DATA [META [EXPECTED]] - its position
write_message() {
	local args=(-k "$1" -H "type=$2")
	[ -z "${4-}" ] || args+=(-H "meta=$4")
	[ -z "${5-}" ] || args+=(--expect-pos "$5")
	printf '%s' "$3" | sblog append -f whole "${args[@]}" m || return
	stream_version "$1"
}

get_stream_messages() { # STREAM [POSITION [BATCH]]
	sblog read --key "$1" --pos "${2:-0}" -c "${3:-1000}" -f '%p:%v ' m
}

get_category_messages() { # CATEGORY POSITION BATCH [OPTION...]
	local category=$1 position=$2 batch=$3
	shift 3
	sblog read --category "$category" -o "$position" -c "$batch" "$@" \
		-f '%k/%p:%v ' m
}

get_last_stream_message() { # STREAM [TYPE]
	sblog read --key "$1" --last ${2:+--header "type=$2"} -f '%p:%v' m
}

stream_version() { sblog read --key "$1" --last -f '%p\n' m; }

@test "messagedb: write_message says the position, from 0 in each stream" {
	[ "$(write_message account-123 Deposited 11)" = 0 ]
	[ "$(write_message account-123 Deposited 22)" = 1 ]
	[ "$(write_message account-456 Deposited 33)" = 0 ]
	[ "$(sblog read -f '%o:%k:%h{%v}:%v ' m)" = \
		'0:account-123:Deposited:11 1:account-123:Deposited:22 2:account-456:Deposited:33 ' ]
}

@test "messagedb: the expected version is the stream's, or nothing is written" {
	[ "$(write_message account-1 Opened a '' -1)" = 0 ]
	run -4 --separate-stderr write_message account-1 Opened b '' -1
	[[ $stderr == *'last position of the key is 0, not none'* ]]
	[ "$(write_message account-1 Changed b '' 0)" = 1 ]
	run -4 write_message account-1 Changed c '' 0
	run -4 write_message account-1 Changed c '' 2
	# 0 is not the version of a stream that does not exist.
	run -4 write_message account-2 Opened d '' 0
	[ "$(write_message account-1 Changed c '' 1)" = 2 ]
	[ "$(get_stream_messages account-1)" = '0:a 1:b 2:c ' ]
	[ "$(get_stream_messages account-2)" = '' ]
}

@test "messagedb: a position that others wrote at meanwhile is no obstacle to other streams" {
	write_message account-1 Opened a
	write_message account-2 Opened b
	[ "$(write_message account-1 Changed c '' 0)" = 1 ]
	[ "$(write_message account-2 Changed d '' 0)" = 1 ]
}

@test "messagedb: get_stream_messages by position and batch size" {
	local i
	for i in 0 1 2 3 4 5 6; do
		write_message account-1 T "$i"
		write_message account-2 T "x$i"
	done
	[ "$(get_stream_messages account-1)" = '0:0 1:1 2:2 3:3 4:4 5:5 6:6 ' ]
	[ "$(get_stream_messages account-1 3)" = '3:3 4:4 5:5 6:6 ' ]
	[ "$(get_stream_messages account-1 2 3)" = '2:2 3:3 4:4 ' ]
	[ "$(get_stream_messages account-1 7)" = '' ]
	[ "$(get_stream_messages account-3)" = '' ]
	[ "$(get_stream_messages account)" = '' ]
}

@test "messagedb: get_category_messages in global order, from a global position" {
	local i
	for i in 0 1 2 3; do
		write_message account-1 T "a$i"
		write_message accountant-1 T "no$i"
		write_message account-2+9 T "b$i"
		write_message withdrawal-1 T "no$i"
	done
	[ "$(get_category_messages account 0 1000)" = 'account-1/0:a0 account-2+9/0:b0 account-1/1:a1 account-2+9/1:b1 account-1/2:a2 account-2+9/2:b2 account-1/3:a3 account-2+9/3:b3 ' ]
	# A position is inclusive, also one that is of another category.
	[ "$(get_category_messages account 4 3)" = 'account-1/1:a1 account-2+9/1:b1 account-1/2:a2 ' ]
	[ "$(get_category_messages account 5 1)" = 'account-2+9/1:b1 ' ]
	[ "$(get_category_messages account 16 5)" = '' ]
	[ "$(get_category_messages nothing 0 5)" = '' ]
}

@test "messagedb: a consumer group divides a category by cardinal id" {
	local id
	for id in 1 2 3 123 456 abc a1b2c3d4 123+a 123+b 2+x prefix-123; do
		write_message "account-$id" T "$id"
	done
	write_message account T none
	# The magnitude of the first 8 bytes of the MD5, modulo 2 and 3.
	[ "$(sblog read --category account --member 0/2 -f '%v ' m)" = '1 3 abc ' ]
	[ "$(sblog read --category account --member 1/3 -f '%v ' m)" = '2 123 456 123+a 123+b 2+x ' ]
	[ "$(sblog read --category account --member 2/3 -f '%v ' m)" = '3 abc a1b2c3d4 ' ]
	# Each stream with an id has one member.
	local size i
	for size in 1 2 3 4 8; do
		for ((i = 0; i < size; i++)); do
			sblog read --category account --member "$i/$size" -f '%v\n' m
		done | sort >all
		sblog read --category account -f '%v\n' m | grep -vx none |
			sort | diff - all
	done
	# A compound id goes with its first part.
	for ((i = 0; i < 3; i++)); do
		sblog read --category account --member "$i/3" -f '%v\n' m |
			grep -cE '^123' || true
	done | sort -n | paste -sd ' ' | grep -qx '0 0 3'
}

@test "messagedb: correlation is the category of the stream named in the metadata" {
	write_message account-1 T a '{"correlationStreamName":"transfer-7"}'
	write_message account-1 T b '{"correlationStreamName":"transfers-7"}'
	write_message account-2 T c '{"correlationStreamName":"transfer"}'
	write_message account-2 T d '{"other":"transfer-7"}'
	write_message account-2 T e
	[ "$(get_category_messages account 0 10 --correlation transfer)" = 'account-1/0:a account-2/0:c ' ]
	[ "$(get_category_messages account 1 10 --correlation transfer)" = 'account-2/0:c ' ]
}

@test "messagedb: get_last_stream_message and stream_version" {
	local state
	write_message account-1 Opened a
	write_message account-1 Changed b
	write_message account-1 Closed c
	write_message account-2 Closed d
	for state in wal sealed; do
		[ $state = wal ] || sblog seal m >/dev/null
		[ "$(get_last_stream_message account-1)" = '2:c' ]
		[ "$(get_last_stream_message account-1 Changed)" = '1:b' ]
		[ "$(get_last_stream_message account-1 Missing)" = '' ]
		[ "$(stream_version account-1)" = 2 ]
		[ "$(stream_version account-2)" = 0 ]
		[ "$(stream_version account-3)" = '' ]
	done
}

@test "messagedb: writers that expect the same version: one of them each time" {
	writer() {
		local version=-1 out
		while [ "$version" -lt 30 ]; do
			if sblog append -k account-1 --expect-pos "$version" \
				--sync none m <<<"$1" 2>/dev/null; then
				version=$((version + 1))
			else
				out=$(stream_version account-1)
				version=${out:--1}
			fi
		done
	}
	local n pids=()
	for n in 1 2 3 4; do
		writer "$n" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n"
	done
	sblog read --key account-1 -f '%p\n' m >positions
	diff positions <(seq 0 $(($(wc -l <positions) - 1)))
	[ "$(wc -l <positions)" -le 34 ]
}
