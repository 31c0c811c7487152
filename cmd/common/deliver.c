/*
 * deliver.c - batches of records to a command, one after the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/deliver.h"
#include "common/input.h"
#include "common/quit.h"

enum { BACKOFF_MAX_US = 60000000 };

/* A batch while it is put together. */
struct batch {
	uint64_t first, next; /* offsets; next also of what is not wanted */
	uint64_t count;       /* records in it */
	bool full;
	int result; /* enum print_result: PRINT_END or PRINT_ERR */
};

/* ---- what is in a batch -------------------------------------------------- */

/* The next record of a topic, wanted or not. */
static enum print_result
next_record(struct deliver *d, struct deliver_source *src,
    struct sblog_record *rec)
{
	int rc;

	if (src->has_rec) {
		*rec = src->rec;
		src->has_rec = false;
		return PRINT_MORE;
	}
	if (src->in_batch && sblog_batch_next(&src->batch, rec) == 0)
		return PRINT_MORE;
	src->in_batch = false;
	rc = sblog_cursor_batch(src->cursor, &src->batch, &d->print.err);
	if (rc == SBLOG_END)
		return PRINT_END;
	if (rc < 0)
		return PRINT_ERR;
	src->in_batch = true;
	return sblog_batch_next(&src->batch, rec) == 0 ? PRINT_MORE : PRINT_END;
}

/* Add a record to the batch; false: it must wait for the next one. */
static bool
add_record(struct deliver *d, const struct deliver_source *src, struct batch *b,
    const struct sblog_record *rec)
{
	struct record_context here = *src->context;
	bool limited = d->opts->bytes != UINT64_MAX && b->count > 0;

	if (b->count == d->opts->records ||
	    (limited && d->out.len >= d->opts->bytes))
		return false;
	here.index = d->print.printed;
	if (limited)
		out_begin(&d->out, d->opts->bytes - d->out.len);
	format_out_record(d->print.format, &here, rec, &d->out);
	if (limited && !out_end(&d->out))
		return false;
	if (b->count++ == 0)
		b->first = rec->offset;
	d->print.printed++;
	return true;
}

/* More records for a batch, as many as there are now and fit. */
static void
fill(struct deliver *d, struct deliver_source *src, struct batch *b)
{
	struct sblog_record rec;
	enum print_result result;

	while (!b->full && d->out.error == 0) {
		result = next_record(d, src, &rec);
		if (result == PRINT_ERR) {
			struct sblog_err damage = d->print.err;

			result =
			    print_failed(&d->print, src->context, src->cursor);
			if (result == PRINT_MORE) {
				b->next = damage.end;
				continue;
			}
		}
		b->result = (int)result;
		if (result == PRINT_END && d->print.only_shard)
			b->next = sblog_cursor_offset(src->cursor);
		if (result != PRINT_MORE)
			return;
		if ((d->print.wanted == NULL ||
			d->print.wanted(d->print.arg, &rec)) &&
		    !add_record(d, src, b, &rec)) {
			src->rec = rec;
			src->has_rec = true;
			b->full = true;
			return;
		}
		b->next = rec.offset + 1;
		b->full = b->count == d->opts->records ||
		    d->out.len >= d->opts->bytes;
	}
}

/* A batch as full as time allows. */
static void
collect(struct deliver *d, struct deliver_source *src, struct batch *b)
{
	uint64_t begun = 0, spent = 0;
	struct sblog_err err;

	*b = (struct batch){ .result = PRINT_END };
	d->out.len = 0;
	for (;;) {
		fill(d, src, b);
		if (b->full || b->count == 0 || b->result != PRINT_END ||
		    d->follow == NULL || quit_wanted() || d->out.error != 0)
			return;
		if (begun == 0)
			begun = input_now_us();
		spent = input_now_us() - begun;
		if (spent >= d->opts->time_us || b->next >= src->to)
			return;
		if (sblog_cursor_wait(src->cursor, d->opts->time_us - spent,
			&err) < 0 &&
		    err.sys != EINTR)
			return; /* the next look will say it too */
	}
}

/* ---- what becomes of it -------------------------------------------------- */

/* "offsets 3..5", "offset 3" */
static const char *
range(uint64_t first, uint64_t next, char text[64])
{
	if (next - first == 1)
		(void)snprintf(text, 64, "offset %" PRIu64, first);
	else
		(void)snprintf(text, 64, "offsets %" PRIu64 "..%" PRIu64, first,
		    next - 1);
	return text;
}

