/*
 * deliver.h - batches of records to a command, one after the other: what is in
 * a batch, how often it is tried, what becomes of one that is refused, and
 * that nothing is committed before it was accepted.
 */
#ifndef CMD_DELIVER_H
#define CMD_DELIVER_H

#include <sblog.h>

#include "common/deadletter.h"
#include "common/exec.h"
#include "common/follow.h"
#include "common/print.h"
#include "common/progress.h"

struct deliver_opts {
	const char *command, *dead_letter; /* NULL: none */
	bool once;
	uint64_t records, bytes; /* most of a batch; UINT64_MAX: any */
	uint64_t time_us;        /* how long a batch may wait to be full */
	uint64_t retries, backoff_us;
};

/* One topic on its way to the command. */
struct deliver_source {
	struct sblog_topic *topic;
	struct sblog_cursor *cursor;
	const struct record_context *context;
	uint64_t to;  /* nothing from here on, SBLOG_NO_OFFSET: no limit */
	size_t which; /* in progress */

	struct sblog_batch batch; /* rest of what the cursor gave, if any */
	bool in_batch;
	struct sblog_record rec; /* it did not fit into the last batch */
	bool has_rec;
};

struct deliver {
	const struct deliver_opts *opts;
	struct deliver_source *sources;
	size_t n;
	struct progress *progress;
	struct follow *follow;     /* NULL: end where the topics end */
	struct print print;        /* format, wanted, lost, arg, skip_damaged */
	struct deadletter letters; /* to: NULL without */

	struct exec exec;
	struct out out; /* the batch */
	bool aside;     /* something was put aside */
	struct sblog_err err;
};

/* Until the topics end, for ever, or until something has to be reported: it
 * is.  The caller calls deliver_free. */
enum exit_status deliver_run(struct deliver *d);
void deliver_free(struct deliver *d);

#endif
