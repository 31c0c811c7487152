/*
 * group.c - consumer groups: what is committed, and whether it still fits.
 *
 * Whoever only asks takes no lock and writes nothing.  Files stay open with the
 * handle.
 */
#include "log/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/names.h"

enum { OPEN_MAX = 16, TRIES = 8 };

struct sb_groups {
	int dirfd; /* -1: not open */
	int watch; /* of it; -1: not open */
	struct sb_group_file files[OPEN_MAX];
	bool pinned[OPEN_MAX]; /* locked: must stay */
	size_t turn;           /* whose place is taken next */
	char *text;            /* names of groups, and pointers to them */
	char **names;
	size_t count;
};

static int
groups_of(struct sblog_topic *t, struct sb_groups **gp, struct sblog_err *err)
{
	if (t->groups == NULL) {
		struct sb_groups *g = calloc(1, sizeof(*g));

		if (g == NULL)
			return sb_err_nomem(err);
		g->dirfd = -1;
		g->watch = -1;
		for (size_t i = 0; i < OPEN_MAX; i++)
			g->files[i] = SB_GROUP_FILE_INIT;
		t->groups = g;
	}
	*gp = t->groups;
	return 0;
}

void
sb_groups_free(struct sb_groups *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < OPEN_MAX; i++)
		sb_group_close(&g->files[i]);
	(void)sb_sys_close(&g->dirfd); /* a directory: nothing unwritten */
	(void)sb_sys_close(&g->watch);
	free(g->names);
	free(g->text);
	free(g);
}

int
sb_groups_dir(struct sblog_topic *t, bool create, int *fdp,
    struct sblog_err *err)
{
	struct sb_groups *g;
	struct sb_stat st;
	int rc;

	if ((rc = groups_of(t, &g, err)) < 0)
		return rc;
	if (g->dirfd >= 0 &&
	    (create || sb_sys_fstat(g->dirfd, &st) < 0 || st.links == 0))
		(void)sb_sys_close(&g->dirfd);
	if (g->dirfd < 0 &&
	    (rc = sb_group_dir(t->dirfd, create, &g->dirfd, err)) != 0)
		return rc;
	*fdp = g->dirfd;
	return 0;
}

int
sb_groups_watch(struct sblog_topic *t)
{
	struct sblog_err ignored;
	int fd;

	if (sb_groups_dir(t, false, &fd, &ignored) != 0)
		return -1;
	/* It stays: to close one takes the kernel several milliseconds. */
	if (t->groups->watch < 0) {
		int rc = sb_sys_watch(fd);

		t->groups->watch = rc < 0 ? -1 : rc;
	}
	return t->groups->watch;
}

int
sb_group_file(struct sblog_topic *t, const char *name,
    struct sb_group_file **fp, struct sblog_err *err)
{
	uint64_t hash = sb_hash_key(name, strlen(name));
	struct sb_groups *g;
	int fd, rc;

	if ((rc = groups_of(t, &g, err)) < 0)
		return rc;
	for (size_t i = 0; i < OPEN_MAX; i++) {
		struct sb_group_file *f = &g->files[i];

		if (f->fd < 0 || f->name_hash != hash ||
		    strcmp(f->name, name) != 0)
			continue;
		*fp = f;
		if (sb_group_current(f))
			return 0;
		sb_group_close(f);
		break;
	}
	if ((rc = sb_groups_dir(t, false, &fd, err)) != 0)
		return rc;
	do
		g->turn = (g->turn + 1) % OPEN_MAX;
	while (g->pinned[g->turn]);
	sb_group_close(&g->files[g->turn]);
	*fp = &g->files[g->turn];
	return sb_group_open(&g->files[g->turn], fd, name, t->manifest.topic,
	    t->mode != SBLOG_READ, err);
}

int
sb_group_load(struct sblog_topic *t, const char *name, uint64_t of_epoch,
    struct sb_group_file **fp, struct sb_group_state *s, struct sblog_err *err)
{
	const struct sb_slot *now = &s->slots.now;
	int rc = SBLOG_END;

	for (int tries = 0; tries < TRIES; tries++) {
		bool odd;

		if ((rc = sb_group_file(t, name, fp, err)) != 0)
			return rc;
		rc = sb_group_read(*fp, s, err);
		odd = rc < 0 || s->slots.damaged ||
		    (now->flags & SB_SLOT_REMOVED) != 0 ||
		    now->of_epoch != of_epoch;
		if (!odd || sb_group_linked(*fp))
			break;
		/* Another one may have its name by now. */
		sb_group_close(*fp);
		rc = SBLOG_END;
	}
	if (rc == 0 &&
	    ((now->flags & SB_SLOT_REMOVED) || now->of_epoch != of_epoch))
		return SBLOG_END;
	return rc;
}

