/*
 * test_bench_result.c - cmd/bench/result, gotext and value: documents.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gotext.h"
#include "bench/load.h"
#include "bench/result.h"
#include "bench/value.h"
#include "check.h"

static struct bench_result *
sample(void)
{
	struct bench_result *r = bench_result_new(".");
	struct bench_measure *m =
	    bench_result_measure(r, "append", "append/single", "ns/op", false);
	struct bench_run *run;

	bench_measure_cite(m, "9,10", "1,095 ns", "in memory");
	bench_measure_param(m, "size", "%d", 8);
	bench_measure_param(m, "sync", "none");
	run = bench_measure_run(m);
	run->value = 123.25;
	run->ops = 1000;
	run->bytes = UINT64_C(1) << 53;
	run->cpu_seconds = 0.5;
	hist_add(bench_run_latency(run), 12345678, 7);
	hist_add(run->latency, HIST_MAX + 1, 1);
	bench_run_series(run, 0.5, 2)[1] = 4.5;
	bench_run_miss(run, "too %s", "late");
	run = bench_measure_run(m);
	bench_run_fail(run, "lost %d records", 3);
	return r;
}

static char *
file_text(const char *path, size_t *lenp)
{
	char why[BENCH_WHY_SIZE], *text = load_file(path, lenp, why);

	CHECK(text != NULL);
	return text;
}

static void
a_document_is_read_as_it_was_written(void)
{
	char why[BENCH_WHY_SIZE], *one, *two;
	struct bench_result *r = sample(), *back;
	size_t len, n;

	CHECK_U64(bench_result_write(r, "a.json", why), 0);
	back = load_result("a.json", why);
	CHECK(back != NULL);
	CHECK_U64(bench_result_write(back, "b.json", why), 0);
	one = file_text("a.json", &len);
	two = file_text("b.json", &n);
	CHECK_U64(n, len);
	CHECK_STR(two, one);
	CHECK_U64(back->measure_count, 1);
	CHECK_U64(back->measures[0]->run_count, 2);
	CHECK(back->measures[0]->runs[0]->value == 123.25);
	CHECK(isnan(back->measures[0]->runs[1]->value));
	CHECK(back->measures[0]->runs[0]->missed);
	CHECK_STR(back->measures[0]->runs[0]->why, "too late");
	CHECK(!back->measures[0]->runs[0]->failed);
	CHECK(!back->measures[0]->runs[1]->missed);
	CHECK_STR(back->measures[0]->runs[1]->why, "lost 3 records");
	CHECK_U64(back->measures[0]->runs[0]->latency->overflow, 1);
	CHECK_STR(bench_measure_param_of(back->measures[0], "size"), "8");
	CHECK(bench_measure_param_of(back->measures[0], "none") == NULL);
	CHECK(back->cpus > 0 && back->kernel[0] != '\0');
	free(one);
	free(two);
	bench_result_free(r);
	bench_result_free(back);
}

static void
failed_runs_are_no_values(void)
{
	struct bench_result *r = sample();
	size_t n;
	double *v = bench_measure_values(r->measures[0], &n);

	CHECK_U64(n, 1);
	CHECK(v[0] == 123.25);
	free(v);
	bench_result_free(r);
}

static void
what_is_no_document_is_refused_with_its_place(void)
{
	static const struct {
		const char *text, *why;
	} list[] = {
		{ "", "not JSON: " },
		{ "{\"schema\":\"sblog.bench/1\"", "not JSON: " },
		{ "[]", "schema is missing" },
		{ "{\"schema\":\"sblog.bench/2\"}",
		    "schema is sblog.bench/2, not sblog.bench/1" },
		{ "{\"schema\":\"sblog.bench/1\"}", "\"measures\" is not" },
		{ "{\"schema\":\"sblog.bench/1\",\"measures\":[{}]}",
		    "\"version\" is not a text" },
	};
	char why[BENCH_WHY_SIZE];

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		CHECK(bench_result_parse(list[i].text, strlen(list[i].text),
			  why) == NULL);
		CHECK_STR(strstr(why, list[i].why) == why ? "" : why, "");
	}
}

/* No byte of a document that is cut off or changed may bring it down. */
static void
a_damaged_document_does_no_harm(void)
{
	char why[BENCH_WHY_SIZE], *text;
	struct bench_result *r = sample();
	size_t len, refused = 0;

	CHECK_U64(bench_result_write(r, "a.json", why), 0);
	bench_result_free(r);
	text = file_text("a.json", &len);
	for (size_t i = 0; i + 2 < len; i++)
		CHECK(bench_result_parse(text, i, why) == NULL);
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		text[i] = '9';
		r = bench_result_parse(text, len, why);
		refused += r == NULL;
		bench_result_free(r);
		text[i] = was;
	}
	CHECK(refused > len / 8);
	free(text);
}

