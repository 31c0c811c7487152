/*
 * sblog-bench.c - measure, compare and report.
 *
 * Manual: sblog-bench(1).  This file turns a command line into calls of
 * cmd/bench; the scenarios are in cmd/bench/scenarios.c.
 */
#include <stdlib.h>
#include <string.h>

#include <sblog.h>

#include "bench/compare.h"
#include "bench/report_bench.h"
#include "bench/scenario.h"
#include "common/cli.h"
#include "common/report.h"

static const char *const syncs[] = { "default", "batch", "none", NULL };

static const char *const synopsis[] = {
	"sblog-bench",
	"sblog-bench list [--json] [SCENARIO]...",
	"sblog-bench run [--runs N] [--quick] [--output FILE] [--remark TEXT] "
	"[--directory DIR] [--interleave] [--against PATH] [--fail] [--json] "
	"[--duration DUR] [--rate N] [--producers N] "
	"[--consumers N] [--size SIZE] [--keys KEYS] [--sync WHEN] "
	"[--spike-rate N] [--spike-duration DUR] [--seed N] [SCENARIO]...",
	"sblog-bench compare [--alpha SHARE] [--threshold SHARE] [--fail] "
	"[--json] "
	"[--match BASENAME=NEWNAME]... BASE NEW",
	"sblog-bench report [--md] [--html FILE] [--csv] [--prometheus FILE] "
	"[--hgrm] [--only GLOB] RESULT...",
	NULL,
};

/* Options of a run of which 0 would mean that they are absent. */
struct given {
	bool runs, rate, spike_rate, producers, consumers, duration, spike;
};

struct request {
	const struct cli *cli;
	struct bench_options run;
	struct compare_options compare;
	const char *alpha, *threshold;
	struct report_options report;
	struct given given;
};

static enum exit_status
compare(struct request *r, char **operands, int count)
{
	if (count != 2)
		cli_misuse(r->cli, "compare needs two files");
	r->compare.limits = (struct stat_limits){ 0.05, 0.03 };
	r->compare.json = r->run.json;
	if (r->alpha != NULL &&
	    !compare_share(r->alpha, &r->compare.limits.alpha))
		cli_misuse(r->cli, "--alpha %s: not a share between 0 and 1",
		    r->alpha);
	if (r->threshold != NULL &&
	    !compare_share(r->threshold, &r->compare.limits.threshold))
		cli_misuse(r->cli,
		    "--threshold %s: not a share between 0 and 1",
		    r->threshold);
	return bench_compare(&r->compare, operands[0], operands[1]);
}

/* It would mean that the scenario decides. */
static void
refuse_zero(const struct request *r)
{
	const struct {
		const char *name;
		bool given;
		uint64_t value;
	} options[] = {
		{ "runs", r->given.runs, r->run.runs },
		{ "rate", r->given.rate, r->run.rate },
		{ "spike-rate", r->given.spike_rate, r->run.spike_rate },
		{ "producers", r->given.producers, r->run.producers },
		{ "consumers", r->given.consumers, r->run.consumers },
		{ "duration", r->given.duration, r->run.duration_us },
		{ "spike-duration", r->given.spike, r->run.spike_us },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given && options[i].value == 0)
			cli_misuse(r->cli, "--%s 0: at least 1",
			    options[i].name);
}

static enum exit_status
dispatch(struct request *r)
{
	const struct bench_options *o = &r->run;
	const struct cli *cli = r->cli;
	const char *verb = cli->operand_count > 0 ? cli->operands[0] : NULL;
	char **rest = cli->operands + 1;
	int count = cli->operand_count - 1;

	refuse_zero(r);
	if (verb == NULL)
		return bench_tour(o);
	if (strcmp(verb, "list") == 0)
		return bench_list(o, rest, count);
	if (strcmp(verb, "run") == 0)
		return bench_run(o, rest, count);
	if (strcmp(verb, "compare") == 0)
		return compare(r, rest, count);
	if (strcmp(verb, "report") == 0 && count == 0)
		cli_misuse(cli, "report needs a file");
	if (strcmp(verb, "report") == 0)
		return bench_report(&r->report, rest, count);
	cli_misuse(cli, "\"%s\": none of list, run, compare and report", verb);
}

static struct request request;

