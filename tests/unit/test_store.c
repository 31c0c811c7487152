/*
 * test_store.c - store: names, settings, manifests.
 */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/config.h"
#include "store/manifest.h"
#include "store/names.h"

static uint64_t state = 1;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static int
here(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void
put_file(const char *name, const void *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	CHECK(fd >= 0);
	CHECK_U64(write(fd, data, len), len);
	CHECK(close(fd) == 0);
}

static size_t
get_file(const char *name, void *data, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, data, size);
	CHECK(n >= 0 && close(fd) == 0);
	return (size_t)n;
}

/* ---- names ---- */

static void
names_round_trip(void)
{
	static const uint64_t bases[] = { 0, 1, 9999999999, UINT64_MAX };
	char name[SB_FILE_NAME_SIZE];
	enum sb_name_kind kind;
	uint32_t revision;
	uint64_t base;

	for (int k = SB_NAME_WAL; k <= SB_NAME_KEYTAB; k++) {
		for (size_t i = 0; i < 4; i++) {
			sb_name_format(name, (enum sb_name_kind)k, bases[i],
			    (uint32_t)i * 7);
			CHECK(sb_name_parse(name, &kind, &base, &revision));
			CHECK_U64(revision, i * 7);
			CHECK_U64(kind, k);
			CHECK_U64(base, bases[i]);
		}
	}
	sb_name_format(name, SB_NAME_WAL, 42, 0);
	CHECK_STR(name, "00000000000000000042.wal");
}

static void
other_names_are_refused(void)
{
	static const char *const names[] = {
		"",
		"manifest",
		"42.wal",
		"0000000000000000042.wal",
		"000000000000000000042.wal",
		"00000000000000000042.log",
		"00000000000000000042.WAL",
		"00000000000000000042.wal.tmp.0123456789abcdef",
		"0000000000000000004x.wal",
		"+0000000000000000042.wal",
		" 0000000000000000042.wal",
		"18446744073709551616.wal",
		"00000000000000000042.0.seg",
		"00000000000000000042.07.seg",
		"00000000000000000042..seg",
		"00000000000000000042.4294967296.seg",
		"00000000000000000042x7.seg",
	};
	enum sb_name_kind kind;
	uint32_t revision;
	uint64_t base;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(!sb_name_parse(names[i], &kind, &base, &revision));
}

/* ---- settings ---- */

static const char *
setting(const struct sb_config *c, const char *want,
    enum sblog_setting_origin *originp)
{
	static char value[SB_SETTING_SIZE];
	const char *name;

	for (size_t i = 0; sb_config_at(c, i, &name, value, originp); i++)
		if (strcmp(name, want) == 0)
			return value;
	return NULL;
}

static void
settings_come_from_topic_store_or_default(void)
{
	enum sblog_setting_origin origin;
	struct sb_config c;
	struct sblog_err err;
	int store = here(), dir;

	CHECK(mkdirat(store, "t", 0777) == 0);
	CHECK((dir = openat(store, "t", O_RDONLY | O_CLOEXEC)) >= 0);
	CHECK_U64(sb_config_load(&c, store, dir, &err), 0);
	CHECK_STR(setting(&c, "segment.bytes", &origin), "1G");
	CHECK_U64(origin, SBLOG_FROM_DEFAULT);
	put_file("config", "segment.bytes = 2M\nsync=none\n", 29);
	put_file("t/config", " sync = batch ", 14);
	CHECK_U64(sb_config_load(&c, store, dir, &err), 0);
	CHECK_U64(c.segment_bytes, 2 << 20);
	CHECK_U64(c.sync, SB_SYNC_BATCH);
	CHECK_STR(setting(&c, "segment.bytes", &origin), "2M");
	CHECK_U64(origin, SBLOG_FROM_STORE);
	CHECK_STR(setting(&c, "sync", &origin), "batch");
	CHECK_U64(origin, SBLOG_FROM_TOPIC);
	CHECK_U64(sb_config_load(&c, -1, -1, &err), 0);
	CHECK_STR(setting(&c, "sync", &origin), "batch");
	CHECK_U64(origin, SBLOG_FROM_DEFAULT);
}

