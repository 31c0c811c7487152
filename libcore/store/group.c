/*
 * group.c - files of consumer groups: open, create, read, write one slot.
 *
 * A commit is one pwrite into the slot that the commit before it did not use,
 * so whatever becomes of it the one before is still there.  Files are never
 * renamed once they are made, and one that is gone is never believed: so two
 * processes that have the same file open and locked mean the same group.
 */
#include "store/group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

enum { LOOKS = 5, PAUSE_US = 50 };

/* A file that is read this often is mapped; one that was there this short a
 * time ago is. */
enum { MAP_AT = 3, RECENT_US = 1000 };

/* For errors: the path below the topic. */
static const char *
path_of(const struct sb_group_file *f, char out[static SB_GROUP_NAME_SIZE + 8])
{
	(void)snprintf(out, SB_GROUP_NAME_SIZE + 8, SB_NAME_GROUPS "/%s",
	    f->name);
	return out;
}

static int
fail(const struct sb_group_file *f, enum sblog_code code, int rc,
    const char *what, struct sblog_err *err)
{
	char path[SB_GROUP_NAME_SIZE + 8];

	return sb_err_sys(err, code, rc, path_of(f, path), what);
}

void
sb_group_shard_name(char out[static SB_GROUP_NAME_SIZE], const char *group,
    uint32_t shard, uint32_t shards)
{
	(void)snprintf(out, SB_GROUP_NAME_SIZE,
	    "%.200s@%" PRIu32 "-of-%" PRIu32, group, shard, shards);
}

/* "I-of-N", and nothing else that would mean the same. */
static bool
parse_shard(const char *text, uint32_t *shardp, uint32_t *shardsp)
{
	const char *of = strstr(text, "-of-");
	uint64_t shard, shards;
	char again[32];

	if (of == NULL || !sb_parse_u64(text, (size_t)(of - text), &shard) ||
	    !sb_parse_u64(of + 4, strlen(of + 4), &shards) ||
	    shards > SBLOG_SHARDS_MAX || shard >= shards)
		return false;
	(void)snprintf(again, sizeof(again), "%" PRIu64 "-of-%" PRIu64, shard,
	    shards);
	*shardp = (uint32_t)shard;
	*shardsp = (uint32_t)shards;
	return strcmp(again, text) == 0;
}

bool
sb_group_name_parse(const char *name, char group[static SBLOG_NAME_MAX + 1],
    uint32_t *shardp, uint32_t *shardsp)
{
	const char *mark = strchr(name, '@');
	size_t len = mark ? (size_t)(mark - name) : strlen(name);

	if (len > SBLOG_NAME_MAX)
		return false;
	memcpy(group, name, len);
	group[len] = '\0';
	*shardp = *shardsp = 0;
	return sblog_group_name_ok(group) &&
	    (mark == NULL || parse_shard(mark + 1, shardp, shardsp));
}

bool
sblog_group_name_ok(const char *name)
{
	return sblog_name_ok(name) && !sb_tmp_is_name(name);
}

int
sb_group_dir(int topicfd, bool create, int *fdp, struct sblog_err *err)
{
	int rc = sb_sys_opendir(topicfd, SB_NAME_GROUPS);

	if (rc == -ENOENT && create) {
		rc = sb_sys_mkdir(topicfd, SB_NAME_GROUPS);
		if (rc < 0 && rc != -EEXIST)
			return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
			    "cannot create directory");
		rc = sb_sys_opendir(topicfd, SB_NAME_GROUPS);
	}
	if (rc == -ENOENT)
		return SBLOG_END;
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot open directory");
	*fdp = rc;
	/* Also where another process made it: that one may not get so far. */
	if (create && (rc = sb_sys_fsync(topicfd)) < 0) {
		(void)sb_sys_close(fdp);
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot sync directory");
	}
	return 0;
}

