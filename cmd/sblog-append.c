/*
 * sblog-append.c - standard input or files to records of a topic.
 *
 * Manual: sblog-append(1).  Cutting the input into records is common/feed,
 * batches and syncs are common/appender; this file turns a command line into
 * both and their results into an exit status.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/encode.h"
#include "common/expect.h"
#include "common/feed.h"
#include "common/headers.h"
#include "common/report.h"
#include "common/stop.h"

#ifdef SBLOG_IN_FRONT
#define main sblog_append_main
int sblog_append_main(int argc, char **argv);
#endif

enum {
	BATCH_BYTES = 1 << 20,     /* --batch-bytes without the option */
	BATCH_BYTES_MAX = 1 << 30, /* a batch has at most 2 GiB */
	ERRORS_MAX = 1 << 20,      /* bytes of errors in a report */
};

static const char *const synopsis[] = {
	"sblog-append [-nZ] [-f FORMAT] [-d STR] [-K STR] [-k KEY] "
	"[-H NAME=VALUE] [--sync WHEN] [--ack[=FORMAT]] TOPIC [FILE...]",
	NULL,
};

/* What the command line says. */
struct request {
	const char *format, *delim, *separator, *key;
	struct cli_list headers;
	bool null, atomic, keep_offsets, no_create, dry_run, json;
	struct expect expect;
	const char *once;
	int64_t user_time_us;
	bool timed;
	int sync, codec, on_error; /* index of the word */
	const char *ack;           /* NULL: no; "": offsets */
	uint64_t batch_bytes, batch_time_us;
};

/* Everything that has to be given back. */
struct session {
	struct cli *cli;
	const char *name; /* of the topic */
	struct sblog_store *store;
	struct sblog_topic *topic;
	struct appender to;
	struct feed feed;
	struct format format;
	struct template ack_template;
	struct ack ack;
	struct out out;
	struct arena arena; /* of the headers of all records */
	uint64_t total;     /* bytes of all inputs, 0: not known */
	bool json;
	struct expect expect;
	bool actual_known; /* a condition did not hold: what there was */
	uint64_t actual;
	struct out errors; /* their JSON, for the report */
};

static const char *const sync_words[] = { "batch", "record", "none", NULL };
static const char *const codec_words[] = { "none", "lz4", NULL };
static const char *const error_words[] = { "stop", "skip", NULL };

/* Can records of this format say their offset and append time? */
static bool
carries_offsets(const struct format *f)
{
	bool offset = false, time = false;

	if (f->kind == FORMAT_JSON || f->kind == FORMAT_FRAME)
		return true;
	for (size_t i = 0; i < f->template.n; i++) {
		offset = offset || f->template.parts[i].what == TEMPLATE_OFFSET;
		time = time || f->template.parts[i].what == TEMPLATE_TIME;
	}
	return offset && time;
}

static void
check(struct session *s, const struct request *r)
{
	if (s->cli->operand_count == 0)
		cli_misuse(s->cli, "no topic given");
	s->name = s->cli->operands[0];
	if (!sblog_name_ok(s->name))
		cli_misuse(s->cli, "not a topic name: %s", s->name);
	if (r->batch_bytes == 0 || r->batch_bytes > BATCH_BYTES_MAX)
		cli_misuse(s->cli, "--batch-bytes: 1 to 1G");
	if (r->ack != NULL && r->json)
		cli_misuse(s->cli, "--ack and --json exclude each other");
	if (r->separator != NULL && r->key != NULL)
		cli_misuse(s->cli, "-k and -K exclude each other");
	s->json = r->json;
}

/* --expect, --expect-key, --expect-pos, --once: all of the input is one batch
 * then, so that they hold for all of it. */