static void
a_change_keeps_the_other_lines(void)
{
	static const char before[] =
	    "# mine\nsync = none\n\nsegment.bytes=1M\n";
	const struct sblog_setting set[] = {
		{ "sync", "record" },
		{ "segment.bytes", NULL },
	};
	char text[200] = "";
	struct sblog_err err;
	struct sb_config c;
	int dir = here();

	put_file("config", before, strlen(before));
	CHECK_U64(sb_config_change(dir, set, 2, true, &err), 0);
	CHECK_U64(get_file("config", text, sizeof(text)), strlen(before));
	CHECK_U64(sb_config_change(dir, set, 2, false, &err), 0);
	memset(text, 0, sizeof(text));
	(void)get_file("config", text, sizeof(text) - 1);
	CHECK_STR(text, "# mine\n\nsync = record\n");
	CHECK_U64(sb_config_load(&c, dir, -1, &err), 0);
	CHECK(c.sync == SB_SYNC_RECORD && c.segment_bytes == 1 << 30);
}

/* Every kind of value, as it may be written and as it is shown. */
static void
settings_are_shown_in_one_way(void)
{
	static const char *const tests[][3] = {
		{ "retention.ms", "250", "250ms" },
		{ "retention.ms", "1h30m", "90m" },
		{ "retention.ms", "2w", "14d" },
		{ "retention.ms", "0", "0ms" },
		{ "retention.ms", "-1", "none" },
		{ "retention.bytes", "2048", "2K" },
		{ "retention.records", "1000", "1000" },
		{ "min.cleanable.dirty.ratio", "0.250", "0.25" },
		{ "min.cleanable.dirty.ratio", "1", "1" },
		{ "min.cleanable.dirty.ratio", "0", "0" },
		{ "cleanup.policy", "compact,delete", "compact,delete" },
		{ "hook.seal", "cp $SBLOG_SEGMENT /x = y",
		    "cp $SBLOG_SEGMENT /x = y" },
		{ "hook.seal", "", "" },
	};
	int dir = here();

	for (size_t t = 0; t < sizeof(tests) / sizeof(tests[0]); t++) {
		const struct sblog_setting set = { tests[t][0], tests[t][1] };
		enum sblog_setting_origin origin = SBLOG_FROM_DEFAULT;
		char text[SB_SETTING_SIZE] = "";
		const char *name = "";
		struct sb_config c;
		struct sblog_err err;
		size_t i = 0;

		CHECK_U64(sb_config_change(dir, &set, 1, false, &err), 0);
		CHECK_U64(sb_config_load(&c, dir, -1, &err), 0);
		while (sb_config_at(&c, i++, &name, text, &origin) &&
		    strcmp(name, tests[t][0]) != 0)
			;
		CHECK_STR(text, tests[t][2]);
		CHECK(origin == SBLOG_FROM_STORE);
	}
}

