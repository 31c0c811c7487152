/*
 * cli.c - parse a command line by its table.
 */
#include "common/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/human.h"
#include "common/report.h"

enum {
	OPTS_MAX = 64,
	LONG_BASE = 256, /* getopt value of the first option in the table */
};

static const char *const when_words[] = { "auto", "always", "never", NULL };

static unsigned closed_at_start;

bool
cli_was_closed(int fd)
{
	return (closed_at_start >> fd & 1) != 0;
}

/* Data must never go to a descriptor that a message is meant for. */
static void
guard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		closed_at_start |= 1u << fd;
		/* The lowest free number is fd.  Standard input that cannot be
		 * read and output that cannot be written stay errors. */
		if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			_exit(EXIT_FAILED);
	}
}

void
cli_misuse(const struct cli *cli, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_line(cli->command, "%s", text);
	exit(EXIT_USAGE);
}

/* The options every command has. */
static size_t
common_opts(struct cli *cli, struct cli_opt out[static 12], uint64_t *lock_us,
    bool *help, bool *version, bool *help_json)
{
	const struct cli_opt list[] = {
		{ 'C', "store", CLI_STRING, &cli->store_dir, "DIR",
		    "the store (default $SBLOG_DIR)", NULL, NULL },
		{ 'q', "quiet", CLI_FLAG, &cli->quiet, NULL,
		    "say only what failed", NULL, NULL },
		{ 'v', "verbose", CLI_COUNT, &cli->verbose, NULL, "say more",
		    NULL, NULL },
		{ 0, "color", CLI_CHOICE, &cli->color, "WHEN",
		    "colour: auto, always or never", when_words, NULL },
		{ 0, "progress", CLI_CHOICE, &cli->progress, "WHEN",
		    "progress on stderr: auto, always or never", when_words,
		    NULL },
		{ 0, "lock-timeout", CLI_DURATION, lock_us, "DUR",
		    "wait so long for a lock (default 10s, 0: not at all)",
		    NULL, NULL },
		{ 'h', "help", CLI_FLAG, help, NULL, "show this and exit", NULL,
		    NULL },
		{ 0, "help-json", CLI_FLAG, help_json, NULL,
		    "the same for programs", NULL, NULL },
		{ 0, "version", CLI_FLAG, version, NULL,
		    "show the version and exit", NULL, NULL },
	};

	memcpy(out, list, sizeof(list));
	return sizeof(list) / sizeof(list[0]);
}

static void
add_item(struct cli_list *list, const char *item)
{
	const char **grown =
	    realloc(list->items, (list->count + 1) * sizeof(*grown));

	if (grown == NULL) {
		report_line("sblog", "out of memory");
		exit(EXIT_FAILED);
	}
	list->items = grown;
	grown[list->count++] = item;
}

static bool
choose(const struct cli_opt *o, const char *arg)
{
	for (int i = 0; o->words[i] != NULL; i++) {
		if (strcmp(o->words[i], arg) == 0) {
			*(int *)o->value = i;
			return true;
		}
	}
	return false;
}

static bool
take(const struct cli_opt *o, const char *arg)
{
	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)o->value = true;
		return true;
	case CLI_COUNT:
		++*(unsigned *)o->value;
		return true;
	case CLI_NUMBER:
		return human_number(arg, o->value);
	case CLI_STRING:
		*(const char **)o->value = arg;
		return true;
	case CLI_OPTIONAL:
		*(const char **)o->value = arg ? arg : "";
		return true;
	case CLI_LIST:
		add_item(o->value, arg);
		return true;
	case CLI_SIZE:
		return human_size(arg, o->value);
	case CLI_DURATION:
		return human_duration(arg, o->value);
	case CLI_TIME:
		return human_time(arg, o->value);
	case CLI_POSITION:
		return position_parse(arg, o->value);
	case CLI_CHOICE:
		return choose(o, arg);
	}
	return false;
}

