/*
 * append_run.c - delimited text as it came, cut into batches.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/scan.h"
#include "log/append.h"

enum {
	RUN_BYTES = 1 << 20,    /* a run is cut into batches of about this */
	RUN_RECORDS = 64 << 10, /* and of no more records than this */
};

/*
 * A large batch ends where a shard's run of offsets does, if nobody else
 * appends meanwhile: one that is of one shard is of no interest to the others.
 */
static size_t
end_with_shard(const struct sblog_topic *t, size_t n)
{
	uint64_t end = t->pub.end + n;

	end -= end % SBLOG_SHARD_RUN;
	if (n == 0 || t->ends[n - 1] < RUN_BYTES / 2 || end <= t->pub.end)
		return n;
	return (size_t)(end - t->pub.end);
}

/* How much of the run makes a batch: ends and their number, or an error. */
static int
cut_run(struct sblog_topic *t, const struct sblog_run *run,
    const uint8_t *delim, size_t delim_len, size_t *np, struct sblog_err *err)
{
	size_t max = run->atomic ? SBLOG_BATCH_RECORDS_MAX : RUN_RECORDS;
	size_t len = run->len < UINT32_MAX ? run->len : UINT32_MAX;
	size_t first = run->atomic || len < RUN_BYTES ? len : RUN_BYTES;
	size_t guess = first / 4 + 16 < max ? first / 4 + 16 : max;

	if (run->max_records != 0 && run->max_records < max)
		max = run->max_records;
	for (;;) {
		size_t room = guess < max ? guess : max;

		if (t->ends_size < room) {
			free(t->ends);
			t->ends_size = 0;
			if ((t->ends = malloc(room * sizeof(*t->ends))) == NULL)
				return sb_err_nomem(err);
			t->ends_size = room;
		}
		*np = sb_scan(&t->cpu, run->data, first, delim, delim_len,
		    t->ends, room);
		if (*np == room && room < max)
			guess = max; /* records of less than four bytes */
		else if (*np == 0 && first < len)
			first = len; /* one record of more than RUN_BYTES */
		else
			break;
	}
	if (!run->atomic)
		*np = end_with_shard(t, *np);
	if (run->atomic && *np == max && run->max_records == 0 &&
	    t->ends[max - 1] + delim_len < run->len)
		return sb_err_set(err, SBLOG_ETOOBIG, "",
		    "more than %d records in one batch",
		    SBLOG_BATCH_RECORDS_MAX);
	return 0;
}

/* The delimiter that is missing behind the last record. */
static size_t
complete(const struct sblog_run *run, const uint8_t *delim, size_t delim_len)
{
	uint8_t *end = (uint8_t *)(uintptr_t)run->data + run->len;

	if (!run->final || run->len == 0 ||
	    (run->len >= delim_len &&
		memcmp(end - delim_len, delim, delim_len) == 0))
		return run->len;
	memcpy(end, delim, delim_len);
	return run->len + delim_len;
}

static int
run_too_big(struct sblog_topic *t, const uint32_t *ends, size_t bad, size_t n,
    size_t delim_len, struct sblog_err *err)
{
	int rc = sb_draft_too_big(t, bad, n, err);

	err->pos = bad == 0 ? 0 : ends[bad - 1] + delim_len;
	return rc;
}

/* No delimiter in all of data: is the record already longer than allowed? */
static int
no_record(struct sblog_topic *t, size_t len, struct sblog_err *err)
{
	if (len <= t->config.max_message_bytes + SBLOG_DELIM_MAX)
		return 0;
	return run_too_big(t, NULL, 0, 1, 0, err);
}

int
sblog_append_run(struct sblog_topic *t, const struct sblog_run *run,
    const struct sblog_append_opts *opts, struct sblog_appended *done,
    struct sblog_err *err)
{
	static const struct sblog_append_opts none;
	struct sb_draft d = { .head.delim_len = 1, .head.delim = "\n" };
	struct sblog_run whole = *run;
	size_t n = 0, bad = 0;
	int rc;

	opts = opts ? opts : &none;
	d.opts = opts;
	if (run->delim_len > SBLOG_DELIM_MAX || opts->keep_offsets ||
	    opts->once.data != NULL)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "a run has a delimiter of at most %d bytes, no offsets and "
		    "no token",
		    SBLOG_DELIM_MAX);
	if ((rc = sb_append_allowed(t, err)) < 0)
		return rc;
	if (run->delim_len > 0) {
		d.head.delim_len = run->delim_len;
		memset(d.head.delim, 0, sizeof(d.head.delim));
		memcpy(d.head.delim, run->delim, run->delim_len);
	}
	whole.len = complete(run, d.head.delim, d.head.delim_len);
	if ((rc = cut_run(t, &whole, d.head.delim, d.head.delim_len, &n, err)) <
	    0)
		return rc;
	*done = (struct sblog_appended){ .first = 0 };
	if (n == 0)
		return no_record(t, run->len, err);
	if (sb_plan_run(&d.head, t->ends, n, t->config.max_message_bytes,
		&bad) < 0)
		return run_too_big(t, t->ends, bad, n, d.head.delim_len, err);
	if (sb_buf_reserve(&t->scratch, (size_t)d.head.columns_raw + 8) < 0)
		return sb_err_nomem(err);
	sb_plan_run_columns(&d.head, t->ends, t->scratch.data);
	d.columns = t->scratch.data;
	d.values = d.run = run->data;
	d.ends = t->ends;
	d.sync = sb_draft_syncs(t, opts);
	d.sync_later = opts->sync_later;
	if (opts->codec == SBLOG_CODEC_LZ4 &&
	    (rc = sb_draft_pack(t, &d, err)) < 0)
		return rc;
	if ((rc = sb_draft_put(t, &d, err)) < 0)
		return rc;
	done->first = d.head.base;
	done->next = d.head.next;
	done->consumed =
	    d.head.values_raw < run->len ? d.head.values_raw : run->len;
	return 0;
}
