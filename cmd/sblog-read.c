/*
 * sblog-read.c - records of topics to standard output.
 *
 * Manual: sblog-read(1).  What a record looks like is common/format_out, how
 * it gets out common/print; this file opens topics and decides when to stop.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/consumer.h"
#include "common/follow.h"
#include "common/merge.h"
#include "common/print.h"
#include "common/quit.h"
#include "common/report.h"
#include "common/select.h"

#ifdef SBLOG_IN_FRONT
#define main sblog_read_main
int sblog_read_main(int argc, char **argv);
#endif

static const char *const synopsis[] = {
	"sblog-read [-F] [-o POS] [--to POS] [-c N] [-f FORMAT] [-d STR] "
	"[-K STR] TOPIC...",
	"sblog-read --key KEY|--category NAME [--pos N] [--last] [-F] [-o POS] "
	"[-c N] [-f FORMAT] TOPIC...",
	"sblog-read [-q] --latest [--key KEY] [-f FORMAT] TOPIC...",
	"sblog-read -g GROUP [--exec CMD] [--shard I/N | --join N] TOPIC...",
	NULL,
};

enum { READ_OPTIONS = 21 };

/* What the command line says. */
struct request {
	const char *format, *delim, *separator;
	struct position from, to;
	bool has_to, follow, durable, skip_damaged, silent;
	uint64_t count, max_bytes, timeout_us; /* UINT64_MAX: no limit */
	struct select select;
	struct consumer consumer;
};

/* One topic that is read. */
struct source {
	struct sblog_topic *topic;
	struct sblog_cursor *cursor;
	struct record_context context;
	uint64_t to;   /* stop before this offset, SBLOG_NO_OFFSET: never */
	size_t number; /* on the command line */
};

/* Everything that has to be given back. */
struct session {
	struct cli *cli;
	struct sblog_store *store;
	struct source *sources;
	size_t n;
	struct sblog_cursor **cursors; /* those of sources */
	struct merge merge;
	struct format format;
	struct out out;
	struct print print;
	struct follow follow;
	bool by_index; /* the cursors have no batches */
	struct consumer consumer;
	const struct select *select;
	bool gap; /* something was gone before it was read */
	struct sblog_err err;
	const char *where; /* the topic that err is about */
};

/* --header, --member, --shard and others: for print.wanted. */
static bool
is_wanted(void *arg, const struct sblog_record *rec)
{
	const struct session *s = arg;

	return select_wanted((void *)(uintptr_t)s->select, rec) &&
	    consumer_wants(&s->consumer, rec);
}

/* For print.done. */
static void
mark_done(void *arg, const struct record_context *c, uint64_t next,
    uint64_t end)
{
	struct session *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (&s->sources[i].context == c)
			progress_mark(&s->consumer.progress,
			    s->sources[i].number, next, end, &s->out);
}

/* Damage that is stepped over: which offsets are lost. */
static void
say_lost(void *arg, const struct record_context *c, const struct sblog_err *err)
{
	(void)arg;
	(void)report_err(c->topic, err);
	report_fail("%s: lost offsets %" PRIu64 "..%" PRIu64, c->topic,
	    err->offset, err->end - 1);
}

/* What is gone for good; it is no damage. */
static void
say_gap(void *arg, const struct record_context *c, const struct sblog_err *err)
{
	(void)arg;
	report_fail("%s: gap %" PRIu64 "..%" PRIu64 " retention", c->topic,
	    err->offset, err->end - 1);
}

/* Find out where to begin and to stop, and begin; SBLOG_END: there is nothing
 * between. */
