/*
 * report_data.c - results for programs: CSV, Prometheus text, .hgrm.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report_bench.h"
#include "bench/stat.h"

/* -- CSV, RFC 4180 -------------------------------------------------------- */

static void
csv_text(FILE *f, const char *text)
{
	if (strpbrk(text, ",\"\r\n") == NULL) {
		(void)fprintf(f, "%s,", text);
		return;
	}
	(void)fputc('"', f);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			(void)fputc('"', f);
		(void)fputc(*text, f);
	}
	fputs("\",", f);
}

static void
csv_real(FILE *f, double v)
{
	if (isfinite(v))
		(void)fprintf(f, "%.10g", v);
	(void)fputc(',', f);
}

static void
csv_hist(FILE *f, const struct hist *h)
{
	static const double percents[] = { 50, 95, 99, 99.9, 99.99, 100 };

	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		uint64_t ns = h == NULL ? 0 : hist_percentile(h, percents[i]);

		if (h != NULL && h->total > 0 && ns != UINT64_MAX)
			(void)fprintf(f, "%" PRIu64, ns);
		(void)fputc(',', f);
	}
}

static void
csv_run(FILE *f, const char *path, const struct bench_measure *m, size_t i)
{
	const struct bench_run *run = m->runs[i];

	csv_text(f, path);
	csv_text(f, m->scenario);
	csv_text(f, m->name);
	csv_text(f, m->unit);
	csv_text(f, m->higher_is_better ? "higher" : "lower");
	csv_text(f, m->rows);
	(void)fprintf(f, "%zu,", i + 1);
	csv_real(f, run->value);
	csv_real(f, run->seconds);
	(void)fprintf(f, "%" PRIu64 ",%" PRIu64 ",", run->ops, run->bytes);
	csv_real(f, run->cpu_seconds);
	csv_real(f, run->memory_bytes);
	csv_real(f, run->allocs_per_op);
	csv_real(f, run->alloc_bytes_per_op);
	csv_hist(f, run->latency);
	csv_hist(f, run->service);
	(void)fprintf(f, "%s\n", run->failed ? "failed" : "ok");
}

void
report_csv(const struct reports *r, FILE *f)
{
	fputs("file,scenario,measure,unit,better,rows,run,value,seconds,ops,"
	      "bytes,cpu_seconds,memory_bytes,allocs_per_op,alloc_bytes_per_op,"
	      "latency_p50_ns,latency_p95_ns,latency_p99_ns,latency_p99_9_ns,"
	      "latency_p99_99_ns,latency_max_ns,service_p50_ns,service_p95_ns,"
	      "service_p99_ns,service_p99_9_ns,service_p99_99_ns,"
	      "service_max_ns,outcome\n",
	    f);
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->results[i]->measure_count; k++) {
			const struct bench_measure *m =
			    r->results[i]->measures[k];

			for (size_t n = 0;
			     report_wants(r, m) && n < m->run_count; n++)
				csv_run(f, r->paths[i], m, n);
		}
}

/* -- Prometheus text 0.0.4 ------------------------------------------------ */

/* key="value" with what the format wants escaped */
static void
prom_label(FILE *f, const char *key, const char *value)
{
	(void)fprintf(f, "%s=\"", key);
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			fputs("\\n", f);
			continue;
		}
		if (*value == '"' || *value == '\\')
			(void)fputc('\\', f);
		(void)fputc(*value, f);
	}
	(void)fputc('"', f);
}

static void
prom_labels(FILE *f, const char *path, const struct bench_measure *m)
{
	(void)fputc('{', f);
	prom_label(f, "result", path);
	(void)fputc(',', f);
	prom_label(f, "scenario", m->scenario);
	(void)fputc(',', f);
	prom_label(f, "measure", m->name);
	(void)fputc(',', f);
	prom_label(f, "unit", m->unit);
}

/* Upper bounds of buckets, in ns: 1, 2.5 and 5 of each ten. */
static const uint64_t bounds[] = { 100, 250, 500, 1000, 2500, 5000, 10000,
	25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
	10000000, 25000000, 50000000, 100000000, 250000000, 500000000,
	1000000000, 2500000000, 5000000000, 10000000000 };

static void
prom_hist(FILE *f, const char *path, const struct bench_measure *m,
    const char *name, const struct hist *h)
{
	uint64_t seen = 0;
	unsigned at = 0;

	if (h == NULL)
		return;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		/* A bucket belongs where its lowest value does. */
		while (at < HIST_BUCKETS && hist_lowest(at) <= bounds[i])
			seen += h->count[at++];
		(void)fprintf(f, "%s_bucket", name);
		prom_labels(f, path, m);
		(void)fprintf(f, ",le=\"%.10g\"} %" PRIu64 "\n",
		    (double)bounds[i] / 1e9, seen);
	}
	(void)fprintf(f, "%s_bucket", name);
	prom_labels(f, path, m);
	(void)fprintf(f, ",le=\"+Inf\"} %" PRIu64 "\n%s_sum", h->total, name);
	prom_labels(f, path, m);
	(void)fprintf(f, "} %.10g\n%s_count",
	    hist_mean(h) * (double)h->total / 1e9, name);
	prom_labels(f, path, m);
	(void)fprintf(f, "} %" PRIu64 "\n", h->total);
}

enum prom_kind {
	PROM_VALUE,
	PROM_RUNS,
	PROM_FAILED,
	PROM_LATENCY,
	PROM_SERVICE
};

static void
prom_sample(FILE *f, const char *path, const struct bench_measure *m,
    enum prom_kind kind, const char *name)
{
	struct hist *h = NULL;
	struct report_row row;
	double *v, value = 0;
	size_t n;

