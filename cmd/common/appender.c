/*
 * appender.c - batches on their way into a topic.
 */
#include <string.h>

#include "common/appender.h"
#include "common/human.h"

/* max.message.bytes where nothing says otherwise. */
#define MAX_VALUE_STANDARD (UINT64_C(64) << 20)

enum {
	/* Acknowledgements do not wait longer than this. */
	SETTLE_ACK_BYTES = 64 << 20,
	SETTLE_ACK_RANGES = 4096,
	/* Nor does a failed sync cost more than this. */
	SETTLE_BYTES = 1 << 30,
};

/* Value of a setting; false: there is none. */
static bool
setting(const struct appender *a, const char *name, char value[64])
{
	struct sblog_setting one = { .name = "" };
	enum sblog_setting_origin origin;
	struct sblog_err err;
	size_t i = 0;

	if (a->store == NULL)
		return false;
	while (sblog_setting_at(a->store, a->topic, i++, &one, &origin, &err) ==
	    0) {
		if (strcmp(one.name, name) != 0 || one.value == NULL ||
		    strlen(one.value) >= 64)
			continue;
		strcpy(value, one.value);
		return true;
	}
	return false;
}

uint64_t
appender_max_value(struct appender *a)
{
	char text[64];

	if (a->max_value != 0)
		return a->max_value;
	if (!setting(a, "max.message.bytes", text) ||
	    !human_size(text, &a->max_value) || a->max_value == 0)
		a->max_value = MAX_VALUE_STANDARD;
	return a->max_value;
}

/* Settings are in files: a single small batch does without them. */
static void
resolve_sync(struct appender *a)
{
	char text[64] = "";

	if (a->sync != APPENDER_SYNC_SETTING)
		return;
	a->sync = APPENDER_SYNC_BATCH;
	if (!setting(a, "sync", text))
		return;
	if (strcmp(text, "none") == 0)
		a->sync = APPENDER_SYNC_NONE;
	else if (strcmp(text, "record") == 0)
		a->sync = APPENDER_SYNC_RECORD;
}

/* May this batch be synced by the call that writes it? */
static bool
sync_at_once(struct appender *a, bool alone)
{
	/* If others wait for a sync, a failure could not be told apart. */
	if (!alone || a->acked != a->records)
		resolve_sync(a);
	return a->sync == APPENDER_SYNC_RECORD ||
	    (a->sync != APPENDER_SYNC_NONE && alone && a->acked == a->records);
}

static struct sblog_append_opts
options(const struct appender *a, bool at_once)
{
	return (struct sblog_append_opts){
		.sync = !at_once                       ? SBLOG_SYNC_NONE
		    : a->sync == APPENDER_SYNC_SETTING ? SBLOG_SYNC_DEFAULT
						       : SBLOG_SYNC_BATCH,
		.codec = a->codec,
		.keep_offsets = a->keep_offsets,
		.sync_later = !at_once && a->sync == APPENDER_SYNC_BATCH,
		.expect = a->expect,
		.expect_count = a->expect_count,
		.once = { a->once, a->once != NULL ? strlen(a->once) : 0 },
	};
}

static void
acknowledged(struct appender *a)
{
	a->acked = a->records;
	a->acked_next = a->next;
	a->unsynced_bytes = 0;
	if (a->ack != NULL)
		(void)ack_print(a->ack); /* the error sticks in its out */
}

int
appender_settle(struct appender *a, struct sblog_err *err)
{
	int rc;

	if (a->acked == a->records || a->lost)
		return 0;
	resolve_sync(a);
	if (!a->dry_run && a->sync != APPENDER_SYNC_NONE &&
	    (rc = sblog_sync(a->topic, err)) < 0) {
		a->lost = true;
		return rc;
	}
	acknowledged(a);
	return 0;
}

/* Remember for --ack; all records of a batch have the time of the first. */
static int
note(struct appender *a, uint64_t first, uint64_t next, struct sblog_err *err)
{
	struct sblog_record rec = { .time_us = 0 };
	int rc;

	if (a->ack == NULL)
		return 0;
	if (a->ack->times && (rc = sblog_get(a->topic, first, &rec, err)) < 0)
		return rc;
	if (ack_add(a->ack, first, next, rec.time_us) == 0)
		return 0;
	*err = (struct sblog_err){ .code = SBLOG_ENOMEM,
		.offset = SBLOG_NO_OFFSET,
		.end = SBLOG_NO_OFFSET,
		.pos = UINT64_MAX,
		.msg = "out of memory" };
	return SBLOG_ENOMEM;
}

