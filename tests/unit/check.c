/*
 * check.c - run test cases, each in a process and directory of its own.
 */
#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void
fail(const char *what, const char *file, int line)
{
	printf("# %s:%d: %s\n", file, line, what);
	(void)fflush(stdout);
	_exit(1);
}

void
check_true(int ok, const char *what, const char *file, int line)
{
	if (!ok)
		fail(what, file, line);
}

void
check_u64(uint64_t got, uint64_t want, const char *what, const char *file,
    int line)
{
	if (got == want)
		return;
	printf("# got %" PRIu64 " (0x%" PRIx64 "), want %" PRIu64 " (0x%" PRIx64
	       ")\n",
	    got, got, want, want);
	fail(what, file, line);
}

void
check_str(const char *got, const char *want, const char *what, const char *file,
    int line)
{
	if (got != NULL && strcmp(got, want) == 0)
		return;
	printf("# got \"%s\", want \"%s\"\n", got ? got : "(null)", want);
	fail(what, file, line);
}

void
check_bytes(const void *got, const void *want, size_t len, const char *what,
    const char *file, int line)
{
	const unsigned char *a = got, *b = want;

	for (size_t i = 0; i < len; i++) {
		if (a[i] == b[i])
			continue;
		printf("# byte %zu: got 0x%02x, want 0x%02x\n", i, a[i], b[i]);
		fail(what, file, line);
	}
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
run_case(const struct check_case *c)
{
	char dir[] = "/tmp/sblog-unit.XXXXXX";
	int status = -1;
	pid_t pid;

	if (mkdtemp(dir) == NULL)
		return -1;
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		if (chdir(dir) < 0)
			_exit(1);
		c->run();
		(void)fflush(stdout);
		_exit(0);
	}
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	return status;
}

int
check_main(int argc, char **argv, const struct check_case *cases, size_t n)
{
	size_t only = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	int failed = 0;

	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		int bad;

		if (only != 0 && only != i + 1)
			continue;
		bad = run_case(&cases[i]) != 0;
		printf("%s %zu %s\n", bad ? "not ok" : "ok", i + 1,
		    cases[i].name);
		failed |= bad;
	}
	return failed;
}
