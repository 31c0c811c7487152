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

enum { SB_GROUP_READ_SIZE = SB_SLOT_STRIDE + SB_SLOT_SIZE };

struct sb_group_file {
	int fd; /* -1: not open */
	bool writable;
	char name[SB_GROUP_NAME_SIZE]; /* below groups */
	uint64_t name_hash;
	uint8_t topic[SB_ID_SIZE];
	uint64_t checked_us; /* when it was last seen to be linked */
	unsigned reads;
	void *map; /* NULL: not mapped, or not yet */
};

#define SB_GROUP_FILE_INIT ((struct sb_group_file){ .fd = -1 })

/* What is read from one, and what it says. */
struct sb_group_state {
	struct sb_slots slots; /* borrows from bytes */
	uint8_t bytes[SB_GROUP_READ_SIZE];
	size_t len;
};

/* The name of a shard's file, and the other way: *shardsp is 0 where it is the
 * name of a group.  false: neither. */
void sb_group_shard_name(char out[static SB_GROUP_NAME_SIZE], const char *group,
    uint32_t shard, uint32_t shards);
bool sb_group_name_parse(const char *name,
    char group[static SBLOG_NAME_MAX + 1], uint32_t *shardp, uint32_t *shardsp);

/* The directory of a topic's groups; with create it is made, durably.
 * SBLOG_END: there is none. */
int sb_group_dir(int topicfd, bool create, int *fdp,
    struct sblog_err *err) SB_MUST_CHECK;

/* dirfd: of groups.  SBLOG_END: no such file. */
int sb_group_open(struct sb_group_file *f, int dirfd, const char *name,
    const uint8_t topic[static SB_ID_SIZE], bool write,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_group_close(struct sb_group_file *f);

enum sb_group_create {
	SB_GROUP_NEW,     /* SBLOG_ECOND: somebody else was faster */
	SB_GROUP_REPLACE, /* also what is there */
};

/* Create it durably, saying what first says (but for its seq), and open it.
 * SBLOG_EBUSY: too many do that at once. */
int sb_group_create(struct sb_group_file *f, int dirfd, const char *name,
    const uint8_t topic[static SB_ID_SIZE], const struct sb_slot *first,
    enum sb_group_create how, uint32_t timeout_ms,
    struct sblog_err *err) SB_MUST_CHECK;

/* Is the file still in the directory, and whole?  current: the same, but what
 * was seen a millisecond ago is good enough: sblog itself says in a file that
 * it is going to be removed. */
bool sb_group_linked(struct sb_group_file *f);
bool sb_group_current(struct sb_group_file *f);

/* What it says now.  Works without any lock: a slot that is just being written
 * is looked at again.  SBLOG_EDAMAGE and SBLOG_EFORMAT with file and byte. */
int sb_group_read(struct sb_group_file *f, struct sb_group_state *s,
    struct sblog_err *err) SB_MUST_CHECK;

/*
 * Write the next commit, s->seq says where, over was: what the file says, which
 * is put back where this fails.  The file is locked.  SBLOG_EUNKNOWN: it is
 * written, but could not be synced.
 */
int sb_group_write(struct sb_group_file *f, const struct sb_slot *s,
    const struct sb_group_state *was, bool sync,
    struct sblog_err *err) SB_MUST_CHECK;

#endif
