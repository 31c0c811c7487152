/*
 * sblog-verify.c - check everything that is stored of topics.
 *
 * Manual: sblog-verify(1).
 */
#include <sblog.h>

#include "common/cli.h"
#include "common/report.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-verify [--quick|--deep] [-j N] [--rate SIZE] [--json|--tsv] "
	"TOPIC...",
	"sblog-verify [--quick|--deep] [-j N] [--rate SIZE] [--json|--tsv] "
	"--all",
	NULL,
};

struct request {
	struct topics *topics;
	struct sblog_verify_opts opts;
	const char *topic; /* being verified */
};

static void
found_json(struct json *j, const struct sblog_finding *f)
{
	json_object(j, NULL);
	json_text(j, "kind", f->kind);
	json_bool(j, "damage", f->damage);
	json_text(j, "file", f->file);
	json_offset(j, "pos", f->pos);
	json_offset(j, "first", f->first);
	json_offset(j, "next", f->next);
	json_text(j, "message", f->msg);
	json_end(j, '}');
}

static void
put_offset(struct out *o, uint64_t n)
{
	out_char(o, '\t');
	if (n == SBLOG_NO_OFFSET)
		out_char(o, '-');
	else
		out_u64(o, n);
}

/* TOPIC KIND FILE POS FIRST NEXT MESSAGE */
static void
found_row(struct request *r, const struct sblog_finding *f)
{
	struct out *o = &r->topics->out;

	topics_text(r->topics, r->topic);
	out_char(o, '\t');
	out_text(o, f->kind);
	out_char(o, '\t');
	topics_text(r->topics, f->file);
	put_offset(o, f->pos);
	put_offset(o, f->first);
	put_offset(o, f->next);
	out_char(o, '\t');
	out_text(o, f->msg);
	out_char(o, '\n');
}

static void
found(void *arg, const struct sblog_finding *f)
{
	struct request *r = arg;
	struct out *o = &r->topics->out;

	report_progress_end();
	if (r->topics->json) {
		found_json(&r->topics->doc, f);
		return;
	}
	if (r->topics->tsv) {
		found_row(r, f);
		return;
	}
	topics_text(r->topics, r->topic);
	out_text(o, ": ");
	out_text(o, f->kind);
	out_text(o, ": ");
	topics_text(r->topics, f->file);
	if (f->pos != UINT64_MAX) {
		out_text(o, ": byte ");
		out_u64(o, f->pos);
	}
	if (f->first != SBLOG_NO_OFFSET) {
		out_text(o, ": offsets ");
		out_u64(o, f->first);
		if (f->next != SBLOG_NO_OFFSET && f->next > f->first) {
			out_text(o, "..");
			out_u64(o, f->next - 1);
		}
	}
	out_text(o, ": ");
	out_text(o, f->msg);
	out_char(o, '\n');
}

static void
print_sum(struct topics *t, const char *topic, const struct sblog_verified *v)
{
	struct out *o = &t->out;

	topics_text(t, topic);
	out_text(o, ": ");
	out_u64(o, v->records);
	out_text(o, " records in ");
	out_u64(o, v->files);
	out_text(o, v->files == 1 ? " file, " : " files, ");
	out_u64(o, v->bytes);
	out_text(o, " bytes: ");
	if (v->damages == 0) {
		out_text(o, "ok\n");
		return;
	}
	out_u64(o, v->damages);
	out_text(o, v->damages == 1 ? " damage\n" : " damages\n");
}

static int
verify_topic(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err)
{
	struct request *r = t->arg;
	struct sblog_verified v;
	int rc;

	r->topic = sblog_topic_name(topic);
	if (t->json)
		json_array(&t->doc, "findings");
	rc = sblog_verify(topic, &r->opts, &v, err);
	report_progress_end();
	if (t->json)
		json_end(&t->doc, ']');
	if (rc < 0)
		return rc;
	if (v.damages > 0)
		*statusp = EXIT_DAMAGE;
	if (t->json) {
		json_u64(&t->doc, "start", v.start);
		json_u64(&t->doc, "end", v.end);
		json_u64(&t->doc, "records", v.records);
		json_u64(&t->doc, "batches", v.batches);
		json_u64(&t->doc, "files", v.files);
		json_u64(&t->doc, "bytes", v.bytes);
		json_u64(&t->doc, "damages", v.damages);
		json_u64(&t->doc, "notes", v.notes);
	} else if (!t->tsv && !t->cli->quiet) {
		print_sum(t, r->topic, &v);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	bool all = false, json = false, tsv = false, quick = false,
	     deep = false;
	uint64_t jobs = 0, rate = 0;
	const struct cli_opt opts[] = {
		{ 0, "all", CLI_FLAG, &all, NULL, "every topic of the store",
		    NULL, NULL },
		{ 0, "quick", CLI_FLAG, &quick, NULL,
		    "only manifest, heads, feet and sizes", NULL, NULL },
		{ 0, "deep", CLI_FLAG, &deep, NULL,
		    "also the chain, and indexes against records", NULL, NULL },
		{ 'j', "jobs", CLI_NUMBER, &jobs, "N", "use at most N threads",
		    NULL, NULL },
		{ 0, "rate", CLI_SIZE, &rate, "SIZE",
		    "read at most SIZE bytes a second", NULL, NULL },
		{ 0, "json", CLI_FLAG, &json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &tsv, NULL,
		    "findings in tab-separated columns", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-verify",
		.purpose = "Check everything that is stored.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	if (quick && deep)
		cli_misuse(&cli, "--quick and --deep exclude each other");

	struct topics t = {
		.cli = &cli,
		.schema = "sblog.verify/1",
		.all = all,
		.json = json,
		.tsv = tsv,
		.mode = SBLOG_READ,
	};
	struct request r = {
		.topics = &t,
		.opts = {
			.depth = quick ? SBLOG_VERIFY_QUICK
			    : deep     ? SBLOG_VERIFY_DEEP
				       : SBLOG_VERIFY_NORMAL,
			.threads = jobs > 8 ? 8 : (unsigned)jobs,
			.rate = rate,
			.found = found,
			.progress = report_progress,
			.arg = &r,
		},
	};
	t.arg = &r;
	return topics_run(&t, verify_topic);
}
