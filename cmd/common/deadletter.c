/*
 * deadletter.c - batches that a command refused, appended to another topic.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/deadletter.h"
#include "common/headers.h"

static int
failed(struct sblog_err *err, enum sblog_code code, uint64_t offset,
    const char *why)
{
	*err = (struct sblog_err){ .code = code,
		.offset = offset,
		.end = SBLOG_NO_OFFSET,
		.pos = UINT64_MAX };
	(void)snprintf(err->msg, sizeof(err->msg), "%s", why);
	return code;
}

static const char *
add_text(struct headers *h, const char *name, const char *value)
{
	return headers_add(h, (struct sblog_bytes){ name, strlen(name) },
	    (struct sblog_bytes){ value, strlen(value) });
}

/* The headers of a record and those that say where it was. */
static const char *
make_headers(struct deadletter *d, const char *topic, const char *reason,
    struct sblog_record *rec)
{
	struct headers h = { .arena = &d->arena };
	char offset[24];
	const char *why;

	(void)snprintf(offset, sizeof(offset), "%" PRIu64, rec->offset);
	if ((why = headers_add_run(&h, rec->headers)) != NULL ||
	    (why = add_text(&h, "sblog-topic", topic)) != NULL ||
	    (why = add_text(&h, "sblog-offset", offset)) != NULL ||
	    (d->group != NULL &&
		(why = add_text(&h, "sblog-group", d->group)) != NULL) ||
	    (why = add_text(&h, "sblog-reason", reason)) != NULL)
		return why;
	rec->headers = headers_bytes(&h);
	return NULL;
}

/* One batch of the cursor as one batch of the other topic. */
static int
append_batch(struct deadletter *d, const char *topic, struct sblog_batch *b,
    const char *reason, uint64_t *countp, struct sblog_err *err)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_BATCH };
	struct sblog_record *recs = calloc(b->count, sizeof(*recs)), rec;
	const char *why;
	uint64_t first;
	size_t n = 0;
	int rc = 0;

	if (recs == NULL)
		return failed(err, SBLOG_ENOMEM, b->first, "out of memory");
	arena_reset(&d->arena);
	while (rc == 0 && sblog_batch_next(b, &rec) == 0) {
		if (d->wanted != NULL && !d->wanted(d->arg, &rec))
			continue;
		if ((why = make_headers(d, topic, reason, &rec)) != NULL)
			rc = failed(err, SBLOG_ETOOBIG, rec.offset, why);
		recs[n++] = rec;
	}
	if (rc == 0 && n > 0)
		rc = sblog_append(d->to, recs, n, &opts, &first, err);
	if (rc == 0)
		*countp += n;
	free(recs);
	return rc;
}

int
deadletter_append(struct deadletter *d, struct sblog_topic *from,
    uint64_t first, uint64_t next, const char *reason, uint64_t *countp,
    struct sblog_err *err)
{
	const struct sblog_cursor_opts opts = { .from = first,
		.to = next,
		.copy = true };
	struct sblog_cursor *cur = NULL;
	struct sblog_batch b;
	int rc;

	*countp = 0;
	rc = sblog_cursor_open(&cur, from, &opts, err);
	while (rc == 0) {
		rc = sblog_cursor_batch(cur, &b, err);
		if (rc == 0)
			rc = append_batch(d, sblog_topic_name(from), &b, reason,
			    countp, err);
		else if (rc == SBLOG_EDAMAGE && d->skip_damaged)
			rc = sblog_cursor_skip(cur, err);
	}
	sblog_cursor_close(cur);
	return rc == SBLOG_END ? 0 : rc;
}

void
deadletter_free(struct deadletter *d)
{
	arena_free(&d->arena);
}