static int
open_source(struct session *s, const struct request *r, struct source *source)
{
	struct sblog_cursor_opts opts = {
		.to = r->follow ? SBLOG_NO_OFFSET : 0,
		.durable = r->durable || r->consumer.group != NULL,
		.copy = !s->out.pipe,
	};
	struct sblog_info info;
	int rc;

	rc = sblog_topic_open(&source->topic, s->store, source->context.topic,
	    SBLOG_READ, &s->err);
	if (rc == 0)
		rc = sblog_topic_info(source->topic, &info, &s->err);
	if (rc == 0)
		rc = position_resolve(&r->from, source->topic, &opts.from,
		    &s->err);
	source->to = opts.to == 0 ? info.end : SBLOG_NO_OFFSET;
	if (rc == 0 && r->has_to)
		rc = position_resolve(&r->to, source->topic, &source->to,
		    &s->err);
	if (rc != 0)
		return rc;
	source->context.start = info.start;
	source->context.end = info.end;
	if (r->has_to && source->to == 0)
		return SBLOG_END; /* nothing; in opts it would be "the end" */
	if (r->has_to)
		opts.to = source->to;
	if (r->consumer.group != NULL)
		opts.from =
		    consumer_from(&s->consumer, source->number, &info, &s->gap);
	select_cursor(&r->select, &opts);
	if (opts.key.data == NULL && !opts.latest) {
		opts.shards = s->consumer.shard_count;
		opts.shard = s->consumer.shard_index;
	}
	if (r->select.last) {
		opts.to = source->to;
		rc =
		    select_find_last(&r->select, source->topic, &opts, &s->err);
		if (rc != 0)
			return rc;
	}
	rc = sblog_cursor_open(&source->cursor, source->topic, &opts, &s->err);
	source->context.handle = source->topic;
	source->context.positions =
	    r->select.key != NULL || r->select.category != NULL;
	if (r->select.key != NULL && rc == 0)
		source->context.cursor = source->cursor;
	return rc;
}

static enum exit_status
open_all(struct session *s, const struct request *r)
{
	const struct sblog_store_opts opts = {
		.mode =
		    consumer_active(&s->consumer) ? SBLOG_WRITE : SBLOG_READ,
		.lock_timeout_ms = s->cli->lock_timeout_ms,
	};
	struct progress_opts lease = {
		.from = r->from,
		.follow = r->follow,
		.wait_us = r->follow ? r->timeout_us
				     : s->cli->lock_timeout_ms * UINT64_C(1000),
		.out = &s->out,
	};
	enum exit_status status;
	int rc;

	s->where = s->cli->store_dir;
	rc = sblog_store_open(&s->store, s->cli->store_dir, &opts, &s->err);
	if (rc < 0)
		return report_err(s->where, &s->err);
	status = consumer_begin(&s->consumer, s->cli, s->store, &lease);
	if (status != EXIT_DONE)
		return status;
	for (int i = 0; i < s->cli->operand_count && rc == 0; i++) {
		struct source *source = &s->sources[s->n];

		s->where = s->cli->operands[i];
		source->context = (struct record_context){
			.topic = s->where,
			.visible = s->out.tty,
		};
		source->number = (size_t)i;
		if ((rc = open_source(s, r, source)) == 0)
			s->cursors[s->n] = source->cursor;
		if (rc != SBLOG_END) {
			s->n++;
			continue;
		}
		sblog_topic_close(source->topic);
		*source = (struct source){ .topic = NULL };
		rc = 0;
	}
	return rc < 0 ? report_err(s->where, &s->err) : EXIT_DONE;
}

/* Can no more come, however long one waits? */
static bool
all_done(const struct session *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->sources[i].to == SBLOG_NO_OFFSET ||
		    sblog_cursor_offset(s->sources[i].cursor) <
			s->sources[i].to)
			return false;
	return true;
}

/* The next record of several topics. */
static enum print_result
print_merged(struct session *s)
{
	struct print *p = &s->print;
	struct sblog_record rec;
	size_t which = 0;
	int rc;

	rc = merge_next(&s->merge, &rec, &which, &p->err);
	if (rc == SBLOG_END)
		return PRINT_END;
	s->where = s->sources[which].context.topic;
	if (rc != 0)
		return print_failed(p, &s->sources[which].context,
		    s->sources[which].cursor);
	return print_record(p, &s->sources[which].context, &rec);
}