static void
writing_that_fails_leaves_nothing(void)
{
	char why[BENCH_WHY_SIZE];
	struct bench_result *r = sample();

	CHECK(bench_result_write(r, "none/a.json", why) < 0);
	CHECK_STR(why, "none/a.json: No such file or directory");
	bench_result_free(r);
}

static void
go_text_is_grouped_by_name_and_unit(void)
{
	static const char text[] =
	    "goos: linux\ngoarch: amd64\npkg: x/y\ncpu: Some CPU @ 3\n"
	    "BenchmarkProducer_Send-8 \t   50000\t     25431 ns/op\t    2048 "
	    "B/op\t      12 allocs/op\n"
	    "--- BENCH: BenchmarkOther\n    a_test.go:1: Benchmark 1\n"
	    "BenchmarkLog/size=10-8   1000000000   0.2554 ns/op  39.1 MB/s\r\n"
	    "BenchmarkProducer_Send-8 50000 24000 ns/op 2048 B/op 12 "
	    "allocs/op\n"
	    "BenchmarkVerbose\n"
	    "Benchmarking is fun 3\n"
	    "PASS\nok  \tx/y\t1.2s\n";
	char why[BENCH_WHY_SIZE];
	struct bench_result *r;

	CHECK(gotext_is(text));
	r = gotext_parse(text, why);
	CHECK(r != NULL);
	CHECK_U64(r->measure_count, 5);
	CHECK_STR(r->cpu, "Some CPU @ 3");
	CHECK_STR(r->measures[0]->name, "Producer_Send-8 ns/op");
	CHECK_U64(r->measures[0]->run_count, 2);
	CHECK(r->measures[0]->runs[1]->value == 24000);
	CHECK_U64(r->measures[0]->runs[1]->ops, 50000);
	CHECK(!r->measures[0]->higher_is_better);
	CHECK_STR(r->measures[2]->name, "Producer_Send-8 allocs/op");
	CHECK_STR(r->measures[3]->name, "Log/size=10-8 ns/op");
	CHECK(r->measures[3]->runs[0]->value == 0.2554);
	CHECK_STR(r->measures[4]->unit, "MB/s");
	CHECK(r->measures[4]->higher_is_better);
	bench_result_free(r);
}

static void
go_text_that_is_cut_is_refused(void)
{
	static const char *const bad[] = {
		"x\nBenchmarkA-8 100 25 ns/op 20\n",
		"x\nBenchmarkA-8 100 25\n",
		"x\nBenchmarkA-8 100\n",
		"x\nBenchmarkA-8 1o0 25 ns/op\n",
		"x\nBenchmarkA-8 100 nan ns/op\n",
		"x\nBenchmarkA-8 -1 25 ns/op\n",
	};
	char why[BENCH_WHY_SIZE];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(gotext_parse(bad[i], why) == NULL);
		CHECK_STR(why, "line 2: not a benchmark's line");
	}
	CHECK(!gotext_is("{\"BenchmarkA\": 1}\n"));
	CHECK(gotext_parse("PASS\n", why) == NULL);
	CHECK_STR(why, "no benchmark in it");
}

static void
values_have_three_digits_and_a_unit(void)
{
	static const struct {
		double v;
		const char *unit, *text;
	} list[] = {
		{ 25431, "ns/op", "25.4 us" },
		{ 999.4, "ns/op", "999 ns" },
		{ 999.6, "ns/op", "1.00 us" },
		{ 8.5e6, "ns/op", "8.50 ms" },
		{ 3.61, "ns/op", "3.61 ns" },
		{ 0.25, "ns/op", "0.2500 ns" },
		{ 0, "ns/op", "0 ns" },
		{ 2048, "B/op", "2.05 kB" },
		{ 1088000, "ops/s", "1.09 M/s" },
		{ 3880, "MiB/s", "3.79 GiB/s" },
		{ 12, "allocs/op", "12.0 allocs/op" },
		{ NAN, "ns/op", "-" },
	};
	char text[VALUE_SIZE];

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		value_format(list[i].v, list[i].unit, text);
		CHECK_STR(text, list[i].text);
	}
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "result: a document is read as it was written",
		    a_document_is_read_as_it_was_written },
		{ "result: failed runs are no values",
		    failed_runs_are_no_values },
		{ "result: what is no document is refused with its place",
		    what_is_no_document_is_refused_with_its_place },
		{ "result: a damaged document does no harm",
		    a_damaged_document_does_no_harm },
		{ "result: writing that fails leaves nothing",
		    writing_that_fails_leaves_nothing },
		{ "gotext: grouped by name and unit",
		    go_text_is_grouped_by_name_and_unit },
		{ "gotext: text that is cut is refused",
		    go_text_that_is_cut_is_refused },
		{ "value: three digits and a unit",
		    values_have_three_digits_and_a_unit },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