/* Sleep before a try; a signal that ends us ends it. */
static void
back_off(const struct deliver *d, uint64_t try)
{
	uint64_t us = d->opts->backoff_us, until;

	while (try-- > 1 && us < BACKOFF_MAX_US)
		us *= 2;
	until = input_now_us() + us;
	while (!quit_wanted() && (us = input_now_us()) < until) {
		struct timespec t = { (time_t)((until - us) / 1000000),
			(long)((until - us) % 1000000 * 1000) };

		(void)nanosleep(&t, NULL);
	}
}

static enum exit_status
put_aside(struct deliver *d, const struct deliver_source *src,
    const struct exec_batch *b, const char *why)
{
	uint64_t count = 0;
	char text[64];

	if (deadletter_append(&d->letters, src->topic, b->first, b->next, why,
		&count, &d->err) < 0)
		return report_err(d->opts->dead_letter, &d->err);
	report_note("%s: put aside in %s (%s)", b->topic, d->opts->dead_letter,
	    range(b->first, b->next, text));
	d->aside = true;
	return EXIT_DONE;
}

/* Until the command accepts the batch, or there is no more to be tried. */
static enum exit_status
give(struct deliver *d, const struct deliver_source *src,
    const struct exec_batch *b)
{
	enum exit_status status;
	char why[EXEC_WHY_SIZE], text[64];

	for (uint64_t try = 1;; try++) {
		status = exec_run(&d->exec, b, why);
		if (status == EXIT_DONE || quit_wanted())
			return status;
		report_fail("%s: the command %s (%s)", b->topic, why,
		    range(b->first, b->next, text));
		/* A command that is not there gets no better, and must not put
		 * a whole topic aside. */
		if (status != EXIT_COMMAND)
			return status;
		if (try > d->opts->retries)
			break;
		back_off(d, try);
		if (quit_wanted())
			return status;
	}
	return d->letters.to != NULL ? put_aside(d, src, b, why) : status;
}

/* One batch of a topic: *newsp if there was something. */
static enum exit_status
serve(struct deliver *d, struct deliver_source *src, bool *newsp)
{
	enum exit_status status = EXIT_DONE;
	struct batch b;

	collect(d, src, &b);
	if (d->out.error != 0) {
		report_fail("out of memory");
		return EXIT_FAILED;
	}
	if (b.count > 0) {
		const struct exec_batch one = {
			.topic = src->context->topic,
			.group = d->progress->group,
			.first = b.first,
			.next = b.next,
			.count = b.count,
			.data = d->out.buf,
			.len = d->out.len,
		};

		*newsp = true;
		status = give(d, src, &one);
	}
	if (status != EXIT_DONE)
		return status;
	if (b.next > 0 && d->progress->group != NULL) {
		progress_accept(d->progress, src->which, b.next);
		status = progress_commit(d->progress, PROGRESS_NOW);
	}
	if (b.result == PRINT_ERR)
		status = report_worse(status,
		    report_err(src->context->topic, &d->print.err));
	return status;
}

/* Can no more come, however long one waits? */
static bool
all_done(const struct deliver *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->sources[i].to == SBLOG_NO_OFFSET ||
		    sblog_cursor_offset(d->sources[i].cursor) <
			d->sources[i].to)
			return false;
	return true;
}

/* Is there a reason to go on when all topics are at their end? */
static bool
wait_more(struct deliver *d, enum exit_status *statusp)
{
	if (d->follow == NULL || all_done(d))
		return false;
	switch (follow_wait(d->follow, &d->err)) {
	case FOLLOW_NEWS:
		return true;
	case FOLLOW_TIMEOUT:
		*statusp = EXIT_TIMEOUT;
		return false;
	case FOLLOW_GONE:
	case FOLLOW_STOPPED:
		return false;
	case FOLLOW_FAILED:
		*statusp = report_err(d->sources[0].context->topic, &d->err);
		return false;
	}
	return false;
}

enum exit_status
deliver_run(struct deliver *d)
{
	enum exit_status status = EXIT_DONE, ended;
	char why[EXEC_WHY_SIZE];
	bool news;

	out_init_memory(&d->out);
	d->print.out = &d->out;
	d->exec.command = d->opts->command;
	d->exec.once = d->opts->once;
	do {
		news = false;
		for (size_t i = 0; i < d->n && status == EXIT_DONE; i++)
			if (!quit_wanted())
				status = serve(d, &d->sources[i], &news);
	} while (status == EXIT_DONE && !quit_wanted() &&
	    (news || wait_more(d, &status)));
	ended = exec_end(&d->exec, why);
	if (ended != EXIT_DONE && !quit_wanted() && status != EXIT_COMMAND) {
		report_fail("the command %s", why);
		status = report_worse(status, ended);
	}
	if (d->print.skipped || d->aside)
		status = report_worse(status, EXIT_NOTICE);
	return status;
}

void
deliver_free(struct deliver *d)
{
	deadletter_free(&d->letters);
	out_free(&d->out);
}