/* What there is now. */
static enum print_result
print_all(struct session *s)
{
	enum print_result result;

	do
		result = s->n > 1 ? print_merged(s)
		    : s->by_index
		    ? print_next(&s->print, &s->sources[0].context,
			  s->sources[0].cursor)
		    : print_batch(&s->print, &s->sources[0].context,
			  s->sources[0].cursor);
	while (result == PRINT_MORE);
	return result;
}

/* Until there is nothing more to wait for. */
static enum exit_status
run(struct session *s, const struct request *r)
{
	enum exit_status done = s->gap ? EXIT_NOTICE : EXIT_DONE, status;
	enum print_result result;

	for (;;) {
		result = print_all(s);
		if (s->print.skipped)
			done = EXIT_NOTICE;
		if (result == PRINT_ERR) {
			(void)out_flush(&s->out); /* its error sticks */
			return report_err(s->where, &s->print.err);
		}
		if (out_flush(&s->out) < 0)
			return EXIT_FAILED; /* report_finish_write says why */
		if (result != PRINT_END || !r->follow || all_done(s))
			return done;
		if ((status = consumer_settle(&s->consumer, &s->out)) !=
		    EXIT_DONE)
			return status;
		switch (follow_wait(&s->follow, &s->err)) {
		case FOLLOW_NEWS:
			break;
		case FOLLOW_TIMEOUT:
			return EXIT_TIMEOUT;
		case FOLLOW_GONE:
			s->out.error = EPIPE;
			return done;
		case FOLLOW_STOPPED:
			return done;
		case FOLLOW_FAILED:
			return report_err(s->where, &s->err);
		}
	}
}

/* --exec: batches to a command instead. */
static enum exit_status
deliver(struct session *s, const struct request *r)
{
	struct deliver *d = &s->consumer.deliver;
	enum exit_status status;

	if ((d->sources = calloc(s->n, sizeof(*d->sources))) == NULL) {
		report_fail("out of memory");
		return EXIT_FAILED;
	}
	for (d->n = 0; d->n < s->n; d->n++)
		d->sources[d->n] = (struct deliver_source){
			.topic = s->sources[d->n].topic,
			.cursor = s->sources[d->n].cursor,
			.context = &s->sources[d->n].context,
			.to = s->sources[d->n].to,
			.which = s->sources[d->n].number,
		};
	status = consumer_deliver(&s->consumer, &s->print,
	    r->follow ? &s->follow : NULL);
	return report_worse(status, s->gap ? EXIT_NOTICE : EXIT_DONE);
}

static int
no_memory(void)
{
	report_fail("out of memory");
	return (int)EXIT_FAILED;
}

static int
prepare(struct session *s, const struct request *r)
{
	size_t n = (size_t)s->cli->operand_count;
	int rc;

	s->sources = calloc(n, sizeof(*s->sources));
	s->cursors = calloc(n, sizeof(*s->cursors));
	if (s->sources == NULL || s->cursors == NULL)
		return no_memory();
	if ((rc = (int)open_all(s, r)) != EXIT_DONE)
		return rc;
	if (s->n > 0 && merge_init(&s->merge, s->cursors, s->n, r->follow) < 0)
		return no_memory();
	s->print = (struct print){
		.format = &s->format,
		.out = &s->out,
		.skip_damaged = r->skip_damaged,
		.records_left = r->count,
		.bytes_left = r->max_bytes,
		.wanted =
		    select_filters(&r->select) || s->consumer.shard_count > 0
		    ? is_wanted
		    : NULL,
		.only_shard =
		    !select_filters(&r->select) && s->consumer.shard_count > 0,
		.gap = say_gap,
		.lost = say_lost,
		.done = s->consumer.group != NULL ? mark_done : NULL,
		.arg = s,
	};
	s->by_index = select_by_index(&r->select);
	s->follow = (struct follow){
		.cursors = s->cursors,
		.n = s->n,
		.timeout_us = r->timeout_us,
		.out = &s->out,
	};
	return (int)EXIT_DONE;
}

