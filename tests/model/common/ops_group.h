/*
 * ops_group.h - consumers that count in the committed offset of a group.
 */
#ifndef TESTS_MODEL_OPS_GROUP_H
#define TESTS_MODEL_OPS_GROUP_H

#include <sblog.h>

void do_commit(void);
void do_commit_none(void);
void do_lease(void);
void do_group_remove(void);

/* After everybody has come to an end. */
void group_final(struct sblog_topic *t);

#endif
