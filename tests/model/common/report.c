/*
 * report.c - workers side by side, what they found, and how it is said.
 */
#include "common/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/world.h"

struct report *report;
static int tests, failed;
static double begun;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
report_seconds(void)
{
	return now() - begun;
}

void
report_begin(unsigned workers)
{
	begun = now();
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		exit(1);
	report->workers = workers < REPORT_WORKERS ? workers : REPORT_WORKERS;
}

void
report_run(void (*work)(unsigned worker))
{
	pid_t pids[REPORT_WORKERS];
	int status;

	(void)fflush(stdout);
	for (unsigned i = 0; i < report->workers; i++) {
		if ((pids[i] = fork()) == 0) {
			world_violations = 0;
			work(i);
			report->violations[i] += world_violations;
			(void)fflush(stdout);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < report->workers; i++) {
		status = 1;
		if (pids[i] > 0)
			(void)waitpid(pids[i], &status, 0);
		if (status == 0)
			continue;
		report->violations[i]++;
		printf("# %s: a process ended with status 0x%x\n",
		    report->where[i], (unsigned)status);
	}
}

uint64_t
report_sum(unsigned i)
{
	uint64_t sum = 0;

	for (unsigned w = 0; w < report->workers; w++)
		sum += report->count[w][i];
	return sum;
}

uint64_t
report_violations(void)
{
	uint64_t sum = 0;

	for (unsigned w = 0; w < report->workers; w++)
		sum += report->violations[w];
	return sum;
}

void
report_ok(bool ok, const char *fmt, ...)
{
	va_list ap;

	tests++;
	failed += !ok;
	printf("%s %d ", ok ? "ok" : "not ok", tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void
report_line(const char *name, uint64_t count, uint64_t seed, double seconds)
{
	const char *commit = getenv("COMMIT");

	printf("# result name=%s count=%llu seed=%llu commit=%s "
	       "violations=%llu seconds=%.1f\n",
	    name, (unsigned long long)count, (unsigned long long)seed,
	    commit && *commit ? commit : "unknown",
	    (unsigned long long)report_violations(), seconds);
	(void)fflush(stdout);
}

int
report_done(void)
{
	printf("1..%d\n", tests);
	return failed > 0;
}