static void
close_session(struct session *s)
{
	merge_free(&s->merge);
	for (size_t i = 0; s->sources != NULL && i < s->n; i++) {
		sblog_cursor_close(s->sources[i].cursor);
		sblog_topic_close(s->sources[i].topic);
	}
	free(s->cursors);
	free(s->sources);
	consumer_end(&s->consumer);
	sblog_store_close(s->store);
	format_free(&s->format);
	out_free(&s->out);
}

static void
parse(struct cli *cli, struct request *rp, int argc, char **argv)
{
	struct request r = {
		.from = POSITION_AT_START,
		.count = UINT64_MAX,
		.max_bytes = UINT64_MAX,
		.timeout_us = UINT64_MAX,
		.consumer = CONSUMER_NONE,
	};
	struct cli_opt all[READ_OPTIONS + CONSUMER_OPTIONS + 1];
	const struct cli_opt opts[READ_OPTIONS] = {
		{ 'o', "offset", CLI_POSITION, &r.from, "POSITION",
		    "begin here (default start)", NULL, NULL },
		{ 0, "to", CLI_POSITION, &r.to, "POSITION",
		    "stop before this (default: the end as it is now)", NULL,
		    &r.has_to },
		{ 'c', "count", CLI_NUMBER, &r.count, "N",
		    "stop after N records", NULL, NULL },
		{ 'F', "follow", CLI_FLAG, &r.follow, NULL,
		    "wait for more at the end", NULL, NULL },
		{ 0, "timeout", CLI_DURATION, &r.timeout_us, "DUR",
		    "with -F, stop if nothing came for so long", NULL, NULL },
		{ 'f', "format", CLI_STRING, &r.format, "FORMAT",
		    "lines, nul, raw, json, frame, hex or a string with %",
		    NULL, NULL },
		{ 'd', "delimiter", CLI_STRING, &r.delim, "STR",
		    "print STR behind each record", NULL, NULL },
		{ 'K', "key-delimiter", CLI_STRING, &r.separator, "STR",
		    "print key and STR before each value", NULL, NULL },
		{ 0, "key", CLI_STRING, &r.select.key, "KEY",
		    "only records with this key, by index", NULL, NULL },
		{ 0, "pos", CLI_NUMBER, &r.select.pos, "N",
		    "with --key, begin at the key's record number N, from 0",
		    NULL, &r.select.has_pos },
		{ 0, "category", CLI_STRING, &r.select.category, "NAME",
		    "only keys NAME and NAME-..., by index", NULL, NULL },
		{ 0, "latest", CLI_FLAG, &r.select.latest, NULL,
		    "only the newest record of each key, unless it is null",
		    NULL, NULL },
		{ 0, "last", CLI_FLAG, &r.select.last, NULL,
		    "only the newest record of those asked for", NULL, NULL },
		{ 0, "member", CLI_STRING, &r.select.member, "I/N",
		    "only streams of member I of N, as Message DB shares them",
		    NULL, NULL },
		{ 0, "include-idless", CLI_FLAG, &r.select.idless, NULL,
		    "with --member, also keys without '-'", NULL, NULL },
		{ 0, "correlation", CLI_STRING, &r.select.correlation,
		    "CATEGORY",
		    "only records whose metadata name a stream of it", NULL,
		    NULL },
		{ 0, "header", CLI_LIST, &r.select.headers, "NAME=VALUE",
		    "only records with this header; repeatable", NULL, NULL },
		{ 0, "max-bytes", CLI_SIZE, &r.max_bytes, "SIZE",
		    "stop before more than this is printed", NULL, NULL },
		{ 0, "durable", CLI_FLAG, &r.durable, NULL,
		    "only what surely survives a power cut", NULL, NULL },
		{ 0, "skip-damaged", CLI_FLAG, &r.skip_damaged, NULL,
		    "step over damage and say what is lost", NULL, NULL },
		{ 0, "silent", CLI_FLAG, &r.silent, NULL,
		    "print nothing: only wait, or check", NULL, NULL },
	};

	memcpy(all, opts, sizeof(opts));
	consumer_options(&r.consumer, all + READ_OPTIONS);
	all[READ_OPTIONS + CONSUMER_OPTIONS] = (struct cli_opt){ .name = NULL };
	cli->opts = all;
	cli_parse(cli, argc, argv);
	cli->opts = NULL;
	*rp = r;
}