void
sb_group_pin(struct sblog_topic *t, const struct sb_group_file *f, bool on)
{
	t->groups->pinned[f - t->groups->files] = on;
}

/* ---- asking ---- */

int
sb_group_bad_name(struct sblog_err *err)
{
	return sb_err_set(err, SBLOG_EINVAL, "", "bad group name");
}

int
sb_group_none(struct sblog_err *err)
{
	return sb_err_set(err, SBLOG_ENOENT, "", "no such group");
}

/* All but the name and what is damaged. */
static void
tell_slot(struct sblog_group *g, const struct sb_slot *s)
{
	g->committed = s->offset;
	g->chain = s->chain;
	g->time_us = s->time;
	g->seq = s->seq;
	g->epoch = s->epoch;
	g->undurable = (s->flags & SB_SLOT_UNDURABLE) != 0;
	g->no_chain = (s->flags & SB_SLOT_NO_CHAIN) != 0;
	g->note_len = s->note_len;
	if (s->note_len > 0)
		memcpy(g->note, s->note, s->note_len);
	g->note[s->note_len] = '\0';
}

static void
tell_damage(struct sblog_group *g, const char *file,
    const struct sb_group_state *s)
{
	if (!s->slots.damaged || g->one_slot_damaged)
		return;
	g->one_slot_damaged = 1;
	g->damaged_pos = s->slots.damaged_pos;
	memcpy(g->damaged_file, file, strlen(file) + 1);
}

/* What the file of a shard says; SBLOG_END: nothing that counts, the shard is
 * where the group was when it was divided. */
static int
shard_state(struct sblog_topic *t, const char *name, const struct sb_slot *of,
    uint32_t i, char file[static SB_GROUP_NAME_SIZE], struct sb_group_state *s,
    struct sblog_err *err)
{
	struct sb_group_file *f;

	sb_group_shard_name(file, name, i, of->shards);
	return sb_group_load(t, file, of->epoch, &f, s, err);
}

void
sb_group_tell_one(const char *name, const char *file,
    const struct sb_group_state *s, struct sblog_group *g)
{
	const struct sb_slot *now = &s->slots.now;

	memcpy(g->name, name, strlen(name) + 1);
	g->shards = now->shards;
	g->parked = (now->flags & SB_SLOT_PARKED) != 0;
	g->one_slot_damaged = 0;
	g->damaged_pos = 0;
	g->damaged_file[0] = '\0';
	tell_slot(g, now);
	tell_damage(g, file, s);
}

int
sb_group_tell(struct sblog_topic *t, const char *name,
    const struct sb_group_state *s, struct sblog_group *g,
    struct sblog_err *err)
{
	const struct sb_slot *of = &s->slots.now;
	char file[SB_GROUP_NAME_SIZE];
	struct sb_group_state shard;
	int64_t latest = of->time;
	int rc;

	sb_group_tell_one(name, name, s, g);
	for (uint32_t i = 0; i < of->shards; i++) {
		const struct sb_slot *slot = of;

		rc = shard_state(t, name, of, i, file, &shard, err);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			slot = &shard.slots.now;
			tell_damage(g, file, &shard);
		}
		if (slot->time > latest)
			latest = slot->time;
		if (i == 0 || slot->offset < g->committed)
			tell_slot(g, slot);
	}
	g->time_us = latest;
	return 0;
}

/* What the group's own file says.  SBLOG_ENOENT: there is none. */
static int
group_state(struct sblog_topic *t, const char *name, struct sb_group_state *s,
    struct sblog_err *err)
{
	struct sb_group_file *f;
	int rc;

	if (!sblog_group_name_ok(name))
		return sb_group_bad_name(err);
	rc = sb_group_load(t, name, 0, &f, s, err);
	return rc == SBLOG_END ? sb_group_none(err) : rc;
}

int
sblog_group_get(struct sblog_topic *t, const char *name,
    struct sblog_group *group, struct sblog_err *err)
{
	struct sb_group_state s;
	int rc;