/* Records are in the log that cannot be acknowledged. */
static int
unsaid(struct sblog_err *err)
{
	err->code = SBLOG_EUNKNOWN;
	return SBLOG_EUNKNOWN;
}

/* count records are published, behind the last of them is next. */
static int
published(struct appender *a, uint64_t first, uint64_t next, uint64_t count,
    uint64_t bytes, bool at_once, struct sblog_err *err)
{
	if (a->records == 0)
		a->first = first;
	a->next = next;
	a->records += count;
	a->unsynced_bytes += bytes;
	if (at_once || a->sync == APPENDER_SYNC_NONE) {
		acknowledged(a);
		return 0;
	}
	if (a->unsynced_bytes >= SETTLE_BYTES ||
	    (a->ack != NULL &&
		(a->unsynced_bytes >= SETTLE_ACK_BYTES ||
		    a->ack->n >= SETTLE_ACK_RANGES)))
		return appender_settle(a, err);
	return 0;
}

int
appender_run(struct appender *a, const struct sblog_run *run, bool alone,
    struct sblog_appended *done, struct sblog_err *err)
{
	bool at_once = sync_at_once(a, alone);
	const struct sblog_append_opts opts = options(a, at_once);
	struct sblog_run one = *run;
	int rc;

	if (a->sync == APPENDER_SYNC_RECORD && !run->atomic)
		one.max_records = 1;
	if ((rc = sblog_append_run(a->topic, &one, &opts, done, err)) < 0)
		return rc;
	if (done->consumed == 0)
		return 0;
	if ((rc = note(a, done->first, done->next, err)) < 0)
		return unsaid(err);
	return published(a, done->first, done->next, done->next - done->first,
	    done->consumed, at_once, err);
}

static int
too_big(uint64_t index, const char *what, struct sblog_err *err)
{
	size_t i = 0;

	*err = (struct sblog_err){ .code = SBLOG_ETOOBIG,
		.offset = index,
		.end = SBLOG_NO_OFFSET,
		.pos = UINT64_MAX };
	for (; what[i] != '\0' && i + 1 < sizeof(err->msg); i++)
		err->msg[i] = what[i];
	err->msg[i] = '\0';
	return SBLOG_ETOOBIG;
}

/* What the core would refuse, without it. */
static int
check(struct appender *a, const struct sblog_record *recs, size_t n,
    struct sblog_err *err)
{
	uint64_t max = appender_max_value(a);

	for (size_t i = 0; i < n; i++) {
		if (recs[i].value.len > max)
			return too_big(i, "value is too big", err);
		if (recs[i].key.len > SBLOG_KEY_MAX)
			return too_big(i, "key is too big", err);
		if (recs[i].headers.len > SBLOG_HEADERS_MAX)
			return too_big(i, "headers are too big", err);
	}
	return 0;
}

/* With offsets to keep there may be holes between them. */
static int
note_kept(struct appender *a, const struct sblog_record *recs, size_t n,
    struct sblog_err *err)
{
	size_t from = 0;
	int rc;

	for (size_t i = 1; i <= n; i++) {
		if (i < n && recs[i].offset == recs[i - 1].offset + 1 &&
		    recs[i].time_us == recs[from].time_us)
			continue;
		rc = note(a, recs[from].offset, recs[i - 1].offset + 1, err);
		if (rc < 0)
			return rc;
		from = i;
	}
	return 0;
}

int
appender_records(struct appender *a, const struct sblog_record *recs, size_t n,
    bool alone, struct sblog_err *err)
{
	bool at_once = sync_at_once(a, alone);
	const struct sblog_append_opts opts = options(a, at_once);
	uint64_t first = 0, next, bytes = 0;
	int rc;

	if (a->dry_run) {
		if ((rc = check(a, recs, n, err)) == 0)
			a->records += n;
		return rc;
	}
	if ((rc = sblog_append(a->topic, recs, n, &opts, &first, err)) < 0)
		return rc;
	next = a->keep_offsets ? recs[n - 1].offset + 1 : first + n;
	if (rc == SBLOG_REPLAYED) {
		a->replayed = true;
		next = err->end;
		n = (size_t)(next - first);
	}
	for (size_t i = 0; i < n && !a->replayed; i++)
		bytes += recs[i].value.len;
	rc = a->ack != NULL && a->keep_offsets && !a->replayed
	    ? note_kept(a, recs, n, err)
	    : note(a, first, next, err);
	if (rc < 0)
		return unsaid(err);
	return published(a, first, next, n, bytes, at_once, err);
}
