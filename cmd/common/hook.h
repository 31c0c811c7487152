/*
 * hook.h - run the command of hook.seal for each segment that was made.
 */
#ifndef CMD_HOOK_H
#define CMD_HOOK_H

#include <sblog.h>

#include "common/report.h"

/*
 * For each segment of the offsets that were sealed: sh -c command, with
 * SBLOG_TOPIC, SBLOG_SEGMENT (its path), SBLOG_OFFSET and SBLOG_END set and its
 * standard output on standard error.  A command that fails is reported and is
 * EXIT_NOTICE: what was sealed stays sealed.  command "": nothing is done.
 */
enum exit_status hook_run(const char *command, const char *store_dir,
    struct sblog_topic *topic, const struct sblog_sealed *sealed);

#endif
