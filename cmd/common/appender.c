/*
 * appender.c - batches on their way into a topic.
 */
#include "common/appender.h"

enum {
	/* Acknowledgements do not wait longer than this. */
	SETTLE_ACK_BYTES = 64 << 20,
	SETTLE_ACK_RANGES = 4096,
	/* Nor does a failed sync cost more than this. */
	SETTLE_BYTES = 1 << 30,
};

/* May this batch be synced by the call that writes it? */
static bool
sync_at_once(const struct appender *a, bool alone)
{
	/* If others wait for a sync, a failure could not be told apart. */
	return a->sync == APPENDER_SYNC_RECORD ||
	    (a->sync == APPENDER_SYNC_BATCH && alone && a->acked == a->records);
}

static struct sblog_append_opts
options(const struct appender *a, bool at_once)
{
	return (struct sblog_append_opts){
		.sync = at_once ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE,
		.codec = a->codec,
		.keep_offsets = a->keep_offsets,
		.sync_later = !at_once && a->sync == APPENDER_SYNC_BATCH,
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
	if (a->topic != NULL && a->sync != APPENDER_SYNC_NONE &&
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

	if (a->sync == APPENDER_SYNC_RECORD)
		one.max_records = 1;
	if ((rc = sblog_append_run(a->topic, &one, &opts, done, err)) < 0)
		return rc;
	if (done->consumed == 0)
		return 0;
	if ((rc = note(a, done->first, done->next, err)) < 0)
		return rc;
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
check(const struct appender *a, const struct sblog_record *recs, size_t n,
    struct sblog_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (recs[i].value.len > a->max_value)
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

	if (a->topic == NULL) {
		if ((rc = check(a, recs, n, err)) == 0)
			a->records += n;
		return rc;
	}
	if ((rc = sblog_append(a->topic, recs, n, &opts, &first, err)) < 0)
		return rc;
	next = a->keep_offsets ? recs[n - 1].offset + 1 : first + n;
	for (size_t i = 0; i < n; i++)
		bytes += recs[i].value.len;
	rc = a->ack != NULL && a->keep_offsets ? note_kept(a, recs, n, err)
					       : note(a, first, next, err);
	if (rc < 0)
		return rc;
	return published(a, first, next, n, bytes, at_once, err);
}