static void
bad_settings_change_nothing(void)
{
	static const struct sblog_setting bad[] = {
		{ "no.such", "1" },
		{ "segment.byte", "1M" },
		{ "segment.bytes", "" },
		{ "segment.bytes", "M" },
		{ "segment.bytes", "-1" },
		{ "segment.bytes", "1X" },
		{ "segment.bytes", "1m" },
		{ "segment.bytes", "10" },
		{ "segment.bytes", "65G" },
		{ "segment.bytes", "99999999999999999999" },
		{ "segment.bytes", "17179869184G" },
		{ "max.message.bytes", "0" },
		{ "max.message.bytes", "1G" },
		{ "readonly", "yes" },
		{ "sync", "Batch" },
		{ "sync", "batch\nreadonly = true" },
		{ "compression.type", "zstd" },
		{ "retention.ms", "5x" },
		{ "retention.ms", "1h30" },
		{ "retention.ms", "99999999999999999999d" },
		{ "retention.bytes", "-2" },
		{ "segment.bytes", "none" },
		{ "min.cleanable.dirty.ratio", "1.5" },
		{ "min.cleanable.dirty.ratio", "0." },
		{ "min.cleanable.dirty.ratio", "0.1234567" },
		{ "cleanup.policy", "delete,compact" },
	};
	int dir = here();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct sblog_setting set[] = { { "sync", "none" },
			bad[i] };
		struct sblog_err err;

		CHECK(
		    sb_config_change(dir, set, 2, false, &err) == SBLOG_EINVAL);
		CHECK(err.msg[0] != '\0');
		CHECK(access("config", F_OK) < 0);
	}
}

static void
bad_files_are_refused_with_their_place(void)
{
	static const char *const texts[] = {
		"# x\nsync\n",
		"# x\n= none\n",
		"# x\nsync = maybe\n",
		"# x\nnothing = 1\n",
		"# x\nsegment.bytes =\n",
	};
	struct sblog_err err;
	struct sb_config c;
	int dir = here();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put_file("config", texts[i], strlen(texts[i]));
		CHECK(sb_config_load(&c, dir, -1, &err) < 0);
		CHECK_STR(err.file, "config");
		CHECK_U64(err.pos, 4);
	}
}

/* ---- manifest ---- */

static void
any_bytes(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)any(256);
}

static void
add_file(struct sb_manifest *m, enum sblog_file_kind kind, uint64_t *nextp)
{
	struct sb_file f = { .kind = kind, .base = *nextp, .chain = any(1000) };

	any_bytes(f.salt, sizeof(f.salt));
	if (kind != SBLOG_FILE_WAL_ACTIVE) {
		f.next = f.base + any(100);
		f.count = f.next - f.base;
		f.size = 256 + any(10000);
		f.raw = any(50000);
		f.end_chain = any(1u << 30) << 30;
		f.first_time = (int64_t)any(5000);
		f.last_time = f.first_time + (int64_t)any(500);
		*nextp = f.next;
	}
	CHECK_U64(sb_manifest_insert(m, m->file_count, &f), 0);
}

static void
make_manifest(struct sb_manifest *m)
{
	uint64_t next = any(50), files = any(5);

	*m = SB_MANIFEST_INIT;
	m->generation = any(1000);
	m->created = (int64_t)any(UINT32_MAX);
	m->start = next;
	any_bytes(m->topic, sizeof(m->topic));
	for (uint64_t i = 0; i < files; i++)
		add_file(m, SBLOG_FILE_SEGMENT, &next);
	files = any(3);
	for (uint64_t i = 0; i < files; i++)
		add_file(m, SBLOG_FILE_WAL, &next);
	if (any(4) != 0)
		add_file(m, SBLOG_FILE_WAL_ACTIVE, &next);
	for (uint64_t n = any(3); n > 0; n--)
		CHECK_U64(sb_manifest_add_lost(m, n, n + 1 + any(9)), 0);
}

static int
decode(struct sb_manifest *m, const struct sb_buf *text)
{
	const char *why;
	uint64_t pos;
	int rc = sb_manifest_decode(m, text->data, text->len, &why, &pos);

	CHECK((rc == 0) == (why == NULL));
	return rc;
}