/* -q with a key asks whether there is something: status 0, or 3. */
static bool
existence(const struct session *s, const struct request *r)
{
	return s->cli->quiet && select_by_index(&r->select);
}

/* Everything that can be said without the store. */
static void
check(struct session *s, struct request *r)
{
	char why[TEMPLATE_WHY_SIZE];

	if (s->cli->operand_count == 0)
		cli_misuse(s->cli, "no topic given");
	for (int i = 0; i < s->cli->operand_count; i++)
		if (!sblog_name_ok(s->cli->operands[i]))
			cli_misuse(s->cli, "not a topic name: %s",
			    s->cli->operands[i]);
	select_check(&r->select, s->cli);
	if (r->follow && (r->select.latest || r->select.last))
		cli_misuse(s->cli, "-F goes neither with --latest nor --last");
	s->select = &r->select;
	s->consumer = r->consumer;
	s->consumer.exec.records = r->count;
	consumer_check(&s->consumer, s->cli);
	if (consumer_active(&s->consumer) &&
	    (select_by_index(&r->select) || r->select.last))
		cli_misuse(s->cli,
		    "--key, --category, --latest and --last do not go with -g "
		    "and --exec");
	if (r->consumer.exec.command != NULL &&
	    (r->silent || r->max_bytes != UINT64_MAX))
		cli_misuse(s->cli,
		    "--silent and --max-bytes do not go with "
		    "--exec (see --batch-bytes)");
	if (r->timeout_us != UINT64_MAX && !r->follow)
		cli_misuse(s->cli, "--timeout goes with -F only");
	if (!format_parse(&s->format, FORMAT_FOR_OUTPUT, r->format, r->delim,
		r->separator, why))
		cli_misuse(s->cli, "%s", why);
	if (r->silent || existence(s, r)) { /* a template that says nothing */
		format_free(&s->format);
		s->format = (struct format){ .kind = FORMAT_TEMPLATE };
	}
	if (s->format.kind == FORMAT_FRAME && s->out.tty)
		cli_misuse(s->cli, "frames are not for a terminal");
}

int
main(int argc, char **argv)
{
	struct cli cli = {
		.command = "sblog-read",
		.purpose = "print records of topics",
		.synopsis = synopsis,
	};
	struct session s = { .cli = &cli };
	enum exit_status status;
	struct request r;

	parse(&cli, &r, argc, argv);
	out_init(&s.out, STDOUT_FILENO);
	check(&s, &r);
	if (consumer_active(&s.consumer)) {
		quit_catch();
		s.out.stop = quit_flag();
	}
	status = (enum exit_status)prepare(&s, &r);
	if (status == EXIT_DONE && s.n > 0) {
		status = s.consumer.exec.command != NULL ? deliver(&s, &r)
							 : run(&s, &r);
		status =
		    report_worse(status, consumer_settle(&s.consumer, &s.out));
	}
	if (status == EXIT_DONE && existence(&s, &r) && s.print.printed == 0)
		status = EXIT_ABSENT;
	close_session(&s);
	free(r.select.headers.items);
	quit_finish();
	return report_finish_write(status, s.out.error);
}
