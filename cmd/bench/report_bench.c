/*
 * report_bench.c - bench report: which reports, and where they go.
 */
#include "bench/report_bench.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/mem.h"
#include "bench/stat.h"
#include "bench/value.h"
#include "common/human.h"

bool
report_wants(const struct reports *r, const struct bench_measure *m)
{
	return r->only == NULL || fnmatch(r->only, m->name, 0) == 0;
}

static void
put_ns(uint64_t ns, char out[VALUE_SIZE])
{
	if (ns == UINT64_MAX)
		(void)snprintf(out, VALUE_SIZE, "> 1 h");
	else
		value_format((double)ns, "ns", out);
}

/* The mean of what was seen in the runs; "" where none has it. */
static void
put_mean(const struct bench_measure *m, bool of_bytes, char out[VALUE_SIZE])
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < m->run_count; i++) {
		double v = of_bytes ? m->runs[i]->alloc_bytes_per_op
				    : m->runs[i]->allocs_per_op;

		if (isfinite(v) && !m->runs[i]->failed) {
			sum += v;
			n++;
		}
	}
	out[0] = '\0';
	if (n > 0)
		value_format(sum / (double)n, of_bytes ? "B" : "", out);
	/* without the blank before an empty unit */
	if (!of_bytes && out[0] != '\0')
		out[strcspn(out, " ")] = '\0';
}

void
report_fill(struct report_row *row, const struct bench_measure *m)
{
	struct hist *h = bench_measure_latency(m);
	size_t n;
	double *v = bench_measure_values(m, &n), median = stat_median(v, n);

	memset(row, 0, sizeof(*row));
	row->measure = m;
	row->runs = n;
	row->failed = 0;
	for (size_t i = 0; i < m->run_count; i++)
		row->failed += m->runs[i]->failed;
	value_format(median, m->unit, row->value);
	if (n > 1 && median != 0)
		(void)snprintf(row->spread, sizeof(row->spread), "%.1f %%",
		    100 * (v[n - 1] - v[0]) / fabs(median));
	if (h == NULL)
		h = bench_measure_service(m);
	if (h != NULL && h->total > 0) {
		put_ns(hist_percentile(h, 50), row->p50);
		put_ns(hist_percentile(h, 99), row->p99);
		put_ns(h->max > HIST_MAX ? UINT64_MAX : h->max, row->max);
	}
	put_mean(m, true, row->bytes_per_op);
	put_mean(m, false, row->allocs_per_op);
	free(h);
	free(v);
}

/* One line, whatever is in it. */
static void
put_fact(char to[160], const char *text)
{
	(void)snprintf(to, 160, "%.159s", text);
	for (; *to != '\0'; to++)
		if ((unsigned char)*to < 0x20)
			*to = ' ';
}

void
report_facts(const struct bench_result *r, char facts[REPORT_FACTS][2][160])
{
	char when[HUMAN_TIME_SIZE] = "", memory[16] = "", cpus[192];
	const char *const list[REPORT_FACTS][2] = {
		{ "sblog", r->version },
		{ "time", when },
		{ "host", r->host },
		{ "processor", cpus },
		{ "memory", memory },
		{ "kernel", r->kernel },
		{ "file system", r->filesystem },
		{ "governor", r->governor },
		{ "compiler", r->compiler },
		{ "sync", r->sync },
		{ "remark", r->remark },
	};

	if (r->time_us != 0)
		(void)human_format_time(r->time_us, when);
	if (r->memory_bytes != 0)
		human_format_size(r->memory_bytes, memory);
	if (r->cpus != 0)
		(void)snprintf(cpus, sizeof(cpus), "%u x %.170s", r->cpus,
		    r->cpu);
	else
		(void)snprintf(cpus, sizeof(cpus), "%.170s", r->cpu);
	for (size_t i = 0; i < REPORT_FACTS; i++)
		for (size_t k = 0; k < 2; k++)
			put_fact(facts[i][k], list[i][k]);
}

/* A report into a file that appears complete or not at all. */
static enum exit_status
write_file(const struct reports *r, const char *path,
    void (*report)(const struct reports *, FILE *))
{
	char *temporary;
	FILE *f;
	bool ok;

	if (strcmp(path, "-") == 0) {
		report(r, stdout);
		return EXIT_DONE;
	}
	temporary = mem_format("%s.tmp", path);
	f = fopen(temporary, "we");
	ok = f != NULL;
	if (ok) {
		report(r, f);
		ok = fflush(f) == 0 && !ferror(f);
		if (fclose(f) != 0)
			ok = false;
	}
	ok = ok && rename(temporary, path) == 0;
	if (!ok) {
		report_fail("%s: %s", path, strerror(errno));
		if (f != NULL)
			(void)unlink(temporary);
	}
	free(temporary);
	return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status
write_all(const struct report_options *o, const struct reports *r)
{
	enum exit_status status = EXIT_DONE;

	if (o->html != NULL)
		status =
		    report_worse(status, write_file(r, o->html, report_html));
	if (o->prometheus != NULL)
		status = report_worse(status,
		    write_file(r, o->prometheus, report_prometheus));
	if (o->csv)
		report_csv(r, stdout);
	if (o->hgrm)
		report_hgrm(r, stdout);
	if (o->markdown ||
	    (o->html == NULL && o->prometheus == NULL && !o->csv && !o->hgrm))
		report_markdown(r, stdout);
	return status;
}

enum exit_status
bench_report(const struct report_options *o, char **paths, int count)
{
	struct reports r = { .paths = (const char *const *)paths,
		.only = o->only };
	enum exit_status status = EXIT_DONE;
	char why[BENCH_WHY_SIZE];
	size_t found = 0;

	r.results = mem_new((size_t)count, sizeof(struct bench_result *));
	for (int i = 0; i < count && status == EXIT_DONE; i++) {
		struct bench_result *one = load_result(paths[i], why);

		if (one == NULL) {
			report_fail("%s: %s", paths[i], why);
			status = EXIT_FAILED;
			break;
		}
		r.results[r.count++] = one;
		for (size_t k = 0; k < one->measure_count; k++)
			found += report_wants(&r, one->measures[k]);
	}
	if (status == EXIT_DONE && found == 0) {
		report_fail("%s: no measure %s%s", paths[0],
		    o->only == NULL ? "in it" : "matches ",
		    o->only == NULL ? "" : o->only);
		status = EXIT_ABSENT;
	}
	if (status == EXIT_DONE)
		status = write_all(o, &r);
	for (size_t i = 0; i < r.count; i++)
		bench_result_free(r.results[i]);
	free(r.results);
	return status;
}