static void
check_conditions(struct session *s, struct request *r)
{
	s->expect = r->expect;
	expect_parse(&s->expect, s->cli, r->key);
	if (r->once != NULL &&
	    (r->once[0] == '\0' || strlen(r->once) > SBLOG_TOKEN_MAX))
		cli_misuse(s->cli, "--once: a token has 1 to %d bytes",
		    SBLOG_TOKEN_MAX);
	if (r->once != NULL && r->keep_offsets)
		cli_misuse(s->cli,
		    "--once and --keep-offsets exclude each other");
	if (s->expect.count > 0 || r->once != NULL)
		r->atomic = true;
	/* With "exists" a topic that is not there must not come into being. */
	if (s->expect.end != NULL && strcmp(s->expect.end, "exists") == 0)
		r->no_create = true;
	s->to.expect = s->expect.all;
	s->to.expect_count = s->expect.count;
	s->to.once = r->once;
}

static void
check_formats(struct session *s, const struct request *r)
{
	char why[TEMPLATE_WHY_SIZE], foreign;

	if (!format_parse(&s->format, FORMAT_FOR_INPUT, r->format, r->delim,
		r->separator, why))
		cli_misuse(s->cli, "%s", why);
	if (r->keep_offsets && !carries_offsets(&s->format))
		cli_misuse(s->cli,
		    "--keep-offsets needs a format that carries offsets and "
		    "append times");
	if (r->ack == NULL || r->ack[0] == '\0')
		return;
	if (!template_parse(&s->ack_template, r->ack, why))
		cli_misuse(s->cli, "--ack: %s", why);
	if ((foreign = template_foreign(&s->ack_template, ACK_LETTERS)) != 0)
		cli_misuse(s->cli, "--ack: %%%c is not known there", foreign);
}

/* -k, -H, -Z, --timestamp: what each record gets. */
static void
set_defaults(struct session *s, const struct request *r)
{
	struct headers h = { .arena = &s->arena };
	struct format_in *in = &s->feed.parse;
	const char *why, *equals;

	in->user_time_us = r->timed ? r->user_time_us : SBLOG_NO_TIME;
	in->empty_is_null = r->null;
	in->keep_offsets = r->keep_offsets;
	if (r->key != NULL)
		in->key = (struct sblog_bytes){ r->key, strlen(r->key) };
	if (in->key.len > SBLOG_KEY_MAX)
		cli_misuse(s->cli, "-k: a key has at most 64 KiB");
	for (size_t i = 0; i < r->headers.count; i++) {
		const char *one = r->headers.items[i];

		if ((equals = strchr(one, '=')) == NULL)
			cli_misuse(s->cli, "-H: not NAME=VALUE: %s", one);
		why = headers_add(&h,
		    (struct sblog_bytes){ one, (size_t)(equals - one) },
		    (struct sblog_bytes){ equals + 1, strlen(equals + 1) });
		if (why != NULL)
			cli_misuse(s->cli, "-H: %s", why);
	}
	in->headers = headers_bytes(&h);
	free(r->headers.items);
}

/* Need records be looked at, or is the text stored as it comes? */
static bool
plain(const struct session *s, const struct request *r)
{
	return s->format.kind == FORMAT_LINES && r->separator == NULL &&
	    r->key == NULL && r->once == NULL && r->headers.count == 0 &&
	    !r->null && !r->timed && !r->dry_run;
}

/* Open store and topic, or in a dry run what there is of them. */
static int
open_topic(struct session *s, const struct request *r, struct sblog_err *err)
{
	struct sblog_store_opts opts = {
		.mode = r->dry_run ? SBLOG_READ
		    : r->no_create ? SBLOG_WRITE
				   : SBLOG_CREATE,
		.lock_timeout_ms = s->cli->lock_timeout_ms,
	};
	struct sblog_err unmet;
	int rc;

	/* A condition that cannot hold leaves no empty topic behind. */
	if (opts.mode == SBLOG_CREATE &&
	    !expect_holds_without(&s->expect, &unmet))
		opts.mode = SBLOG_WRITE;
	rc = sblog_store_open(&s->store, s->cli->store_dir, &opts, err);
	if (rc == 0)
		rc = sblog_topic_open(&s->topic, s->store, s->name, opts.mode,
		    err);
	if (rc != SBLOG_ENOENT || r->no_create)
		return rc;
	if (!expect_holds_without(&s->expect, &unmet)) {
		*err = unmet;
		return err->code;
	}
	return 0; /* a dry run: it would be created */
}

