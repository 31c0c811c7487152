/*
 * consumer.c - what "read" does for a consumer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/consumer.h"
#include "common/human.h"
#include "common/quit.h"

void
consumer_options(struct consumer *c, struct cli_opt *table)
{
	struct deliver_opts *e = &c->exec;
	const struct cli_opt list[CONSUMER_OPTIONS] = {
		{ 'g', "group", CLI_STRING, &c->group, "GROUP",
		    "go on where the group is, and commit", NULL, NULL },
		{ 0, "exec", CLI_STRING, &e->command, "CMD",
		    "batches to sh -c CMD, committed if it exits 0", NULL,
		    NULL },
		{ 0, "exec-once", CLI_FLAG, &e->once, NULL,
		    "one CMD for all batches; it answers on fd 3", NULL, NULL },
		{ 0, "batch-bytes", CLI_SIZE, &e->bytes, "SIZE",
		    "most bytes of a batch (default 1M)", NULL, &c->has_batch },
		{ 0, "batch-time", CLI_DURATION, &e->time_us, "DUR",
		    "with -F, wait so long for a full batch (default 0)", NULL,
		    &c->has_batch },
		{ 0, "retry", CLI_NUMBER, &e->retries, "N",
		    "try a refused batch N times more", NULL, &c->has_batch },
		{ 0, "backoff", CLI_DURATION, &e->backoff_us, "DUR",
		    "wait before the first retry, then doubled (default 1s)",
		    NULL, &c->has_batch },
		{ 0, "dead-letter", CLI_STRING, &e->dead_letter, "TOPIC",
		    "append refused batches to TOPIC and go on", NULL, NULL },
		{ 0, "shard", CLI_STRING, &c->shard, "I/N",
		    "only keys of shard I of N, from 0", NULL, NULL },
		{ 0, "join", CLI_NUMBER, &c->join, "N",
		    "take the first free one of the group's N shards", NULL,
		    &c->has_join },
	};

	memcpy(table, list, sizeof(list));
}

/* "I/N", I from 0 to N-1. */
static bool
parse_shard(struct consumer *c)
{
	const char *slash = strchr(c->shard, '/');
	uint64_t index, count;
	char first[8];

	if (slash == NULL || (size_t)(slash - c->shard) >= sizeof(first))
		return false;
	memcpy(first, c->shard, (size_t)(slash - c->shard));
	first[slash - c->shard] = '\0';
	if (!human_number(first, &index) || !human_number(slash + 1, &count) ||
	    count > SBLOG_SHARDS_MAX || index >= count)
		return false;
	c->shard_index = (uint32_t)index;
	c->shard_count = (uint32_t)count;
	return true;
}

static void
check_exec(const struct consumer *c, const struct cli *cli)
{
	const struct deliver_opts *e = &c->exec;

	if (e->command == NULL &&
	    (e->once || c->has_batch || e->dead_letter != NULL))
		cli_misuse(cli,
		    "--exec-once, --batch-bytes, --batch-time, --retry, "
		    "--backoff and --dead-letter go with --exec only");
	if (e->command == NULL)
		return;
	if (e->records == 0 || e->bytes == 0)
		cli_misuse(cli, "a batch has at least one record");
	if (e->dead_letter == NULL)
		return;
	if (!sblog_name_ok(e->dead_letter))
		cli_misuse(cli, "not a topic name: %s", e->dead_letter);
	for (int i = 0; i < cli->operand_count; i++)
		if (strcmp(cli->operands[i], e->dead_letter) == 0)
			cli_misuse(cli,
			    "--dead-letter: %s is the topic that is read",
			    e->dead_letter);
}

void
consumer_check(struct consumer *c, const struct cli *cli)
{
	check_exec(c, cli);
	if (c->group != NULL && !sblog_group_name_ok(c->group))
		cli_misuse(cli, "not a group name: %s", c->group);
	if (c->has_join && c->group == NULL)
		cli_misuse(cli, "--join goes with -g only");
	if (c->has_join && c->shard != NULL)
		cli_misuse(cli, "--join and --shard exclude each other");
	if (c->has_join && (c->join == 0 || c->join > SBLOG_SHARDS_MAX))
		cli_misuse(cli, "--join: from 1 to %d shards",
		    SBLOG_SHARDS_MAX);
	if (c->shard != NULL && !parse_shard(c))
		cli_misuse(cli, "--shard: not I/N with I below N, N to %d: %s",
		    SBLOG_SHARDS_MAX, c->shard);
	if (c->has_join)
		c->shard_count = (uint32_t)c->join;
	for (int i = 0; c->group != NULL && i < cli->operand_count; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(cli->operands[i], cli->operands[j]) == 0)
				cli_misuse(cli, "-g: %s is given twice",
				    cli->operands[i]);
}

bool
consumer_active(const struct consumer *c)
{
	return c->group != NULL || c->exec.command != NULL;
}

enum exit_status
consumer_begin(struct consumer *c, const struct cli *cli,
    struct sblog_store *store, struct progress_opts *o)
{
	enum exit_status status = EXIT_DONE;
	struct sblog_err err;

	if (c->exec.dead_letter != NULL &&
	    sblog_topic_open(&c->letters, store, c->exec.dead_letter,
		SBLOG_CREATE, &err) < 0)
		return report_err(c->exec.dead_letter, &err);
	if (c->group == NULL)
		return status;
	o->group = c->group;
	o->join = c->has_join;
	o->shards = c->shard_count;
	o->shard = c->shard_index;
	status = progress_open(&c->progress, store, cli->operands,
	    (size_t)cli->operand_count, o);
	c->shard_index = c->progress.shard;
	return status;
}

bool
consumer_wants(const struct consumer *c, const struct sblog_record *rec)
{
	return c->shard_count == 0 ||
	    sblog_shard_of(rec, c->shard_count) == c->shard_index;
}

uint64_t
consumer_from(const struct consumer *c, size_t which,
    const struct sblog_info *info, bool *gapp)
{
	uint64_t from = c->progress.topics[which].committed;

	*gapp = from < info->start;
	if (*gapp)
		report_fail("%s: gap %" PRIu64 "..%" PRIu64 " retention",
		    c->progress.topics[which].name, from, info->start - 1);
	return from;
}

enum exit_status
consumer_deliver(struct consumer *c, const struct print *print,
    struct follow *follow)
{
	struct deliver *d = &c->deliver;

	d->opts = &c->exec;
	d->progress = &c->progress;
	d->follow = follow;
	d->print = *print;
	d->print.done = NULL;
	d->letters.to = c->letters;
	d->letters.group = c->group;
	d->letters.wanted = print->wanted;
	d->letters.arg = print->arg;
	d->letters.skip_damaged = print->skip_damaged;
	return deliver_run(d);
}

enum exit_status
consumer_settle(struct consumer *c, struct out *out)
{
	enum exit_status status;

	if (c->group == NULL)
		return EXIT_DONE;
	progress_taken(&c->progress, out->taken);
	if (out->error == ECANCELED)
		out->error = 0; /* a commit failed; that was reported */
	if (out->error == EINTR && quit_wanted())
		out->error = 0; /* the signal will be seen */
	status = c->progress.failed;
	if (status == EXIT_DONE)
		status = progress_commit(&c->progress, PROGRESS_NOW);
	return status;
}

void
consumer_end(struct consumer *c)
{
	deliver_free(&c->deliver);
	free(c->deliver.sources);
	progress_close(&c->progress);
	sblog_topic_close(c->letters);
}
