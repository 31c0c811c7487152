/*
 * consumer.h - what "read" does for a consumer: the options of groups, shards
 * and --exec, and how their parts (progress, deliver, quit) work together.
 */
#ifndef CMD_CONSUMER_H
#define CMD_CONSUMER_H

#include <sblog.h>

#include "common/cli.h"
#include "common/deliver.h"
#include "common/follow.h"
#include "common/print.h"
#include "common/progress.h"

enum { CONSUMER_OPTIONS = 10 };

struct consumer {
	/* what the command line says */
	const char *group, *shard;
	uint64_t join;
	bool has_join, has_batch;
	struct deliver_opts exec;

	struct progress progress;
	struct deliver deliver;
	struct sblog_topic *letters;
	uint32_t shard_index, shard_count; /* 0: not divided */
};

#define CONSUMER_NONE                                        \
	((struct consumer){ .exec = { .records = UINT64_MAX, \
				.bytes = 1 << 20,            \
				.backoff_us = 1000000 } })

/* Write CONSUMER_OPTIONS entries, for cli_parse. */
void consumer_options(struct consumer *c, struct cli_opt *table);

/* Complain about the command line, or return. */
void consumer_check(struct consumer *c, const struct cli *cli);

/* Does it commit, or run a command?  Then the store is written to, and signals
 * are noticed instead of obeyed. */
bool consumer_active(const struct consumer *c);

/*
 * Take what has to be taken before a record is read: leases, the topic of
 * --dead-letter.  What fails is reported; o needs from, wait_us, follow, out.
 */
enum exit_status consumer_begin(struct consumer *c, const struct cli *cli,
    struct sblog_store *store, struct progress_opts *o);

/* Does a record belong to the shard of this consumer? */
bool consumer_wants(const struct consumer *c, const struct sblog_record *rec);

/* Where to begin in a topic; before the start of it: say what is missing. */
uint64_t consumer_from(const struct consumer *c, size_t which,
    const struct sblog_info *info, bool *gapp);

/*
 * --exec: all batches.  c->deliver has its sources; print is as for printing,
 * print->out is not used; follow NULL: to the end.
 */
enum exit_status consumer_deliver(struct consumer *c, const struct print *print,
    struct follow *follow);

/* The output has been flushed, or has failed: commit what it took. */
enum exit_status consumer_settle(struct consumer *c, struct out *out);

void consumer_end(struct consumer *c);

#endif