	if (kind == PROM_LATENCY || kind == PROM_SERVICE) {
		h = kind == PROM_LATENCY ? bench_measure_latency(m)
					 : bench_measure_service(m);
		prom_hist(f, path, m, name, h);
		free(h);
		return;
	}
	report_fill(&row, m);
	if (kind == PROM_VALUE) {
		v = bench_measure_values(m, &n);
		value = stat_median(v, n);
		free(v);
	} else {
		value = (double)(kind == PROM_RUNS ? row.runs : row.failed);
	}
	(void)fprintf(f, "%s", name);
	prom_labels(f, path, m);
	if (isnan(value))
		fputs("} NaN\n", f);
	else
		(void)fprintf(f, "} %.10g\n", value);
}

static void
prom_info(const struct reports *r, FILE *f)
{
	fputs("# HELP sblog_bench_info The machine of a result; 1.\n"
	      "# TYPE sblog_bench_info gauge\n",
	    f);
	for (size_t i = 0; i < r->count; i++) {
		const struct bench_result *result = r->results[i];
		const char *const labels[][2] = { { "result", r->paths[i] },
			{ "version", result->version },
			{ "host", result->host }, { "cpu", result->cpu },
			{ "kernel", result->kernel },
			{ "filesystem", result->filesystem },
			{ "governor", result->governor },
			{ "sync", result->sync } };

		fputs("sblog_bench_info", f);
		for (size_t k = 0; k < sizeof(labels) / sizeof(labels[0]);
		     k++) {
			(void)fputc(k == 0 ? '{' : ',', f);
			prom_label(f, labels[k][0], labels[k][1]);
		}
		fputs("} 1\n", f);
	}
	fputs("# HELP sblog_bench_partial Was the run interrupted?\n"
	      "# TYPE sblog_bench_partial gauge\n",
	    f);
	for (size_t i = 0; i < r->count; i++) {
		fputs("sblog_bench_partial{", f);
		prom_label(f, "result", r->paths[i]);
		(void)fprintf(f, "} %d\n", r->results[i]->partial);
	}
}

void
report_prometheus(const struct reports *r, FILE *f)
{
	static const struct {
		enum prom_kind kind;
		const char *name, *type, *help;
	} list[] = {
		{ PROM_VALUE, "sblog_bench_value", "gauge",
		    "Median of the runs, in the unit of the label." },
		{ PROM_RUNS, "sblog_bench_runs", "gauge",
		    "Runs that did not fail." },
		{ PROM_FAILED, "sblog_bench_failed_runs", "gauge",
		    "Runs whose data was wrong or whose target was missed." },
		{ PROM_LATENCY, "sblog_bench_latency_seconds", "histogram",
		    "Time from the intended start to the end." },
		{ PROM_SERVICE, "sblog_bench_service_seconds", "histogram",
		    "Time from the real start to the end." },
	};

	prom_info(r, f);
	/* All lines of one metric stand together. */
	for (size_t n = 0; n < sizeof(list) / sizeof(list[0]); n++) {
		(void)fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", list[n].name,
		    list[n].help, list[n].name, list[n].type);
		for (size_t i = 0; i < r->count; i++)
			for (size_t k = 0; k < r->results[i]->measure_count;
			     k++)
				if (report_wants(r, r->results[i]->measures[k]))
					prom_sample(f, r->paths[i],
					    r->results[i]->measures[k],
					    list[n].kind, list[n].name);
	}
}

/* -- .hgrm, as HdrHistogram's outputPercentileDistribution ----------------- */

static uint64_t
count_up_to(const struct hist *h, uint64_t ns)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < HIST_BUCKETS && hist_lowest(i) <= ns; i++)
		seen += h->count[i];
	return seen;
}

static void
hgrm_one(FILE *f, const struct bench_measure *m, const char *kind,
    const struct hist *h)
{
	double percent = 0;

	if (h == NULL || h->total == 0)
		return;
	(void)fprintf(f, "#[%s, %s, nanoseconds]\n", m->name, kind);
	fputs("       Value     Percentile TotalCount 1/(1-Percentile)\n\n", f);
	for (;;) {
		uint64_t ns = hist_percentile(h, percent);
		uint64_t seen =
		    ns == UINT64_MAX ? h->total : count_up_to(h, ns);
		double value = ns == UINT64_MAX ? (double)h->max : (double)ns;

		if (seen == h->total) {
			(void)fprintf(f, "%12.3f %2.12f %10" PRIu64 "\n",
			    (double)h->max, 1.0, seen);
			break;
		}
		(void)fprintf(f, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", value,
		    percent / 100, seen, 1 / (1 - percent / 100));
		/* five steps for each half of what is left */
		percent +=
		    100 / (5 * exp2(floor(log2(100 / (100 - percent))) + 1));
	}
	(void)fprintf(f,
	    "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n"
	    "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n"
	    "#[Buckets = %12d, SubBuckets     = %12d]\n",
	    hist_mean(h), hist_stddev(h), (double)h->max, h->total, 32,
	    2 * HIST_HALF);
}

void
report_hgrm(const struct reports *r, FILE *f)
{
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->results[i]->measure_count; k++) {
			const struct bench_measure *m =
			    r->results[i]->measures[k];
			struct hist *h;

			if (!report_wants(r, m))
				continue;
			h = bench_measure_latency(m);
			hgrm_one(f, m, "from the intended start", h);
			free(h);
			h = bench_measure_service(m);
			hgrm_one(f, m, "service", h);
			free(h);
		}
}