static void
name_it(struct sb_group_file *f, const char *name,
    const uint8_t topic[static SB_ID_SIZE], bool write)
{
	*f = SB_GROUP_FILE_INIT;
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	f->name_hash = sb_hash_key(f->name, strlen(f->name));
	memcpy(f->topic, topic, SB_ID_SIZE);
	f->writable = write;
}

int
sb_group_open(struct sb_group_file *f, int dirfd, const char *name,
    const uint8_t topic[static SB_ID_SIZE], bool write, struct sblog_err *err)
{
	int rc;

	name_it(f, name, topic, write);
	rc = sb_sys_open(dirfd, name, write ? SB_OPEN_WRITE : SB_OPEN_READ);
	if (rc == -ENOENT)
		return SBLOG_END;
	if (rc < 0)
		return fail(f, SBLOG_EIO, rc, "cannot open", err);
	f->fd = rc;
	return 0;
}

static void
unmap(struct sb_group_file *f)
{
	if (f->map != NULL)
		sb_sys_unmap(f->map, SB_GROUP_FILE_SIZE);
	f->map = NULL;
	f->reads = 0;
}

void
sb_group_close(struct sb_group_file *f)
{
	unmap(f);
	(void)sb_sys_close(&f->fd); /* what was to be synced is */
}

/* Both slots say the same, so that a zero one is always damage. */
static int
write_new(struct sb_group_file *f, struct sb_tmp *tmp,
    const struct sb_slot *first, struct sblog_err *err)
{
	uint8_t bytes[SB_GROUP_FILE_SIZE] = { 0 };
	struct sb_slot s = *first;

	for (s.seq = 1; s.seq <= 2; s.seq++)
		(void)sb_slot_encode(&s, f->topic, f->name_hash,
		    bytes + sb_slot_pos(s.seq));
	return sb_tmp_write(tmp,
	    (struct sblog_bytes){ .data = bytes, .len = sizeof(bytes) }, 0,
	    err);
}

/* The directory is locked: so nobody needs to link and unlink a new file, and
 * the links of a file say whether it still has its name. */
static int
create_locked(struct sb_group_file *f, int dirfd, const struct sb_slot *first,
    enum sb_group_create how, struct sblog_err *err)
{
	struct sb_tmp tmp = SB_TMP_INIT;
	char path[SB_GROUP_NAME_SIZE + 8];
	struct sb_stat st;
	int rc;

	if (how == SB_GROUP_NEW && sb_sys_stat(dirfd, f->name, &st) == 0)
		return sb_err_set(err, SBLOG_ECOND, path_of(f, path),
		    "group exists");
	if ((rc = sb_tmp_create(&tmp, dirfd, f->name, err)) == 0 &&
	    (rc = write_new(f, &tmp, first, err)) == 0)
		rc = sb_tmp_commit_fd(&tmp, SB_TMP_REPLACE, &f->fd, err);
	if (rc < 0)
		(void)snprintf(err->file, sizeof(err->file), "%s",
		    path_of(f, path));
	sb_tmp_discard(&tmp);
	return rc;
}

int
sb_group_create(struct sb_group_file *f, int dirfd, const char *name,
    const uint8_t topic[static SB_ID_SIZE], const struct sb_slot *first,
    enum sb_group_create how, uint32_t timeout_ms, struct sblog_err *err)
{
	int rc;

	name_it(f, name, topic, true);
	rc = sb_sys_lock(dirfd, timeout_ms);
	if (rc == -EWOULDBLOCK)
		return sb_err_set(err, SBLOG_EBUSY, SB_NAME_GROUPS,
		    "another process holds the lock");
	if (rc < 0)
		return fail(f, SBLOG_EIO, rc, "cannot lock", err);
	rc = create_locked(f, dirfd, first, how, err);
	sb_sys_unlock(dirfd);
	return rc;
}

bool
sb_group_linked(struct sb_group_file *f)
{
	struct sb_stat st;

	if (f->fd < 0 || sb_sys_fstat(f->fd, &st) < 0 || st.links == 0)
		return false;
	/* No file of ours ever gets smaller, but who knows whose this is. */
	if (st.size < SB_GROUP_FILE_SIZE)
		unmap(f);
	f->checked_us = sb_sys_monotonic_us();
	return true;
}

