/*
 * verify.c - read everything and say what is wrong.
 *
 * The end is taken when the walk begins, so what others append meanwhile is no
 * alarm.  A file that is gone was sealed or compacted by somebody: then the
 * walk goes on at the same offset with the new manifest.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/le.h"
#include "base/num.h"
#include "log/verify.h"
#include "store/names.h"

static void
tell(struct sb_verify *j, const struct sblog_finding *f)
{
	if (f->damage)
		j->done->damages++;
	else
		j->done->notes++;
	if (j->opts->found != NULL)
		j->opts->found(j->opts->arg, f);
}

static void
tell_damage(struct sb_verify *j, const struct sb_source *s, uint64_t pos,
    uint64_t first, uint64_t next, const char *msg)
{
	const struct sblog_finding f = {
		.kind = "damage",
		.file = s->name,
		.pos = pos,
		.first = first,
		.next = next,
		.msg = msg,
		.damage = true,
	};

	tell(j, &f);
}

void
sb_verify_report(struct sb_verify *j, const struct sblog_finding *f)
{
	tell(j, f);
}

void
sb_verify_tell(struct sb_verify *j, const char *kind, const char *file,
    bool damage, const char *msg)
{
	const struct sblog_finding f = {
		.kind = kind,
		.file = file,
		.pos = UINT64_MAX,
		.first = SBLOG_NO_OFFSET,
		.next = SBLOG_NO_OFFSET,
		.msg = msg,
		.damage = damage,
	};

	tell(j, &f);
}

/* Report progress, and sleep where a rate is asked for. */
static void
pace(struct sb_verify *j, uint64_t bytes)
{
	uint64_t due, spent;

	j->done->bytes += bytes;
	if (j->opts->progress != NULL)
		j->opts->progress(j->opts->arg, j->done->bytes, j->total);
	if (j->opts->rate == 0)
		return;
	due = j->done->bytes / j->opts->rate * 1000000 +
	    j->done->bytes % j->opts->rate * 1000000 / j->opts->rate;
	spent = sb_sys_monotonic_us() - j->begun;
	if (due > spent)
		sb_sys_sleep(due - spent);
}

/* Bytes that must be zero: padding, and the tail of a WAL's head page. */
static int
check_zeros(struct sb_verify *j, struct sb_source *s, uint64_t pos,
    uint64_t end, struct sblog_err *err)
{
	const uint8_t *at;
	int rc;

	if (end <= pos)
		return 0;
	if ((rc = sb_source_bytes(s, pos, (size_t)(end - pos), &at, err)) != 0)
		return rc < 0 ? rc : 0;
	for (uint64_t i = 0; i < end - pos; i++) {
		if (at[i] == 0)
			continue;
		tell_damage(j, s, pos + i, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
		    "padding is not zero; no record is concerned");
		break;
	}
	return 0;
}

static bool
head_fits(const struct sb_file_head *h, const struct sb_file *f,
    const uint8_t *topic, uint32_t head_size)
{
	return memcmp(h->salt, f->salt, SB_SALT_SIZE) == 0 &&
	    memcmp(h->topic, topic, SB_ID_SIZE) == 0 && h->base == f->base &&
	    h->chain == f->chain && h->head_size == head_size;
}

static int
check_file_head(struct sb_verify *j, struct sb_source *s, struct sblog_err *err)
{
	bool segment = s->file.kind == SBLOG_FILE_SEGMENT;
	struct sb_file_head head;
	const uint8_t *at;
	const char *why;
	int rc;

	rc = sb_source_bytes(s, 0, SB_FILE_HEAD_SIZE, &at, err);
	if (rc < 0)
		return rc;
	if (rc == SBLOG_END) {
		tell_damage(j, s, s->size, s->file.base, SBLOG_NO_OFFSET,
		    "file is shorter than its head");
		return 0;
	}
	if (sb_file_head_decode(&head, segment ? SB_MAGIC_SEG : SB_MAGIC_WAL,
		at, &why) < 0)
		tell_damage(j, s, 0, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET, why);
	else if (!head_fits(&head, &s->file, j->manifest.topic,
		     (uint32_t)s->start))
		tell_damage(j, s, 0, s->file.base, SBLOG_NO_OFFSET,
		    "not the file that the manifest means");
	return check_zeros(j, s, SB_FILE_HEAD_SIZE, s->start, err);
}

