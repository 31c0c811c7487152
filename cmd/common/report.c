/*
 * report.c - what a command says when it is not data, and how it ends.
 */
#include "common/report.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/encode.h"
#include "common/human.h"

enum { LINE_SIZE = 1024 };

static const char *name = "sblog";
static bool quiet;
static struct {
	bool wanted, shown;
	double begun, last;
} progress;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void
report_init(const char *command)
{
	name = command;
}

void
report_setup(bool be_quiet, int when)
{
	quiet = be_quiet;
	progress.wanted =
	    when == CLI_ALWAYS || (when == CLI_AUTO && !be_quiet && isatty(2));
	progress.begun = now();
}

/* Text that may hold names from outside: control bytes are spelt out. */
static size_t
escape(const char *in, char *out, size_t size)
{
	size_t n = 0;

	while (*in != '\0' && n + 5 < size) {
		unsigned char c = (unsigned char)*in;
		size_t len = encode_utf8((const unsigned char *)in, strlen(in));

		/* C1 controls are two bytes, 0xc2 and 0x80 to 0x9f. */
		if (c >= 0x20 && c != 0x7f && len > 0 &&
		    !(c == 0xc2 && (unsigned char)in[1] < 0xa0)) {
			memcpy(out + n, in, len);
			n += len;
			in += len;
			continue;
		}
		n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
		in++;
	}
	return n;
}

__attribute__((format(printf, 2, 0))) static void
say(const char *command, const char *fmt, va_list ap)
{
	char text[LINE_SIZE], line[2 * LINE_SIZE];
	size_t n;
	int len;

	report_progress_end();
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	len = snprintf(line, sizeof(line), "%s: ", command);
	n = len > 0 ? (size_t)len : 0;
	n += escape(text, line + n, sizeof(line) - n - 1);
	line[n++] = '\n';
	/* One write, so that lines of several processes do not mix.  Nobody
	 * can be told when standard error is gone. */
	if (write(2, line, n) < 0)
		return;
}

void
report_line(const char *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(command, fmt, ap);
	va_end(ap);
}

void
report_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(name, fmt, ap);
	va_end(ap);
}

void
report_note(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	say(name, fmt, ap);
	va_end(ap);
}

enum exit_status
report_status(enum sblog_code code)
{
	switch (code) {
	case SBLOG_OK:
	case SBLOG_END:
	case SBLOG_REPLAYED:
	case SBLOG_GAP:
		return EXIT_DONE;
	case SBLOG_EIO:
	case SBLOG_ENOMEM:
	case SBLOG_ETOOBIG:
		return EXIT_FAILED;
	case SBLOG_EINVAL:
	case SBLOG_EFORMAT:
		return EXIT_USAGE;
	case SBLOG_ENOENT:
		return EXIT_ABSENT;
	case SBLOG_ECOND:
		return EXIT_COND;
	case SBLOG_EBUSY:
		return EXIT_BUSY;
	case SBLOG_EDAMAGE:
		return EXIT_DAMAGE;
	case SBLOG_EUNKNOWN:
		return EXIT_UNKNOWN;
	}
	return EXIT_FAILED;
}

enum exit_status
report_err(const char *topic, const struct sblog_err *err)
{
	char where[400];
	size_t n = 0;

	where[0] = '\0';
	if (err->offset != SBLOG_NO_OFFSET && err->end != SBLOG_NO_OFFSET &&
	    err->end > err->offset + 1)
		n += (size_t)snprintf(where + n, sizeof(where) - n,
		    ", offsets %" PRIu64 "..%" PRIu64, err->offset,
		    err->end - 1);
	else if (err->offset != SBLOG_NO_OFFSET && err->code != SBLOG_ECOND)
		n += (size_t)snprintf(where + n, sizeof(where) - n,
		    ", offset %" PRIu64, err->offset);
	if (err->file[0] != '\0')
		n += (size_t)snprintf(where + n, sizeof(where) - n, ", file %s",
		    err->file);
	if (err->pos != UINT64_MAX)
		(void)snprintf(where + n, sizeof(where) - n, ", byte %" PRIu64,
		    err->pos);
	report_fail("%s%s%s%s%s%s", topic, topic[0] ? ": " : "", err->msg,
	    where[0] ? " (" : "", where[0] ? where + 2 : "",
	    where[0] ? ")" : "");
	return report_status(err->code);
}

