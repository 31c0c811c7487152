/*
 * rotate.c - finish the active WAL and start the next one.
 *
 * Order, each step a point where a power cut must do no harm: the old WAL is
 * synced, its trailer written and synced, the new WAL complete under its name,
 * then the manifest.  A crash before the manifest leaves a trailer in the
 * active WAL: recovery goes on from there.
 */
#include <string.h>

#include "base/err.h"
#include "log/topic.h"

/* The manifest with its active WAL finished and a new one behind it. */
static int
next_manifest(struct sb_manifest *m, const struct sblog_topic *t,
    const struct sb_tail *tail, uint64_t size, uint64_t next,
    const struct sb_file *fresh, struct sblog_err *err)
{
	struct sb_file *old;

	if (sb_manifest_copy(m, &t->manifest) < 0)
		return sb_err_nomem(err);
	old = sb_manifest_active(m);
	old->kind = SBLOG_FILE_WAL;
	old->next = next;
	old->count = tail->count;
	old->size = size;
	old->raw = tail->raw;
	old->end_chain = tail->chain;
	old->first_time = tail->first_time;
	old->last_time = tail->last_time;
	if (sb_manifest_insert(m, m->file_count, fresh) < 0)
		return sb_err_nomem(err);
	return 0;
}

int
sb_topic_new_wal(struct sblog_topic *t, const struct sb_tail *tail,
    uint64_t size, const struct sb_lost *lost, size_t lost_count, uint64_t next,
    struct sblog_err *err)
{
	struct sb_manifest m = SB_MANIFEST_INIT;
	struct sb_file fresh;
	int rc;

	sb_state_set_dirty(&t->state, true);
	if ((rc = sb_wal_create(t->dirfd, t->manifest.topic, next, tail->chain,
		 &fresh, err)) < 0 ||
	    (rc = next_manifest(&m, t, tail, size, next, &fresh, err)) < 0)
		goto out;
	for (size_t i = 0; i < lost_count; i++)
		if (sb_manifest_add_lost(&m, lost[i].from, lost[i].to) < 0) {
			rc = sb_err_nomem(err);
			goto out;
		}
	sb_wal_close(&t->wal);
	if ((rc = sb_wal_open(&t->wal, t->dirfd, &fresh, t->manifest.topic,
		 true, err)) < 0)
		goto out;
	t->pub = (struct sb_published){
		.end = next,
		.wal_base = next,
		.pos = t->wal.head.head_size,
		.chain = tail->chain,
		.last_time = tail->last_time,
		.generation = t->manifest.generation + 1,
		.ordinal = t->pub.ordinal + 1,
		.zero_end = t->wal.head.head_size,
		.wal_ino = t->wal.ino,
	};
	t->own_pos = 0;
	t->written_back = 0;
	if ((rc = sb_topic_replace_manifest(t, &m, err)) < 0) {
		/* Ours is not the active WAL: the next one looks again. */
		sb_wal_close(&t->wal);
		goto out;
	}
	sb_state_set_durable(&t->state, next, t->pub.ordinal, t->pub.pos);
	sb_state_wake(&t->state);
out:
	sb_manifest_release(&m);
	return rc;
}

/* Write the trailer behind the last batch and make the WAL durable. */
static int
finish(struct sblog_topic *t, uint64_t *sizep, struct sblog_err *err)
{
	const struct sb_batch trailer = {
		.magic = SB_TRAILER_MAGIC,
		.base = t->pub.end,
		.next = t->pub.end,
		.base_time = t->pub.last_time,
		.durable_upto = t->pub.end,
		.chain = t->pub.chain,
		.total_size = SB_BATCH_HEAD_SIZE,
	};
	uint8_t head[SB_BATCH_HEAD_SIZE] = { 0 };
	struct sb_batch hashed = trailer;
	int rc;

	hashed.columns_hash = sb_batch_hash_columns(&t->cpu, &trailer,
	    t->wal.head.salt, t->pub.pos, head);
	hashed.values_hash = sb_batch_hash_values(&t->cpu, &trailer,
	    t->wal.head.salt, t->pub.pos, head);
	sb_batch_encode(&hashed, t->wal.head.salt, t->pub.pos, head);
	*sizep = t->pub.pos + sizeof(head);
	if ((rc = sb_sys_fdatasync(t->wal.fd)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, t->wal.name,
		    "cannot sync");
	sb_state_set_dirty(&t->state, true);
	if ((rc = sb_sys_pwrite(t->wal.fd, head, sizeof(head), t->pub.pos)) <
		0 ||
	    (rc = sb_sys_truncate(t->wal.fd, *sizep)) < 0 ||
	    (rc = sb_sys_fdatasync(t->wal.fd)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, t->wal.name,
		    "cannot finish");
	return 0;
}

int
sb_topic_rotate(struct sblog_topic *t, struct sblog_err *err)
{
	const struct sb_tail tail = {
		.pos = t->pub.pos,
		.end = t->pub.end,
		.chain = t->pub.chain,
		.last_time = t->pub.last_time,
		.first_time = t->pub.wal_time,
		.count = t->pub.wal_count,
		.raw = t->pub.wal_raw,
	};
	uint64_t size;
	int rc;

	sb_assert(t->pub.wal_count > 0);
	if ((rc = finish(t, &size, err)) < 0)
		return rc;
	return sb_topic_new_wal(t, &tail, size, NULL, 0, tail.end, err);
}