/* Foot of a segment against the manifest; *count etc. are of the walk. */
static int
check_foot(struct sb_verify *j, struct sb_source *s, struct sb_seg_foot *foot,
    bool *goodp, struct sblog_err *err)
{
	uint64_t pos = s->file.size - SB_SEG_FOOT_SIZE;
	const struct sb_file *f = &s->file;
	const uint8_t *at;
	const char *why = "segment is not as long as the manifest says";
	int rc;

	*goodp = false;
	if (s->size == f->size) {
		rc = sb_source_bytes(s, pos, SB_SEG_FOOT_SIZE, &at, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (sb_seg_foot_decode(foot, f->salt, pos, at, &why) == 0) {
			why = "segment foot and manifest disagree";
			*goodp = foot->base == f->base &&
			    foot->next == f->next && foot->count == f->count &&
			    foot->raw == f->raw && foot->chain == f->chain &&
			    foot->end_chain == f->end_chain;
		}
	}
	if (!*goodp)
		tell_damage(j, s, pos, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET, why);
	return 0;
}

/* What a walk over one file has seen. */
struct seen {
	bool thinned; /* records were taken out of the last batch */
	uint64_t pos, expected, count, raw, chain;
	int64_t last_time;
	bool broken; /* damage: sums and chain mean nothing */
};

static int
skip_bad_head(struct sb_verify *j, struct sb_source *s, struct seen *w,
    uint64_t end, const char *why, struct sblog_err *err)
{
	uint64_t found, pos = w->pos + SB_BATCH_ALIGN;
	struct sb_batch head = { 0 };
	char msg[sizeof(err->msg)];
	int rc;

	(void)snprintf(msg, sizeof(msg), "%s", why);
	for (;;) {
		rc = sb_source_resync(s, pos, &found, &head, err);
		if (rc < 0)
			return rc;
		if (found == UINT64_MAX || head.magic == SB_TRAILER_MAGIC ||
		    head.base >= w->expected)
			break;
		pos = found + head.total_size;
	}
	w->broken = true;
	if (found == UINT64_MAX || head.magic == SB_TRAILER_MAGIC) {
		tell_damage(j, s, w->pos, w->expected, end, msg);
		w->expected = end;
		w->pos = s->limit;
		return 0;
	}
	tell_damage(j, s, w->pos, w->expected, head.base, msg);
	w->pos = found;
	w->expected = head.base;
	w->chain = head.chain;
	return 0;
}

static void
check_links(struct sb_verify *j, struct sb_source *s, struct seen *w,
    const struct sb_batch *h)
{
	if (h->base != w->expected) {
		w->broken = true;
		tell_damage(j, s, w->pos, w->expected,
		    sb_max_u64(h->base, w->expected),
		    "batch does not follow the one before");
	} else if (j->opts->depth == SBLOG_VERIFY_DEEP && !w->broken &&
	    !w->thinned && h->chain != w->chain) {
		w->broken = true;
		tell_damage(j, s, w->pos, h->base, h->next,
		    "chain differs: records before are not those written");
	}
	if (h->base_time < w->last_time)
		tell_damage(j, s, w->pos, h->base, h->next,
		    "append time goes back");
}

/* One batch at w->pos with a good head. */
static int
check_batch(struct sb_verify *j, struct sb_source *s, struct seen *w,
    const struct sb_batch *h, struct sblog_err *err)
{
	struct sb_view view;
	int rc;

	check_links(j, s, w, h);
	w->last_time = h->base_time;
	if (j->opts->depth != SBLOG_VERIFY_DEEP) {
		rc = sb_source_hashes(s, w->pos, h, err);
	} else if ((rc = sb_source_view(s, w->pos, h, SB_WANT_ALL, &view,
			err)) == 0) {
		w->last_time = sb_view_time(&view, h->count - 1);
		if (!w->broken)
			w->chain = sb_view_chain(&view);
		/* Of what compaction left, the chain behind cannot be known. */
		w->thinned =
		    s->file.revision != 0 && h->count != h->next - h->base;
	}
	if (rc == SBLOG_EDAMAGE) {
		w->broken = true;
		tell_damage(j, s, w->pos, h->base, h->next, err->msg);
	} else if (rc < 0 ||
	    (rc = check_zeros(j, s, w->pos + sb_batch_used(h),
		 w->pos + h->total_size, err)) < 0) {
		return rc;
	}
	w->count += h->count;
	w->raw += h->values_raw;
	w->expected = h->next;
	w->pos += h->total_size;
	j->done->records += h->count;
	j->done->batches++;
	pace(j, h->total_size);
	return 0;
}

static int
walk_batches(struct sb_verify *j, struct sb_source *s, struct seen *w,
    uint64_t end, struct sblog_err *err)
{
	struct sb_batch head;
	int rc;

	while (w->expected < end) {
		sb_source_pace(s, w->pos);
		rc = sb_source_head(s, w->pos, &head, err);
		if (rc == SBLOG_END) {
			w->broken = true;
			tell_damage(j, s, w->pos, w->expected, end,
			    "file ends before its records do");
			w->expected = end;
			return 0;
		}
		if (rc == SBLOG_EDAMAGE)
			rc = skip_bad_head(j, s, w, end, err->msg, err);
		else if (rc == 0)
			rc = check_batch(j, s, w, &head, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Sums and chain at the end of a finished file. */
static void
check_sums(struct sb_verify *j, struct sb_source *s, const struct seen *w)
{
	const struct sb_file *f = &s->file;

	if (w->broken || f->kind == SBLOG_FILE_WAL_ACTIVE)
		return;
	if (w->count != f->count || w->raw != f->raw)
		tell_damage(j, s, w->pos, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
		    "record count or size differs from the manifest");
	else if (j->opts->depth == SBLOG_VERIFY_DEEP && !w->thinned &&
	    w->chain != f->end_chain)
		tell_damage(j, s, w->pos, f->base, f->next,
		    "chain at the end differs from the manifest");
}

/* The trailer of a finished WAL, and that nothing lies behind it. */
static int
check_trailer(struct sb_verify *j, struct sb_source *s, const struct seen *w,
    struct sblog_err *err)
{
	struct sb_batch head;
	const uint8_t *at;
	const char *why;
	int rc;

	if (w->broken || s->file.kind != SBLOG_FILE_WAL ||
	    w->pos >= s->file.size)
		return 0;
	rc = sb_source_bytes(s, w->pos, SB_BATCH_HEAD_SIZE, &at, err);
	if (rc < 0)
		return rc;
	if (rc == SBLOG_END)
		why = "trailer is missing";
	else if (sb_batch_decode(&head, s->file.salt, w->pos, at, &why) == 0)
		why = head.magic == SB_TRAILER_MAGIC ? NULL
						     : "trailer is missing";
	if (why != NULL)
		tell_damage(j, s, w->pos, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
		    why);
	return 0;
}

static int
check_source(struct sb_verify *j, struct sb_source *s, struct sblog_err *err)
{
	struct seen w = {
		.pos = s->start,
		.expected = s->file.base,
		.chain = s->file.chain,
	};
	bool segment = s->file.kind == SBLOG_FILE_SEGMENT;
	uint64_t end =
	    s->file.kind == SBLOG_FILE_WAL_ACTIVE ? j->pub.end : s->file.next;
	struct sb_seg_foot foot;
	bool good = false;
	int rc;

	j->done->files++;
	if ((rc = check_file_head(j, s, err)) < 0 ||
	    (segment && (rc = check_foot(j, s, &foot, &good, err)) < 0))
		return rc;
	if (j->opts->depth == SBLOG_VERIFY_QUICK) {
		if (s->size < (s->file.kind == SBLOG_FILE_WAL_ACTIVE
				      ? j->pub.pos
				      : s->limit))
			tell_damage(j, s, s->size, SBLOG_NO_OFFSET,
			    SBLOG_NO_OFFSET, "file is cut short");
		j->done->records += s->file.kind == SBLOG_FILE_WAL_ACTIVE
		    ? j->pub.wal_count
		    : s->file.count;
		return 0;
	}
	if ((rc = walk_batches(j, s, &w, end, err)) < 0)
		return rc;
	check_sums(j, s, &w);
	if (w.broken)
		j->chain_known = false;
	if (j->opts->depth == SBLOG_VERIFY_DEEP && !w.broken)
		j->done->chain = w.thinned ? s->file.end_chain : w.chain;
	if ((rc = check_trailer(j, s, &w, err)) < 0)
		return rc;
	if (j->opts->depth == SBLOG_VERIFY_DEEP &&
	    (rc = sb_verify_indexes(j, s, err)) < 0)
		return rc;
	return 0;
}

/* Files that belong to nobody, and what recovery has put aside. */
static int
check_names(struct sb_verify *j, struct sblog_err *err)
{
	static const char *const known[] = {
		SB_NAME_CONFIG,
		SB_NAME_MANIFEST,
		SB_NAME_STATE,
		SB_NAME_LOCK_APPEND,
		SB_NAME_LOCK_MAINT,
		SB_NAME_GROUPS,
	};
	char *names = NULL;
	size_t len = 0;
	int rc = sb_sys_list(j->topic->dirfd, &names, &len);

	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "cannot list");
	for (const char *n = names; n < names + len; n += strlen(n) + 1) {
		enum sb_name_kind kind;
		uint64_t base;
		uint32_t revision;
		bool mine = sb_name_parse(n, &kind, &base, &revision);

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			mine = mine || strcmp(n, known[i]) == 0;
		if (strcmp(n, SB_NAME_LOST) == 0)
			sb_verify_tell(j, "note", n, false,
			    "holds bytes that recovery cut off");
		else if (!mine)
			sb_verify_tell(j, "orphan", n, false,
			    strstr(n, ".tmp.") ? "left over by a crash"
					       : "not a file of sblog");
	}
	free(names);
	return 0;
}

static void
check_lost(struct sb_verify *j)
{
	for (size_t i = 0; i < j->manifest.lost_count; i++) {
		const struct sblog_finding f = {
			.kind = "lost",
			.file = SB_NAME_MANIFEST,
			.pos = UINT64_MAX,
			.first = j->manifest.lost[i].from,
			.next = j->manifest.lost[i].to,
			.msg = "lost to damage before",
			.damage = true,
		};

		tell(j, &f);
	}
}

static void
missing(struct sb_verify *j, const struct sb_source *s, const struct sb_file *f)
{
	tell_damage(j, s, UINT64_MAX, f->base,
	    f->kind == SBLOG_FILE_WAL_ACTIVE ? j->pub.end : f->next,
	    "file is missing");
}

/* A new look at the manifest; *movedp: it is another one. */
static int
look_again(struct sb_verify *j, bool *movedp, struct sblog_err *err)
{
	uint64_t generation = j->manifest.generation;
	uint64_t end = j->pub.end;
	int rc;

	if ((rc = sb_topic_peek(j->topic, &j->pub, err)) < 0 ||
	    (rc = sb_topic_reload(j->topic, err)) < 0)
		return rc;
	*movedp = j->topic->manifest.generation != generation;
	if (end != 0)
		j->pub.end = end;
	sb_manifest_release(&j->manifest);
	return sb_manifest_copy(&j->manifest, &j->topic->manifest) < 0
	    ? sb_err_nomem(err)
	    : 0;
}

static int
check_files(struct sb_verify *j, struct sblog_err *err)
{
	uint64_t at = j->done->start;
	struct sb_source s = SB_SOURCE_INIT;
	bool moved;
	int rc;

	for (size_t i = 0; i < j->manifest.file_count; i++) {
		struct sb_file f = j->manifest.files[i];
		bool active = f.kind == SBLOG_FILE_WAL_ACTIVE;

		if ((!active && f.next <= at && f.next > f.base) ||
		    f.base > j->pub.end)
			continue;
		rc = sb_source_open(&s, j->topic->dirfd, &f, j->manifest.topic,
		    active ? UINT64_MAX : 0, err);
		if (rc == SBLOG_ENOENT) {
			if ((rc = look_again(j, &moved, err)) < 0)
				return rc;
			if (moved) {
				i = SIZE_MAX; /* from the front */
				continue;
			}
			missing(j, &s, &f);
			rc = 0;
		} else if (rc == 0) {
			rc = check_source(j, &s, err);
			sb_source_close(&s);
		}
		if (rc < 0)
			return rc;
		at = active ? j->pub.end : f.next;
	}
	return 0;
}

int
sblog_verify(struct sblog_topic *t, const struct sblog_verify_opts *opts,
    struct sblog_verified *done, struct sblog_err *err)
{
	static const struct sblog_verify_opts none;
	struct sb_verify j = {
		.topic = t,
		.opts = opts ? opts : &none,
		.done = done,
		.manifest = SB_MANIFEST_INIT,
		.begun = sb_sys_monotonic_us(),
		.chain_known = true,
	};
	bool moved;
	int rc;

	*done = (struct sblog_verified){ 0 };
	if ((rc = look_again(&j, &moved, err)) < 0)
		goto out;
	done->start = j.manifest.start;
	done->end = j.pub.end;
	done->chain = j.pub.chain;
	for (size_t i = 0; i < j.manifest.file_count; i++)
		j.total += j.manifest.files[i].kind == SBLOG_FILE_WAL_ACTIVE
		    ? j.pub.pos
		    : j.manifest.files[i].size;
	check_lost(&j);
	if ((rc = check_files(&j, err)) < 0 ||
	    (rc = check_names(&j, err)) < 0 ||
	    (rc = sb_verify_groups(&j, err)) < 0)
		goto out;
	if (j.chain_known && opts != NULL && opts->depth == SBLOG_VERIFY_DEEP &&
	    done->chain != j.pub.chain && j.pub.end == done->end)
		sb_verify_tell(&j, "note", SB_NAME_STATE, false,
		    "chain in the page differs from the records");
out:
	sb_manifest_release(&j.manifest);
	return rc;
}
