/*
 * sblog.c - the front: find a command and run it.
 *
 * append and read, which pipelines start by the thousand, are linked in; every
 * other command is executed from beside this program.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sblog.h>

#include "common/report.h"

int sblog_append_main(int argc, char **argv);
int sblog_read_main(int argc, char **argv);

enum { ARGS_MAX = 16 }; /* words that an alias or the front adds */

static const struct {
	const char *name, *purpose;
} commands[] = {
	{ "append", "standard input or files to records of a topic" },
	{ "bench", "measure, compare and report" },
	{ "cat", "the same as read" },
	{ "compact", "apply the cleanup policy: the line for cron" },
	{ "config", "show and change settings" },
	{ "create", "create a topic" },
	{ "group", "consumer groups: what they committed" },
	{ "help", "this list, or the help of a command" },
	{ "index", "build or check the indexes of topics" },
	{ "ls", "list topics" },
	{ "read", "records of topics to standard output" },
	{ "rm", "remove topics" },
	{ "seal", "close the write-ahead log and compress it" },
	{ "stat", "show how topics stand" },
	{ "tail", "the last records; read -o -10" },
	{ "torture", "see whether a disk keeps what is promised" },
	{ "trim", "remove the oldest records" },
	{ "verify", "check everything that is stored" },
	{ "wait", "wait for the next record; read -F -c 1 without output" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static int
usage(void)
{
	printf("usage: sblog [-C DIR] [-q|-v] COMMAND [OPTION...] [TOPIC...]\n"
	       "The log that needs no server: topics of records in a "
	       "directory.\n\ncommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].purpose);
	printf("\nsblog COMMAND --help says more; manual: man sblog\n");
	return report_finish(EXIT_DONE);
}

/* Number of letters to change, add or leave out to make one of the other
 * (Levenshtein), for words shorter than 16. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[17], n = strlen(b);

	if (strlen(a) > 15 || n > 15)
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static int
unknown(const char *name)
{
	size_t best = 3;
	const char *near = NULL;

	for (size_t i = 0; i < COMMANDS; i++) {
		size_t d = distance(name, commands[i].name);

		if (d < best) {
			best = d;
			near = commands[i].name;
		}
	}
	if (near != NULL)
		report_line("sblog", "%s: no such command; did you mean %s?",
		    name, near);
	else
		report_line("sblog", "%s: no such command (try sblog help)",
		    name);
	return EXIT_USAGE;
}

/* Execute sblog-NAME from beside this program, or from where it is installed. */
static int
execute(const char *name, char **argv)
{
	char path[PATH_MAX], self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
		if (snprintf(path, sizeof(path), "%s/sblog-%s", self, name) <
		    (int)sizeof(path))
			(void)execv(path, argv);
	}
	(void)snprintf(path, sizeof(path), SBLOG_LIBEXECDIR "/sblog-%s", name);
	(void)execv(path, argv);
	if (errno == ENOENT)
		return unknown(name);
	report_line("sblog", "cannot run %s: %s", path, strerror(errno));
	return EXIT_FAILED;
}

/* What a word on the command line runs. */
struct run {
	const char *command;
	const char *extra[4]; /* put before the user's words */
};

/* "tail -n N" is "read -o -N": the value is taken out of argv. */
static const char *
tail_position(int *argcp, char **argv, char buf[32])
{
	const char *count = "10";
	int to = 1;

	for (int i = 1; i < *argcp; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (i < *argcp)
				argv[to++] = argv[i++];
			break;
		}
		if (strcmp(argv[i], "-n") == 0 && i + 1 < *argcp)
			count = argv[++i];
		else if (strncmp(argv[i], "-n", 2) == 0 && argv[i][2] != '\0')
			count = argv[i] + 2;
		else if (strncmp(argv[i], "--lines=", 8) == 0)
			count = argv[i] + 8;
		else
			argv[to++] = argv[i];
	}
	*argcp = to;
	argv[to] = NULL;
	(void)snprintf(buf, 32, "-%.28s", count);
	return buf;
}

static struct run
resolve(int *argcp, char **argv, char buf[32])
{
	const char *name = argv[0];

	if (strcmp(name, "cat") == 0)
		return (struct run){ .command = "read" };
	if (strcmp(name, "wait") == 0)
		return (struct run){ .command = "read",
			.extra = { "-F", "-c1", "-oend", "--silent" } };
	if (strcmp(name, "tail") == 0)
		return (struct run){ .command = "read",
			.extra = { "-o", tail_position(argcp, argv, buf) } };
	return (struct run){ .command = name };
}

/* argv[0] is the command's name; front options go before its own words. */
static int
run_command(int argc, char **argv, char **front, int front_count)
{
	char buf[32], title[64];
	struct run run = resolve(&argc, argv, buf);
	char **words;
	int n = 0, status;

	words = calloc((size_t)argc + ARGS_MAX + (size_t)front_count,
	    sizeof(*words));
	if (words == NULL) {
		report_line("sblog", "out of memory");
		return EXIT_FAILED;
	}
	(void)snprintf(title, sizeof(title), "sblog-%.40s", run.command);
	words[n++] = title;
	for (int i = 0; i < front_count; i++)
		words[n++] = front[i];
	for (int i = 0; i < 4 && run.extra[i] != NULL; i++)
		words[n++] = (char *)(uintptr_t)run.extra[i];
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	if (strcmp(run.command, "append") == 0)
		status = sblog_append_main(n, words);
	else if (strcmp(run.command, "read") == 0)
		status = sblog_read_main(n, words);
	else if (strchr(run.command, '/') != NULL)
		status = unknown(run.command);
	else
		status = execute(run.command, words);
	free(words);
	return status;
}

static int
help(int argc, char **argv)
{
	char *words[3] = { NULL };
	char option[] = "--help";

	if (argc < 2)
		return usage();
	words[0] = argv[1];
	words[1] = option;
	return run_command(2, words, NULL, 0);
}

int
main(int argc, char **argv)
{
	int i = 1;

	/* Options before the command: -C DIR, -CDIR, --store=DIR, -q, -v. */
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return usage();
		if (strcmp(argv[i], "--version") == 0) {
			printf("sblog %s\n", SBLOG_VERSION);
			return report_finish(EXIT_DONE);
		}
		if (strcmp(argv[i], "-C") == 0 ||
		    strcmp(argv[i], "--store") == 0) {
			if (++i == argc) {
				report_line("sblog", "option %s needs a value",
				    argv[i - 1]);
				return EXIT_USAGE;
			}
		} else if (strncmp(argv[i], "-C", 2) != 0 &&
		    strncmp(argv[i], "--store=", 8) != 0 &&
		    strcmp(argv[i], "-q") != 0 && strcmp(argv[i], "-v") != 0 &&
		    strcmp(argv[i], "--quiet") != 0 &&
		    strcmp(argv[i], "--verbose") != 0) {
			report_line("sblog", "unknown option %s (try --help)",
			    argv[i]);
			return EXIT_USAGE;
		}
	}
	if (i >= argc) {
		report_line("sblog", "no command given (try --help)");
		return EXIT_USAGE;
	}
	if (strcmp(argv[i], "help") == 0)
		return help(argc - i, argv + i);
	return run_command(argc - i, argv + i, argv + 1, i - 1);
}
