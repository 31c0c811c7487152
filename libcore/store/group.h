/*
 * group.h - files of consumer groups: open, read, write one slot, lock.
 *
 * TOPIC/groups/NAME is the file of a group, TOPIC/groups/NAME@I-of-N that of
 * its shard I of N, which is also the lock of whoever consumes it.  No name of
 * a group has an "@".
 */
#ifndef SB_STORE_GROUP_H
#define SB_STORE_GROUP_H

#include "base/check.h"
#include "codec/group.h"
#include "sblog.h"

enum { SB_GROUP_NAME_SIZE = SBLOG_NAME_MAX + 32 };

struct sb_group_file {
	int fd; /* -1: not open */
	bool writable;
	char name[SB_GROUP_NAME_SIZE]; /* below groups */
	uint64_t name_hash;
	uint8_t topic[SB_ID_SIZE];
	uint8_t bytes[SB_SLOT_STRIDE + SB_SLOT_SIZE]; /* as read last */
};

/* The name of a shard's file, and the other way. */
void sb_group_shard_name(char out[static SB_GROUP_NAME_SIZE], const char *group,
    uint32_t shard, uint32_t shards);
bool sb_group_name_parse(const char *name,
    char group[static SB_GROUP_NAME_SIZE], uint32_t *shardp,
    uint32_t *shardsp); /* *shardsp 0: of the group itself */

/* dirfd: of groups.  SBLOG_ENOENT: no such file; err is left alone then. */
int sb_group_open(struct sb_group_file *f, int dirfd, const char *name,
    const uint8_t topic[static SB_ID_SIZE], bool write,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_group_close(struct sb_group_file *f);

/* Create it durably with this first commit, open and not locked.
 * SBLOG_ECOND: somebody else did. */
int sb_group_create(struct sb_group_file *f, int dirfd, const char *name,
    const uint8_t topic[static SB_ID_SIZE], const struct sb_slot *first,
    struct sblog_err *err) SB_MUST_CHECK;

/* Is the file still in the directory? */
bool sb_group_linked(const struct sb_group_file *f);

/* What it says now; slots borrow from f until the next read.  Without any lock:
 * a slot that is just being written is looked at again. */
int sb_group_read(struct sb_group_file *f, struct sb_slots *slots,
    struct sblog_err *err) SB_MUST_CHECK;

/* Write the next commit; s->seq says where.  The file is locked. */
int sb_group_write(struct sb_group_file *f, const struct sb_slot *s, bool sync,
    struct sblog_err *err) SB_MUST_CHECK;

#endif
