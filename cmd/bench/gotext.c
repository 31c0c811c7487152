/*
 * gotext.c - the text that "go test -bench" prints, as a result.
 *
 * Format: https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md
 */
#include "bench/gotext.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"

static const char prefix[] = "Benchmark";

/* The next word of a line, or NULL; a NUL ends it. */
static char *
word(char **at)
{
	char *begin = *at + strspn(*at, " \t\r");

	if (*begin == '\0')
		return NULL;
	*at = begin + strcspn(begin, " \t\r");
	if (**at != '\0')
		*(*at)++ = '\0';
	return begin;
}

static bool
number(const char *text, double *vp)
{
	char *end;

	errno = 0;
	*vp = strtod(text, &end);
	return end != text && *end == '\0' && errno == 0 && isfinite(*vp);
}

/* A name goes on with an upper case letter or a digit, or with nothing. */
static bool
is_name(const char *s)
{
	return strncmp(s, prefix, sizeof(prefix) - 1) == 0 &&
	    !islower((unsigned char)s[sizeof(prefix) - 1]);
}

static bool
higher_is_better(const char *unit)
{
	size_t n = strlen(unit);

	return n >= 2 && strcmp(unit + n - 2, "/s") == 0;
}

static void
add(struct bench_result *r, const char *name, double iterations,
    const char *unit, double value)
{
	char *full = mem_format("%s %s", name, unit);
	struct bench_run *run = bench_measure_run(
	    bench_result_measure(r, name, full, unit, higher_is_better(unit)));

	run->value = value;
	run->ops = (uint64_t)iterations;
	free(full);
}

/* "BenchmarkName-8  N  VALUE UNIT ..."; false: it is cut or mangled.  A line
 * of the name alone is the start of a verbose one and says nothing. */
static bool
parse_line(struct bench_result *r, char *line)
{
	char *name = word(&line), *count = word(&line), *value, *unit;
	double iterations, v;

	name += sizeof(prefix) - 1;
	if (count == NULL)
		return true;
	if (!number(count, &iterations) || iterations < 0 || iterations > 1e18)
		return false;
	if ((value = word(&line)) == NULL)
		return false;
	for (; value != NULL; value = word(&line)) {
		unit = word(&line);
		if (unit == NULL || !number(value, &v))
			return false;
		add(r, name, iterations, unit, v);
	}
	return true;
}

/* "cpu: ...", "goos: ..." */
static void
parse_fact(struct bench_result *r, const char *line)
{
	if (strncmp(line, "cpu: ", 5) == 0)
		bench_set(&r->cpu, line + 5);
	else if (strncmp(line, "goos: ", 6) == 0)
		bench_set(&r->kernel, line + 6);
}

bool
gotext_is(const char *text)
{
	const char *line = text;

	while (line != NULL) {
		if (is_name(line) &&
		    strcspn(line, "0123456789") < strcspn(line, "\n"))
			return true;
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return false;
}

struct bench_result *
gotext_parse(const char *text, char why[BENCH_WHY_SIZE])
{
	char *copy = mem_text(text), *line = copy, *next;
	struct bench_result *r = bench_result_new(NULL);
	size_t n = 1;

	bench_set(&r->remark, "go test -bench");
	for (; line != NULL; line = next, n++) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (!is_name(line)) {
			parse_fact(r, line);
		} else if (!parse_line(r, line)) {
			(void)snprintf(why, BENCH_WHY_SIZE,
			    "line %zu: not a benchmark's line", n);
			bench_result_free(r);
			free(copy);
			return NULL;
		}
	}
	free(copy);
	if (r->measure_count == 0) {
		(void)snprintf(why, BENCH_WHY_SIZE, "no benchmark in it");
		bench_result_free(r);
		return NULL;
	}
	return r;
}
