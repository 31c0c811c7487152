/*
 * hook.c - run the command of hook.seal for each segment that was made.
 */
#include "common/hook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
in_child(const char *command, const char *path, const char *topic,
    const struct sblog_file *f)
{
	char number[24];

	(void)setenv("SBLOG_TOPIC", topic, 1);
	(void)setenv("SBLOG_SEGMENT", path, 1);
	(void)snprintf(number, sizeof(number), "%" PRIu64, f->first);
	(void)setenv("SBLOG_OFFSET", number, 1);
	(void)snprintf(number, sizeof(number), "%" PRIu64, f->next);
	(void)setenv("SBLOG_END", number, 1);
	if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static bool
run_one(const char *command, const char *store_dir, const char *topic,
    const struct sblog_file *f)
{
	char path[4096 + 300];
	int status = 0;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", store_dir, topic,
	    f->name);
	if ((pid = fork()) == 0)
		in_child(command, path, topic, f);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	report_fail("%s: hook.seal failed for %s", topic, f->name);
	return false;
}

enum exit_status
hook_run(const char *command, const char *store_dir, struct sblog_topic *topic,
    const struct sblog_sealed *sealed)
{
	enum exit_status status = EXIT_DONE;
	struct sblog_file f;
	struct sblog_err err;
	int rc;

	for (size_t i = 0; command[0] != '\0' &&
	     (rc = sblog_topic_file(topic, i, &f, &err)) == 0;
	     i++)
		if (f.kind == SBLOG_FILE_SEGMENT && f.first >= sealed->first &&
		    f.next <= sealed->next &&
		    !run_one(command, store_dir, sblog_topic_name(topic), &f))
			status = EXIT_NOTICE;
	return status;
}