/* Conditions that no append looked at: a dry run, or nothing to append. */
static int
check_expect(struct session *s, struct sblog_err *err)
{
	if (s->topic == NULL || (s->to.records > 0 && !s->to.dry_run))
		return 0;
	return sblog_expect_check(s->topic, s->to.expect, s->to.expect_count,
	    err);
}

static void
write_text(struct out *o, const char *text)
{
	if (text == NULL)
		out_text(o, "null");
	else
		encode_json(o, (struct sblog_bytes){ text, strlen(text) });
}

static void
write_number(struct out *o, bool known, uint64_t n)
{
	if (known)
		out_u64(o, n);
	else
		out_text(o, "null");
}

/* One more of the errors in the report; number 0 and pos UINT64_MAX: null. */
static void
note_error(struct session *s, const char *input, uint64_t number, uint64_t pos,
    const char *what)
{
	struct out *o = &s->errors;

	if (!s->json || o->len > ERRORS_MAX / 2)
		return; /* enough is enough */
	if (o->len == 0)
		out_begin(o, ERRORS_MAX);
	else
		out_char(o, ',');
	out_text(o, "{\"input\":");
	write_text(o, input);
	out_text(o, ",\"record\":");
	write_number(o, number != 0, number);
	out_text(o, ",\"byte\":");
	write_number(o, pos != UINT64_MAX, pos);
	out_text(o, ",\"message\":");
	write_text(o, what);
	out_char(o, '}');
}

/* Said for each record that is no good, and for inputs. */
static void
complain(void *arg, const char *input, uint64_t number, uint64_t pos,
    const char *what)
{
	struct session *s = arg;

	note_error(s, input, number, pos, what);
	if (number == 0)
		report_fail("%s: %s: %s", s->name, input, what);
	else if (pos == UINT64_MAX)
		report_fail("%s: %s: record %" PRIu64 ": %s", s->name, input,
		    number, what);
	else
		report_fail("%s: %s: record %" PRIu64 ", byte %" PRIu64 ": %s",
		    s->name, input, number, pos, what);
}

static enum exit_status
failed(struct session *s, const struct sblog_err *err)
{
	note_error(s, NULL, 0, UINT64_MAX, err->msg);
	s->actual_known = err->code == SBLOG_ECOND;
	s->actual = err->offset;
	return report_err(s->name, err);
}

static void
show_progress(void *arg, uint64_t bytes)
{
	const struct session *s = arg;

	report_progress(NULL, bytes, s->total);
}

/* The document of --json. */
static void
report_json(struct session *s, enum exit_status status)
{
	struct out *o = &s->out;
	bool any = s->to.records > 0 && !s->to.dry_run;

	out_text(o, "{\"schema\":\"sblog.append/1\",\"topic\":");
	write_text(o, s->name);
	out_text(o, ",\"status\":");
	out_u64(o, (uint64_t)status);
	out_text(o, ",\"dry_run\":");
	out_text(o, s->to.dry_run ? "true" : "false");
	out_text(o, ",\"records\":");
	out_u64(o, s->to.records);
	out_text(o, ",\"acked\":");
	out_u64(o, s->to.dry_run ? 0 : s->to.acked);
	out_text(o, ",\"first\":");
	write_number(o, any, s->to.first);
	out_text(o, ",\"next\":");
	write_number(o, any, s->to.next);
	out_text(o, ",\"replayed\":");
	out_text(o, s->to.replayed ? "true" : "false");
	out_text(o, ",\"actual\":");
	write_number(o, s->actual_known && s->actual != SBLOG_NO_OFFSET,
	    s->actual);
	out_text(o, ",\"skipped\":");
	out_u64(o, s->feed.skipped);
	out_text(o, ",\"bytes\":");
	out_u64(o, s->feed.in.total);
	out_text(o, ",\"errors\":[");
	out_bytes(o, s->errors.buf, s->errors.len);
	out_text(o, "]}\n");
	(void)out_flush(o); /* its error sticks */
}