	for (int tries = 0; tries < TRIES; tries++) {
		uint64_t epoch;

		if ((rc = group_state(t, name, &s, err)) < 0 ||
		    (rc = sb_group_tell(t, name, &s, group, err)) < 0)
			return rc;
		if (s.slots.now.shards == 0)
			return 0;
		/* Divided anew meanwhile: then shards of two divisions may
		 * have been mixed up. */
		epoch = s.slots.now.epoch;
		if ((rc = group_state(t, name, &s, err)) < 0)
			return rc;
		if (s.slots.now.epoch == epoch)
			return 0;
	}
	return sb_err_set(err, SBLOG_EBUSY, "",
	    "the group is divided again and again");
}

int
sblog_group_shard(struct sblog_topic *t, const char *name, uint32_t i,
    struct sblog_group *g, struct sblog_err *err)
{
	char file[SB_GROUP_NAME_SIZE];
	struct sb_group_state s, shard;
	int rc;

	if ((rc = group_state(t, name, &s, err)) < 0)
		return rc;
	if (i >= s.slots.now.shards)
		return sb_err_set(err, SBLOG_ENOENT, "", "no such shard");
	rc = shard_state(t, name, &s.slots.now, i, file, &shard, err);
	if (rc < 0)
		return rc;
	sb_group_tell_one(name, rc == 0 ? file : name, rc == 0 ? &shard : &s,
	    g);
	g->shards = s.slots.now.shards;
	g->parked = (s.slots.now.flags & SB_SLOT_PARKED) != 0;
	if (rc == SBLOG_END)
		g->epoch = 0;
	return 0;
}

/* ---- all of them ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
list(struct sblog_topic *t, struct sb_groups *g, struct sblog_err *err)
{
	char group[SBLOG_NAME_MAX + 1];
	uint32_t shard, shards;
	size_t len = 0, n = 0;
	int fd, rc;

	free(g->names);
	free(g->text);
	g->names = NULL;
	g->text = NULL;
	g->count = 0;
	if ((rc = sb_groups_dir(t, false, &fd, err)) != 0)
		return rc == SBLOG_END ? 0 : rc;
	if ((rc = sb_sys_list(fd, &g->text, &len)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot list directory");
	for (size_t i = 0; i < len; i++)
		n += g->text[i] == '\0';
	if ((g->names = malloc((n + 1) * sizeof(*g->names))) == NULL)
		return sb_err_nomem(err);
	for (char *at = g->text; at < g->text + len; at += strlen(at) + 1)
		if (sb_group_name_parse(at, group, &shard, &shards) &&
		    shards == 0)
			g->names[g->count++] = at;
	qsort(g->names, g->count, sizeof(*g->names), by_name);
	return 0;
}

int
sblog_group_at(struct sblog_topic *t, size_t i, struct sblog_group *group,
    struct sblog_err *err)
{
	struct sb_groups *g;
	int rc;

	if ((rc = groups_of(t, &g, err)) < 0 ||
	    (i == 0 && (rc = list(t, g, err)) < 0))
		return rc;
	while (i < g->count) {
		memcpy(group->name, g->names[i], strlen(g->names[i]) + 1);
		rc = sblog_group_get(t, g->names[i], group, err);
		if (rc != SBLOG_ENOENT)
			return rc;
		/* Removed since the names were read. */
		memmove(g->names + i, g->names + i + 1,
		    (--g->count - i) * sizeof(*g->names));
	}
	return SBLOG_END;
}

/* ---- does it still fit? ---- */

static int
diverged(const struct sblog_group *g, struct sblog_err *err)
{
	return sb_err_damage(err, "", UINT64_MAX, g->committed, SBLOG_NO_OFFSET,
	    "log diverged: what group %s has read before this offset is not "
	    "what is there now",
	    g->name);
}

int
sblog_group_check(struct sblog_topic *t, const struct sblog_group *g,
    struct sblog_err *err)
{
	struct sb_published p;
	uint64_t chain;
	int rc;

	if ((rc = sb_topic_peek(t, &p, err)) < 0)
		return rc;
	if (g->committed > p.end)
		return diverged(g, err);
	if (g->committed < t->manifest.start || g->no_chain)
		return 0;
	rc = sblog_chain_at(t, g->committed, &chain, err);
	if (rc == SBLOG_ENOENT || rc == SBLOG_END)
		return 0;
	if (rc < 0)
		return rc;
	return chain == g->chain ? 0 : diverged(g, err);
}

uint32_t
sblog_shard_of(const struct sblog_record *rec, uint32_t shards)
{
	if (shards < 2)
		return 0;
	if (rec->key.data == NULL)
		return (uint32_t)(rec->offset / SBLOG_SHARD_RUN % shards);
	return (uint32_t)(sb_hash_key(rec->key.data, rec->key.len) % shards);
}
