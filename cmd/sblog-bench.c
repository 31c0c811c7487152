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

static const char *const synopsis[] = {
	"sblog-bench",
	"sblog-bench list [--json] [SCENARIO]...",
	"sblog-bench run [--runs N] [--quick] [--output FILE] [--remark TEXT] "
	"[--directory DIR] [SCENARIO]...",
	"sblog-bench compare [--alpha SHARE] [--threshold SHARE] [--fail] "
	"[--json] "
	"[--match BASENAME=NEWNAME]... BASE NEW",
	"sblog-bench report [--md] [--html FILE] [--csv] [--prometheus FILE] "
	"[--hgrm] [--only GLOB] RESULT...",
	NULL,
};

struct request {
	const struct cli *cli;
	struct bench_options run;
	struct compare_options compare;
	const char *alpha, *threshold;
	struct report_options report;
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

static enum exit_status
dispatch(struct request *r)
{
	const struct bench_options *o = &r->run;
	const struct cli *cli = r->cli;
	const char *verb = cli->operand_count > 0 ? cli->operands[0] : NULL;
	char **rest = cli->operands + 1;
	int count = cli->operand_count - 1;

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

int
main(int argc, char **argv)
{
	struct request r = { .alpha = NULL };
	const struct cli_opt opts[] = {
		{ 0, "runs", CLI_NUMBER, &r.run.runs, "N",
		    "repeat each scenario N times", NULL, NULL },
		{ 0, "quick", CLI_FLAG, &r.run.quick, NULL,
		    "small sizes and few repetitions", NULL, NULL },
		{ 0, "output", CLI_STRING, &r.run.output, "FILE",
		    "write the result document there", NULL, NULL },
		{ 0, "remark", CLI_STRING, &r.run.remark, "TEXT",
		    "a remark to keep in the result", NULL, NULL },
		{ 0, "directory", CLI_STRING, &r.run.directory, "DIR",
		    "where the stores of the runs go", NULL, NULL },
		{ 0, "json", CLI_FLAG, &r.run.json, NULL, "report as JSON",
		    NULL, NULL },
		{ 0, "alpha", CLI_STRING, &r.alpha, "SHARE",
		    "compare: chance of a false verdict, default 0.05", NULL,
		    NULL },
		{ 0, "threshold", CLI_STRING, &r.threshold, "SHARE",
		    "compare: smallest change that matters, default 3%", NULL,
		    NULL },
		{ 0, "fail", CLI_FLAG, &r.compare.fail, NULL,
		    "compare: exit 8 if something is worse", NULL, NULL },
		{ 0, "match", CLI_LIST, &r.compare.match, "BASENAME=NEWNAME",
		    "compare: set these two measures side by side", NULL,
		    NULL },
		{ 0, "md", CLI_FLAG, &r.report.markdown, NULL,
		    "report: Markdown, which is the default", NULL, NULL },
		{ 0, "html", CLI_STRING, &r.report.html, "FILE",
		    "report: a page with plots", NULL, NULL },
		{ 0, "csv", CLI_FLAG, &r.report.csv, NULL,
		    "report: comma-separated, a line for each run", NULL,
		    NULL },
		{ 0, "prometheus", CLI_STRING, &r.report.prometheus, "FILE",
		    "report: Prometheus text 0.0.4", NULL, NULL },
		{ 0, "hgrm", CLI_FLAG, &r.report.hgrm, NULL,
		    "report: percentiles of every histogram", NULL, NULL },
		{ 0, "only", CLI_STRING, &r.report.only, "GLOB",
		    "report: only measures of that name", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-bench",
		.purpose = "Measure, compare and report.",
		.synopsis = synopsis,
		.opts = opts,
	};

	enum exit_status status;

	cli_parse(&cli, argc, argv);
	r.cli = &cli;
	status = dispatch(&r);
	free(r.compare.match.items);
	return report_finish(status);
}