static const char *
noun(enum cli_kind kind)
{
	switch (kind) {
	case CLI_NUMBER:
		return "number";
	case CLI_SIZE:
		return "size";
	case CLI_DURATION:
		return "duration";
	case CLI_TIME:
		return "time";
	case CLI_POSITION:
		return "position";
	case CLI_FLAG:
	case CLI_COUNT:
	case CLI_STRING:
	case CLI_OPTIONAL:
	case CLI_LIST:
	case CLI_CHOICE:
		break;
	}
	return "value";
}

static void
print_opt(const struct cli_opt *o)
{
	char left[64];
	int n = 0;

	if (o->letter)
		n = snprintf(left, sizeof(left), "  -%c, --%s", o->letter,
		    o->name);
	else
		n = snprintf(left, sizeof(left), "      --%s", o->name);
	if (o->arg != NULL)
		(void)snprintf(left + n, sizeof(left) - (size_t)n,
		    o->kind == CLI_OPTIONAL ? "[=%s]" : " %s", o->arg);
	printf("%-30s %s\n", left, o->help);
}

static _Noreturn void
print_help(const struct cli *cli, const struct cli_opt *all, size_t own,
    size_t n)
{
	for (int i = 0; cli->synopsis[i] != NULL; i++)
		printf("%s %s\n", i == 0 ? "usage:" : "      ",
		    cli->synopsis[i]);
	printf("%s\n", cli->purpose);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 && own > 0)
			printf("\noptions:\n");
		if (i == own)
			printf("\nas every command:\n");
		print_opt(&all[i]);
	}
	printf("\nmanual: man %s\n", cli->command);
	exit(report_finish(EXIT_DONE));
}

static void
print_json_text(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
	putchar('"');
}

static _Noreturn void
print_help_json(const struct cli *cli, const struct cli_opt *all, size_t n)
{
	static const char *const kinds[] = { "flag", "count", "number",
		"string", "optional", "list", "size", "duration", "time",
		"position", "choice" };

	printf("{\"command\":\"%s\",\"synopsis\":[", cli->command);
	for (int i = 0; cli->synopsis[i] != NULL; i++) {
		printf(i ? "," : "");
		print_json_text(cli->synopsis[i]);
	}
	printf("],\"options\":[");
	for (size_t i = 0; i < n; i++) {
		printf("%s{\"short\":", i ? ",\n" : "\n");
		if (all[i].letter)
			printf("\"%c\"", all[i].letter);
		else
			printf("null");
		printf(",\"long\":\"%s\",\"arg\":", all[i].name);
		if (all[i].arg)
			print_json_text(all[i].arg);
		else
			printf("null");
		printf(",\"kind\":\"%s\",\"words\":[", kinds[all[i].kind]);
		for (int w = 0; all[i].words && all[i].words[w]; w++)
			printf("%s\"%s\"", w ? "," : "", all[i].words[w]);
		printf("],\"help\":");
		print_json_text(all[i].help);
		printf("}");
	}
	printf("]}\n");
	exit(report_finish(EXIT_DONE));
}

/* getopt's tables from ours. */
static void
make_tables(const struct cli_opt *all, size_t n, struct option *longs,
    char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < n; i++) {
		int has = all[i].kind == CLI_FLAG || all[i].kind == CLI_COUNT
		    ? no_argument
		    : all[i].kind == CLI_OPTIONAL ? optional_argument
						  : required_argument;

		longs[i] = (struct option){ all[i].name, has, NULL,
			LONG_BASE + (int)i };
		if (all[i].letter == 0)
			continue;
		*shorts++ = all[i].letter;
		for (int colons = has; colons > 0; colons--)
			*shorts++ = ':';
	}
	longs[n] = (struct option){ NULL, 0, NULL, 0 };
	*shorts = '\0';
}

static const struct cli_opt *
find(const struct cli_opt *all, size_t n, int c)
{
	if (c >= LONG_BASE)
		return &all[c - LONG_BASE];
	for (size_t i = 0; i < n; i++)
		if (all[i].letter == c)
			return &all[i];
	return NULL;
}

/* The word of the option that getopt_long has just taken. */
static const char *
typed(char **argv)
{
	return argv[optind -
	    (optarg != NULL && optarg == argv[optind - 1] ? 2 : 1)];
}