static const struct cli_opt opts[] = {
	{ 0, "runs", CLI_NUMBER, &request.run.runs, "N",
	    "repeat each scenario N times", NULL, &request.given.runs },
	{ 0, "quick", CLI_FLAG, &request.run.quick, NULL,
	    "small sizes and few repetitions", NULL, NULL },
	{ 0, "output", CLI_STRING, &request.run.output, "FILE",
	    "write the result document there", NULL, NULL },
	{ 0, "remark", CLI_STRING, &request.run.remark, "TEXT",
	    "a remark to keep in the result", NULL, NULL },
	{ 0, "directory", CLI_STRING, &request.run.directory, "DIR",
	    "where the stores of the runs go", NULL, NULL },
	{ 0, "duration", CLI_DURATION, &request.run.duration_us, "DUR",
	    "how long a load lasts", NULL, &request.given.duration },
	{ 0, "rate", CLI_NUMBER, &request.run.rate, "N",
	    "messages a second, of all producers", NULL, &request.given.rate },
	{ 0, "producers", CLI_NUMBER, &request.run.producers, "N",
	    "processes that append", NULL, &request.given.producers },
	{ 0, "consumers", CLI_NUMBER, &request.run.consumers, "N",
	    "processes that follow", NULL, &request.given.consumers },
	{ 0, "size", CLI_STRING, &request.run.size, "SIZE",
	    "bytes of a value: 100, or 200..500", NULL, NULL },
	{ 0, "keys", CLI_STRING, &request.run.keys, "KEYS",
	    "different keys: 1000, or 1000:1.1 for Zipf's law", NULL, NULL },
	{ 0, "sync", CLI_CHOICE, &request.run.sync, "WHEN",
	    "when appends are durable: batch or none", syncs, NULL },
	{ 0, "spike-rate", CLI_NUMBER, &request.run.spike_rate, "N",
	    "messages a second in the middle of a load", NULL,
	    &request.given.spike_rate },
	{ 0, "spike-duration", CLI_DURATION, &request.run.spike_us, "DUR",
	    "how long that lasts", NULL, &request.given.spike },
	{ 0, "seed", CLI_NUMBER, &request.run.seed, "N", "of what is random",
	    NULL, NULL },
	{ 0, "interleave", CLI_FLAG, &request.run.interleave, NULL,
	    "run all scenarios once, then all again", NULL, NULL },
	{ 0, "against", CLI_STRING, &request.run.against, "PATH",
	    "take turns with this sblog-bench, and compare", NULL, NULL },
	{ 0, "json", CLI_FLAG, &request.run.json, NULL, "report as JSON", NULL,
	    NULL },
	{ 0, "alpha", CLI_STRING, &request.alpha, "SHARE",
	    "compare: chance of a false verdict, default 0.05", NULL, NULL },
	{ 0, "threshold", CLI_STRING, &request.threshold, "SHARE",
	    "compare: smallest change that matters, default 3%", NULL, NULL },
	{ 0, "fail", CLI_FLAG, &request.compare.fail, NULL,
	    "compare, --against: exit 8 if something is worse", NULL, NULL },
	{ 0, "match", CLI_LIST, &request.compare.match, "BASENAME=NEWNAME",
	    "compare: set these two measures side by side", NULL, NULL },
	{ 0, "md", CLI_FLAG, &request.report.markdown, NULL,
	    "report: Markdown, which is the default", NULL, NULL },
	{ 0, "html", CLI_STRING, &request.report.html, "FILE",
	    "report: a page with plots", NULL, NULL },
	{ 0, "csv", CLI_FLAG, &request.report.csv, NULL,
	    "report: comma-separated, a line for each run", NULL, NULL },
	{ 0, "prometheus", CLI_STRING, &request.report.prometheus, "FILE",
	    "report: Prometheus text 0.0.4", NULL, NULL },
	{ 0, "hgrm", CLI_FLAG, &request.report.hgrm, NULL,
	    "report: percentiles of every histogram", NULL, NULL },
	{ 0, "only", CLI_STRING, &request.report.only, "GLOB",
	    "report: only measures of that name", NULL, NULL },
	{ .name = NULL },
};

int
main(int argc, char **argv)
{
	struct cli cli = {
		.command = "sblog-bench",
		.purpose = "Measure, compare and report.",
		.synopsis = synopsis,
		.opts = opts,
	};
	enum exit_status status;

	cli_parse(&cli, argc, argv);
	request.cli = &cli;
	request.run.fail = request.compare.fail;
	status = dispatch(&request);
	free(request.compare.match.items);
	return report_finish(status);
}
