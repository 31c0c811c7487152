/*
 * measure.c - the frame of a benchmark program.
 */
#include "common/measure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
measure_print(const char *name, double figure, const char *unit)
{
	printf("%s\t%.9g\t%s\n", name, figure, unit);
	(void)fflush(stdout); /* a failure shows again at the end */
}

_Noreturn void
measure_fail(const char *what, const char *on)
{
	int sys = errno;

	fprintf(stderr, "%s: %s: %s%s%s\n", program_invocation_short_name, on,
	    what, sys != 0 ? ": " : "", sys != 0 ? strerror(sys) : "");
	_exit(1);
}

_Noreturn void
measure_skip(const char *why, const char *on)
{
	fprintf(stderr, "%s: %s\n", on, why);
	_exit(MEASURE_SKIPPED);
}

static int
list(const struct measure *table)
{
	for (const struct measure *m = table; m->name != NULL; m++)
		printf("%s\t%s\n", m->name, m->what);
	return 0;
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: %s [-l] [-d DIR] [-n LINES] [-b SBLOG] "
	    "MEASURE...\n",
	    program_invocation_short_name);
	return 2;
}

static int
run_by_name(const struct measure *table, const char *name,
    const struct measure_env *env)
{
	for (const struct measure *m = table; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0) {
			m->run(env);
			return 0;
		}
	fprintf(stderr, "%s: no measure \"%s\"; -l lists them\n",
	    program_invocation_short_name, name);
	return 2;
}

int
measure_main(int argc, char **argv, const struct measure *table,
    const void *arg)
{
	struct measure_env env = {
		.dir = ".",
		.sblog = "sblog",
		.lines = 10000000,
		.arg = arg,
	};
	int c, rc = 0;

	while ((c = getopt(argc, argv, "ld:n:b:")) != -1) {
		switch (c) {
		case 'l':
			return list(table);
		case 'd':
			env.dir = optarg;
			break;
		case 'n':
			env.lines = strtoull(optarg, NULL, 10);
			break;
		case 'b':
			env.sblog = optarg;
			break;
		default:
			return usage();
		}
	}
	if (optind == argc || env.lines == 0)
		return usage();
	for (int i = optind; i < argc && rc == 0; i++)
		rc = run_by_name(table, argv[i], &env);
	if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		measure_fail("cannot write", "standard output");
	return rc;
}