/* getopt_long takes beginnings of names; a script must not depend on that. */
static bool
exact(const struct cli_opt *o, char **argv)
{
	const char *word = typed(argv) + 2;

	return strcspn(word, "=") == strlen(o->name) &&
	    strncmp(word, o->name, strlen(o->name)) == 0;
}

static void
parse(struct cli *cli, const struct cli_opt *all, size_t n, int argc,
    char **argv)
{
	struct option longs[OPTS_MAX + 1];
	char shorts[3 * OPTS_MAX];
	int c;

	make_tables(all, n, longs, shorts);
	opterr = 0;
	optind = 0; /* start anew: the front has looked at argv before */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct cli_opt *o;
		const char *word = argv[optind - 1];

		if (c == ':')
			cli_misuse(cli, "option %s needs a value", word);
		if (c == '?' && optopt >= LONG_BASE)
			cli_misuse(cli, "option %s takes no value", word);
		if (c == '?' && optopt != 0)
			cli_misuse(cli, "unknown option -%c (try --help)",
			    optopt);
		if (c == '?')
			cli_misuse(cli, "unknown option %s (try --help)", word);
		o = find(all, n, c);
		if (c >= LONG_BASE && !exact(o, argv))
			cli_misuse(cli, "unknown option %s (try --help)",
			    typed(argv));
		if (!take(o, optarg))
			cli_misuse(cli, "--%s: bad %s \"%s\"", o->name,
			    noun(o->kind), optarg);
		if (o->given != NULL)
			*o->given = true;
	}
}

/* -C, else $SBLOG_DIR, else below $XDG_DATA_HOME or $HOME. */
static void
find_store(struct cli *cli)
{
	const char *env;
	int n = -1;

	if (cli->store_dir == NULL && (env = getenv("SBLOG_DIR")) && *env)
		cli->store_dir = env;
	if (cli->store_dir != NULL) {
		if (*cli->store_dir == '\0')
			cli_misuse(cli, "the name of the store is empty");
		return;
	}
	if ((env = getenv("XDG_DATA_HOME")) && *env)
		n = snprintf(cli->dir_buf, sizeof(cli->dir_buf), "%s/sblog",
		    env);
	else if ((env = getenv("HOME")) && *env)
		n = snprintf(cli->dir_buf, sizeof(cli->dir_buf),
		    "%s/.local/share/sblog", env);
	if (n < 0 || (size_t)n >= sizeof(cli->dir_buf))
		cli_misuse(cli, "no store: neither -C nor SBLOG_DIR nor HOME");
	cli->store_dir = cli->dir_buf;
}

void
cli_parse(struct cli *cli, int argc, char **argv)
{
	bool help = false, version = false, help_json = false;
	uint64_t lock_us = 10000000;
	struct cli_opt all[OPTS_MAX];
	size_t own = 0, n;

	guard_descriptors();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	while (cli->opts[own].name != NULL) {
		all[own] = cli->opts[own];
		own++;
	}
	n = own +
	    common_opts(cli, all + own, &lock_us, &help, &version, &help_json);
	report_init(cli->command);
	parse(cli, all, n, argc, argv);
	if (help)
		print_help(cli, all, own, n);
	if (help_json)
		print_help_json(cli, all, n);
	if (version) {
		printf("%s %s\n", cli->command, SBLOG_VERSION);
		exit(report_finish(EXIT_DONE));
	}
	cli->operands = argv + optind;
	cli->operand_count = argc - optind;
	cli->lock_timeout_ms = lock_us / 1000 >= UINT32_MAX
	    ? UINT32_MAX - 1
	    : (uint32_t)(lock_us / 1000);
	find_store(cli);
	report_setup(cli->quiet, cli->progress);
}

int
cli_open_store(const struct cli *cli, enum sblog_mode mode,
    struct sblog_store **storep)
{
	const struct sblog_store_opts opts = {
		.mode = mode,
		.lock_timeout_ms = cli->lock_timeout_ms,
	};
	struct sblog_err err;

	if (sblog_store_open(storep, cli->store_dir, &opts, &err) < 0)
		return (int)report_err(cli->store_dir, &err);
	return EXIT_DONE;
}