/* After a failure: how far it came, for those who want to go on. */
static void
say_acked(const struct session *s)
{
	uint64_t next = s->to.acked_next;
	struct sblog_info info;
	struct sblog_err err;

	if (s->to.dry_run)
		return;
	if (s->to.acked == 0) {
		if (sblog_topic_info(s->topic, &info, &err) < 0)
			return;
		next = info.end;
	}
	report_fail("%s: acked=%" PRIu64 " next=%" PRIu64, s->name, s->to.acked,
	    next);
}

static enum exit_status
outcome(struct session *s, enum feed_result result)
{
	switch (result) {
	case FEED_DONE:
		return s->feed.skipped > 0 ? EXIT_NOTICE : EXIT_DONE;
	case FEED_BAD:
		return EXIT_USAGE;
	case FEED_TOO_BIG:
	case FEED_INPUT:
		return EXIT_FAILED;
	case FEED_OUT: /* report_finish_write says why */
		return EXIT_FAILED;
	case FEED_ERR:
		return failed(s, &s->feed.err);
	case FEED_STOP:
		break;
	}
	return EXIT_FAILED;
}

/* Bytes of all inputs if all are files, for the time that is left. */
static uint64_t
total_size(char **paths, size_t n)
{
	uint64_t total = 0;
	struct stat st;
	int rc;

	for (size_t i = 0; i < n; i++) {
		rc = strcmp(paths[i], "-") == 0 ? fstat(STDIN_FILENO, &st)
						: stat(paths[i], &st);
		if (rc < 0 || !S_ISREG(st.st_mode))
			return 0;
		total += (uint64_t)st.st_size;
	}
	return total;
}

static enum exit_status
run(struct session *s, const struct request *r)
{
	static char standard_input[] = "-";
	char *only[] = { standard_input };
	char **paths = s->cli->operands + 1;
	size_t n = (size_t)s->cli->operand_count - 1;
	enum feed_result result;
	enum exit_status status;

	s->to.store = s->store;
	s->to.sync = r->sync < 0
	    ? APPENDER_SYNC_SETTING
	    : (enum appender_sync)(APPENDER_SYNC_BATCH + (unsigned)r->sync);
	s->to.codec = r->codec == 1 ? SBLOG_CODEC_LZ4 : SBLOG_CODEC_NONE;
	s->feed.skip = r->on_error == 1;
	s->to.topic = s->topic;
	s->to.dry_run = r->dry_run;
	s->to.keep_offsets = r->keep_offsets;
	if (r->ack != NULL && !r->dry_run) {
		ack_init(&s->ack, r->ack[0] == '\0' ? NULL : &s->ack_template,
		    s->name, &s->out);
		s->to.ack = &s->ack;
	}
	s->feed.to = &s->to;
	s->feed.parse.format = &s->format;
	s->feed.batch_bytes = r->batch_bytes;
	s->feed.batch_time_us = r->batch_time_us;
	s->feed.by_run = plain(s, r);
	s->feed.atomic = r->atomic;
	s->feed.complain = complain;
	s->feed.progress = show_progress;
	s->total = total_size(n == 0 ? only : paths, n == 0 ? 1 : n);
	s->feed.arg = s;
	result =
	    n == 0 ? feed_all(&s->feed, only, 1) : feed_all(&s->feed, paths, n);
	if (result == FEED_DONE && check_expect(s, &s->feed.err) < 0)
		result = FEED_ERR;
	status = outcome(s, result);
	if (status != EXIT_DONE && status != EXIT_NOTICE &&
	    s->out.error != EPIPE)
		say_acked(s);
	return status;
}

static void
close_session(struct session *s)
{
	feed_free(&s->feed);
	ack_free(&s->ack);
	out_free(&s->out);
	out_free(&s->errors);
	arena_free(&s->arena);
	template_free(&s->ack_template);
	format_free(&s->format);
	sblog_topic_close(s->topic);
	sblog_store_close(s->store);
}

