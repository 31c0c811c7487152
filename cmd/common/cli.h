/*
 * cli.h - one description of a command line; parsing, --help, the completion
 * scripts and the manual check are all derived from it.
 */
#ifndef CMD_CLI_H
#define CMD_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sblog.h>

#include "common/position.h"

enum cli_kind {
	CLI_FLAG,     /* bool */
	CLI_COUNT,    /* unsigned, repeatable */
	CLI_NUMBER,   /* uint64_t */
	CLI_STRING,   /* const char *, borrowed from argv */
	CLI_OPTIONAL, /* const char *, "" where --NAME has no =VALUE */
	CLI_LIST,     /* struct cli_list, repeatable */
	CLI_SIZE,     /* uint64_t, bytes: 10, 64K, 1G */
	CLI_DURATION, /* uint64_t, microseconds: 90s, 2h, 7d */
	CLI_TIME,     /* int64_t, microseconds since 1970: sblog-position(7) */
	CLI_POSITION, /* struct position: sblog-position(7) */
	CLI_CHOICE,   /* int: index into words */
};

struct cli_list {
	const char **items; /* borrowed from argv */
	size_t count;
};

struct cli_opt {
	char letter;      /* 0: long only */
	const char *name; /* NULL ends the table */
	enum cli_kind kind;
	void *value;     /* keeps what it holds if the option is absent */
	const char *arg; /* placeholder in --help; NULL for flags */
	const char *help;
	const char *const *words; /* of CLI_CHOICE, NULL-terminated */
	bool *given;              /* NULL, or set when the option is there */
};

enum cli_when { CLI_AUTO, CLI_ALWAYS, CLI_NEVER };

struct cli {
	const char *command;         /* "sblog-seal" */
	const char *purpose;         /* one line, as in the manual's NAME */
	const char *const *synopsis; /* NULL-terminated */
	const struct cli_opt *opts;

	/* out */
	const char *store_dir; /* -C, $SBLOG_DIR or the default */
	char **operands;       /* what is left of argv */
	int operand_count;
	bool quiet;
	unsigned verbose;
	int color, progress; /* enum cli_when */
	uint32_t lock_timeout_ms;
	char dir_buf[4096];
};

/*
 * Parse argv, after seeing to it that descriptors 0 to 2 are open.  Does not
 * return for --help and --version (status 0) nor for a wrong command line (one
 * line on standard error, status 2).
 */
void cli_parse(struct cli *cli, int argc, char **argv);

/* Say what is wrong with the command line and exit 2. */
_Noreturn void cli_misuse(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Open the store of -C; on failure it is reported and the status returned. */
int cli_open_store(const struct cli *cli, enum sblog_mode mode,
    struct sblog_store **storep);

/* Was this standard descriptor closed when the command started? */
bool cli_was_closed(int fd);

#endif