static void
manifests_round_trip(void)
{
	struct sb_buf text = SB_BUF_INIT, again = SB_BUF_INIT;
	struct sb_manifest m, got, loaded;
	struct sblog_err err;
	int dir = here();

	for (int round = 0; round < 300; round++) {
		make_manifest(&m);
		text.len = again.len = 0;
		CHECK_U64(sb_manifest_encode(&m, &text), 0);
		CHECK_U64(decode(&got, &text), 0);
		CHECK_U64(got.file_count, m.file_count);
		CHECK_U64(got.lost_count, m.lost_count);
		CHECK((sb_manifest_active(&got) == NULL) ==
		    (sb_manifest_active(&m) == NULL));
		for (size_t i = 0; i < m.file_count; i++)
			CHECK_U64(got.files[i].end_chain, m.files[i].end_chain);
		CHECK_U64(sb_manifest_encode(&got, &again), 0);
		CHECK_U64(again.len, text.len);
		CHECK_BYTES(again.data, text.data, text.len);
		sb_manifest_release(&got);
		if (round < 5) {
			CHECK_U64(sb_manifest_save(&m, dir, &err), 0);
			CHECK_U64(sb_manifest_load(&loaded, dir, &err), 0);
			CHECK_U64(loaded.generation, m.generation);
			sb_manifest_release(&loaded);
		}
		sb_manifest_release(&m);
	}
	sb_buf_release(&text);
	sb_buf_release(&again);
}

static void
any_changed_byte_of_a_manifest_is_refused(void)
{
	struct sb_buf text = SB_BUF_INIT;
	struct sb_manifest m, got;

	make_manifest(&m);
	CHECK_U64(sb_manifest_encode(&m, &text), 0);
	for (size_t i = 0; i < text.len; i++) {
		uint8_t was = text.data[i];

		for (int bit = 0; bit < 8; bit++) {
			text.data[i] = (uint8_t)(was ^ (1u << bit));
			CHECK(decode(&got, &text) == SBLOG_EDAMAGE);
		}
		text.data[i] = was;
	}
	while (text.len-- > 0)
		CHECK(decode(&got, &text) == SBLOG_EDAMAGE);
	sb_buf_release(&text);
	sb_manifest_release(&m);
}

/* Hash right, contents impossible. */
static void
gaps_and_disorder_are_refused(void)
{
	for (int kind = 0; kind < 6; kind++) {
		struct sb_buf text = SB_BUF_INIT;
		struct sb_manifest m = SB_MANIFEST_INIT, got;
		uint64_t next = 10;

		add_file(&m, SBLOG_FILE_SEGMENT, &next);
		next = m.files[0].next = m.files[0].base + 5;
		add_file(&m, SBLOG_FILE_WAL, &next);
		add_file(&m, SBLOG_FILE_WAL_ACTIVE, &next);
		switch (kind) {
		case 0:
			m.files[1].base++; /* a gap */
			m.files[1].next++;
			break;
		case 1:
			m.files[1].base--; /* an overlap */
			break;
		case 2:
			m.files[2].base--;
			break;
		case 3:
			m.files[0].next = m.files[0].base - 1;
			break;
		case 4:
			m.files[0].kind = SBLOG_FILE_WAL;
			m.files[1].kind = SBLOG_FILE_SEGMENT;
			m.files[1].size = 256;
			break;
		default:
			m.files[0].size = 255; /* no room for head and foot */
			break;
		}
		CHECK_U64(sb_manifest_encode(&m, &text), 0);
		CHECK(decode(&got, &text) == SBLOG_EDAMAGE);
		sb_buf_release(&text);
		sb_manifest_release(&m);
	}
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "names: round trip", names_round_trip },
		{ "names: others are refused", other_names_are_refused },
		{ "config: topic before store before default",
		    settings_come_from_topic_store_or_default },
		{ "config: a change keeps the other lines",
		    a_change_keeps_the_other_lines },
		{ "config: settings are shown in one way",
		    settings_are_shown_in_one_way },
		{ "config: bad settings change nothing",
		    bad_settings_change_nothing },
		{ "config: bad files are refused with their place",
		    bad_files_are_refused_with_their_place },
		{ "manifest: round trip", manifests_round_trip },
		{ "manifest: any changed byte is refused",
		    any_changed_byte_of_a_manifest_is_refused },
		{ "manifest: gaps and disorder are refused",
		    gaps_and_disorder_are_refused },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