/* The command line, checked as far as it goes without the store. */
static void
parse(struct session *s, struct request *rp, int argc, char **argv)
{
	struct request r = { .sync = -1, .batch_bytes = BATCH_BYTES };
	const struct cli_opt opts[] = {
		{ 'f', "format", CLI_STRING, &r.format, "FORMAT",
		    "lines, nul, whole, json, frame or a string with %", NULL,
		    NULL },
		{ 'd', "delimiter", CLI_STRING, &r.delim, "STR",
		    "records end with STR", NULL, NULL },
		{ 'K', "key-delimiter", CLI_STRING, &r.separator, "STR",
		    "records are key, STR, value", NULL, NULL },
		{ 'k', "key", CLI_STRING, &r.key, "KEY",
		    "key of every record without one", NULL, NULL },
		{ 'H', "header", CLI_LIST, &r.headers, "NAME=VALUE",
		    "header of every record; repeatable", NULL, NULL },
		{ 'Z', "null", CLI_FLAG, &r.null, NULL,
		    "an empty value is null", NULL, NULL },
		{ 0, "timestamp", CLI_TIME, &r.user_time_us, "TIME",
		    "user time of every record without one", NULL, &r.timed },
		{ 0, "atomic", CLI_FLAG, &r.atomic, NULL,
		    "all of the input is one batch", NULL, NULL },
		{ 0, "expect", CLI_STRING, &r.expect.end, "END",
		    "only if the topic ends there, or is empty, or exists",
		    NULL, NULL },
		{ 0, "expect-key", CLI_STRING, &r.expect.key, "OFFSET",
		    "only if that is the last one of key -k, or none is", NULL,
		    NULL },
		{ 0, "expect-pos", CLI_STRING, &r.expect.pos, "N",
		    "only if that is the last position of key -k; -1: none",
		    NULL, NULL },
		{ 0, "once", CLI_STRING, &r.once, "TOKEN",
		    "apply this call at most once", NULL, NULL },
		{ 0, "sync", CLI_CHOICE, &r.sync, "WHEN",
		    "batch, record or none: when records are durable",
		    sync_words, NULL },
		{ 0, "batch-bytes", CLI_SIZE, &r.batch_bytes, "SIZE",
		    "write a batch at this size", NULL, NULL },
		{ 0, "batch-time", CLI_DURATION, &r.batch_time_us, "DUR",
		    "collect a batch for so long", NULL, NULL },
		{ 'z', "compress", CLI_CHOICE, &r.codec, "CODEC", "lz4 or none",
		    codec_words, NULL },
		{ 0, "ack", CLI_OPTIONAL, &r.ack, "FORMAT",
		    "print offsets once they are durable", NULL, NULL },
		{ 0, "keep-offsets", CLI_FLAG, &r.keep_offsets, NULL,
		    "take offsets and append times from the input", NULL,
		    NULL },
		{ 0, "no-create", CLI_FLAG, &r.no_create, NULL,
		    "fail if there is no such topic", NULL, NULL },
		{ 0, "on-error", CLI_CHOICE, &r.on_error, "WHAT",
		    "stop or skip: what to do with input that is no record",
		    error_words, NULL },
		{ 'n', "dry-run", CLI_FLAG, &r.dry_run, NULL,
		    "read and check the input, append nothing", NULL, NULL },
		{ 0, "json", CLI_FLAG, &r.json, NULL,
		    "report as JSON on standard output", NULL, NULL },
		{ .name = NULL },
	};

	s->cli->opts = opts;
	cli_parse(s->cli, argc, argv);
	s->cli->opts = NULL;
	*rp = r;
}

int
main(int argc, char **argv)
{
	struct cli cli = {
		.command = "sblog-append",
		.purpose = "append records to a topic",
		.synopsis = synopsis,
	};
	struct session s = { .cli = &cli };
	enum exit_status status;
	struct sblog_err err;
	struct request r;

	parse(&s, &r, argc, argv);
	check(&s, &r);
	check_conditions(&s, &r);
	check_formats(&s, &r);
	set_defaults(&s, &r);
	report_guard_page();
	input_init(&s.feed.in);
	if (r.json || r.ack != NULL)
		out_init(&s.out, STDOUT_FILENO);
	if (open_topic(&s, &r, &err) < 0)
		status = failed(&s, &err);
	else
		status = run(&s, &r);
	if (r.json)
		report_json(&s, status);
	close_session(&s);
	stop_release(); /* dies here of a signal that waits */
	return report_finish_write(status, s.out.error);
}