enum exit_status
report_worse(enum exit_status a, enum exit_status b)
{
	/* From "nothing to say" to "do not trust it". */
	static const uint8_t order[] = {
		[EXIT_DONE] = 0,
		[EXIT_NOTICE] = 1,
		[EXIT_REGRESSION] = 2,
		[EXIT_ABSENT] = 3,
		[EXIT_COND] = 4,
		[EXIT_USAGE] = 5,
		[EXIT_BUSY] = 6,
		[EXIT_FAILED] = 7,
		[EXIT_DAMAGE] = 8,
		[EXIT_UNKNOWN] = 9,
		[EXIT_COMMAND] = 7,
		[EXIT_NOT_EXECUTABLE] = 7,
		[EXIT_NOT_FOUND] = 7,
	};

	if (a == EXIT_TIMEOUT || b == EXIT_TIMEOUT) {
		enum exit_status other = a == EXIT_TIMEOUT ? b : a;

		return other == EXIT_DONE ? EXIT_TIMEOUT : other;
	}
	return order[a] >= order[b] ? a : b;
}

/* As a program ends that never heard of SIGPIPE. */
static _Noreturn void
die_quietly(void)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)raise(SIGPIPE);
	_exit(128 + SIGPIPE);
}

int
report_finish_write(enum exit_status status, int error)
{
	report_progress_end();
	if (error == EPIPE)
		die_quietly();
	if (error != 0) {
		report_fail("cannot write to standard output: %s",
		    strerror(error));
		status = report_worse(status, EXIT_FAILED);
	}
	return (int)status;
}

int
report_finish(enum exit_status status)
{
	int error = 0;

	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout))
		error = errno ? errno : EIO;
	/* A file system may keep its complaint for the close. */
	if (fclose(stdout) != 0 && error == 0 && errno != EBADF)
		error = errno;
	return report_finish_write(status, error);
}

void
report_progress(void *arg, uint64_t done, uint64_t total)
{
	char size[16], rate[16];
	double t, spent;

	(void)arg;
	if (!progress.wanted)
		return;
	t = now();
	spent = t - progress.begun;
	if (spent < 0.5 || t - progress.last < 0.1)
		return;
	progress.last = t;
	progress.shown = true;
	human_format_size(done, size);
	human_format_size((uint64_t)((double)done / spent), rate);
	fprintf(stderr, "\r%s: %s, %s/s", name, size, rate);
	if (total > 0 && done > 0 && done <= total)
		fprintf(stderr, ", %d %%, %.0f s left",
		    (int)(100.0 * (double)done / (double)total),
		    spent * ((double)total / (double)done - 1));
	fprintf(stderr, "\033[K");
	(void)fflush(stderr);
}

void
report_step(uint64_t done, uint64_t total, double share, const char *what)
{
	double spent = now() - progress.begun;

	if (!progress.wanted || spent < 0.5)
		return;
	progress.shown = true;
	fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 ", %s", name, done + 1,
	    total, what);
	if (share > 0)
		fprintf(stderr, ", %.0f s left", spent * (1 / share - 1));
	fprintf(stderr, "\033[K");
	(void)fflush(stderr);
}

void
report_progress_end(void)
{
	if (!progress.shown)
		return;
	progress.shown = false;
	fprintf(stderr, "\r\033[K");
	(void)fflush(stderr);
}

static void
map_failed(int sig)
{
	static const char text[] =
	    ": a file became unreadable while it was read\n";

	(void)sig;
	if (write(2, name, strlen(name)) < 0 ||
	    write(2, text, sizeof(text) - 1) < 0)
		_exit(EXIT_DAMAGE);
	_exit(EXIT_DAMAGE);
}

void
report_guard_maps(void)
{
	(void)signal(SIGBUS, map_failed);
}

static void
page_failed(int sig)
{
	static const char text[] =
	    ": the state page cannot be written: I/O error\n";

	(void)sig;
	if (write(2, name, strlen(name)) < 0 ||
	    write(2, text, sizeof(text) - 1) < 0)
		_exit(EXIT_UNKNOWN);
	_exit(EXIT_UNKNOWN);
}

void
report_guard_page(void)
{
	(void)signal(SIGBUS, page_failed);
}