bool
sb_group_current(struct sb_group_file *f)
{
	return f->fd >= 0 &&
	    (sb_sys_monotonic_us() - f->checked_us < RECENT_US ||
		sb_group_linked(f));
}

/* Reading through a mapping saves a system call. */
static void
map_it(struct sb_group_file *f)
{
	struct sb_stat st;

	if (sb_sys_fstat(f->fd, &st) < 0 || st.size < SB_GROUP_FILE_SIZE ||
	    sb_sys_map(f->fd, SB_GROUP_FILE_SIZE, false, &f->map) < 0)
		f->map = NULL;
}

static int64_t
get_bytes(struct sb_group_file *f, uint8_t *bytes)
{
	const uint8_t *map;

	if (f->map == NULL && ++f->reads == MAP_AT)
		map_it(f);
	if (f->map == NULL)
		return sb_sys_pread(f->fd, bytes, SB_GROUP_READ_SIZE, 0);
	map = f->map;
	memcpy(bytes, map, SB_SLOT_SIZE);
	memcpy(bytes + SB_SLOT_STRIDE, map + SB_SLOT_STRIDE, SB_SLOT_SIZE);
	return SB_GROUP_READ_SIZE;
}

int
sb_group_read(struct sb_group_file *f, struct sb_group_state *s,
    struct sblog_err *err)
{
	uint64_t pause = PAUSE_US;
	char path[SB_GROUP_NAME_SIZE + 8];
	int64_t n;
	int rc;

	for (int look = 1;; look++) {
		n = get_bytes(f, s->bytes);
		if (n < 0)
			return fail(f, SBLOG_EIO, (int)n, "cannot read", err);
		s->len = (size_t)n;
		rc = sb_slots_decode(&s->slots, f->topic, f->name_hash,
		    s->bytes, s->len);
		if ((rc == 0 && !s->slots.damaged) || look == LOOKS)
			break;
		sb_sys_sleep(pause);
		pause *= 4;
	}
	if (rc == SBLOG_EFORMAT)
		return sb_err_set(err, rc, path_of(f, path), "%s",
		    s->slots.why);
	if (rc < 0)
		return sb_err_damage(err, path_of(f, path),
		    s->slots.damaged_pos, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
		    "%s, and so is the other", s->slots.why);
	return 0;
}

/* Put back what was in the slot: so much for what a failed write has left. */
static void
put_back(struct sb_group_file *f, const struct sb_group_state *was,
    uint64_t pos)
{
	size_t len = was->len > pos ? was->len - (size_t)pos : 0;

	if (len > SB_SLOT_SIZE)
		len = SB_SLOT_SIZE;
	/* If this fails too, the other slot serves. */
	if (len > 0 && sb_sys_pwrite(f->fd, was->bytes + pos, len, pos) < 0)
		return;
}

int
sb_group_write(struct sb_group_file *f, const struct sb_slot *s,
    const struct sb_group_state *was, bool sync, struct sblog_err *err)
{
	uint64_t pos = sb_slot_pos(s->seq);
	uint8_t bytes[SB_SLOT_SIZE];
	size_t len = sb_slot_encode(s, f->topic, f->name_hash, bytes);
	int rc;

	if ((rc = sb_sys_pwrite(f->fd, bytes, len, pos)) < 0) {
		put_back(f, was, pos);
		return fail(f, SBLOG_EIO, rc, "cannot write", err);
	}
	/* What is in more than one sector may be written in part, and what was
	 * damaged may still be so on the device: then this slot must be there
	 * for sure before the other one is written to. */
	if ((sync || len > SB_SLOT_ATOMIC || was->slots.damaged) &&
	    (rc = sb_sys_fdatasync(f->fd)) < 0)
		return fail(f, SBLOG_EUNKNOWN, rc, "committed, but cannot sync",
		    err);
	return 0;
}
