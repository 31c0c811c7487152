/*
 * sblog-bench.c - measure, compare and report.
 *
 * Manual: sblog-bench(1).  This file turns a command line into calls of
 * cmd/bench; the scenarios are in cmd/bench/scenarios.c.
 */
#include <string.h>

#include <sblog.h>

#include "bench/scenario.h"
#include "common/cli.h"
#include "common/report.h"

static const char *const synopsis[] = {
	"sblog-bench",
	"sblog-bench list [--json] [SCENARIO]...",
	"sblog-bench run [--runs N] [--quick] [--output FILE] [--remark TEXT] "
	"[--directory DIR] [SCENARIO]...",
	NULL,
};

static enum exit_status
dispatch(const struct cli *cli, const struct bench_options *o)
{
	const char *verb = cli->operand_count > 0 ? cli->operands[0] : NULL;
	char **rest = cli->operands + 1;
	int count = cli->operand_count - 1;

	if (verb == NULL)
		return bench_tour(o);
	if (strcmp(verb, "list") == 0)
		return bench_list(o, rest, count);
	if (strcmp(verb, "run") == 0)
		return bench_run(o, rest, count);
	cli_misuse(cli, "\"%s\": neither list nor run", verb);
}

int
main(int argc, char **argv)
{
	struct bench_options o = { .runs = 0 };
	const struct cli_opt opts[] = {
		{ 0, "runs", CLI_NUMBER, &o.runs, "N",
		    "repeat each scenario N times", NULL, NULL },
		{ 0, "quick", CLI_FLAG, &o.quick, NULL,
		    "small sizes and few repetitions", NULL, NULL },
		{ 0, "output", CLI_STRING, &o.output, "FILE",
		    "write the result document there", NULL, NULL },
		{ 0, "remark", CLI_STRING, &o.remark, "TEXT",
		    "a remark to keep in the result", NULL, NULL },
		{ 0, "directory", CLI_STRING, &o.directory, "DIR",
		    "where the stores of the runs go", NULL, NULL },
		{ 0, "json", CLI_FLAG, &o.json, NULL, "report as JSON", NULL,
		    NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-bench",
		.purpose = "Measure, compare and report.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	return report_finish(dispatch(&cli, &o));
}
