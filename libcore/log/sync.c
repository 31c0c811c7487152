/*
 * sync.c - make what was appended durable, together with other processes.
 *
 * One of those who wait leads: it syncs for all that was published before, and
 * wakes the rest.  Nobody holds a lock across fdatasync.  A failed fdatasync is
 * never repeated over the same pages, which the kernel has marked clean:
 * sblog-internals(7), "When fsync fails".
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/keys.h"
#include "log/topic.h"
#include "store/lost.h"
#include "store/window.h"

enum {
	/* A leader is waited for so many times as long as a sync took last; */
	FOLLOW_TIMES = 8,
	FOLLOW_LEAST_US = 10000,
	FOLLOW_MOST_US = 100000,
	FOLLOW_FIRST_US = 25000, /* not known yet */
	COPY_SIZE = 256 << 10,
};

void
sb_topic_own(struct sblog_topic *t, const struct sb_published *before,
    bool promised)
{
	if (t->own_pos == 0 || t->own_before.ordinal != before->ordinal) {
		t->own_before = *before;
		t->own_alone = true;
		if (t->written_back < before->pos)
			t->written_back = before->pos;
	} else if (t->own_pos != before->pos) {
		t->own_alone = false;
	}
	if (promised)
		t->own_alone = false;
	t->own_pos = t->pub.pos;
	t->own_end = t->pub.end;
}

void
sb_topic_answer_for(struct sblog_topic *t, uint64_t end)
{
	if (t->own_pos == 0 || t->own_before.ordinal != t->pub.ordinal) {
		t->own_before = t->pub;
		t->own_end = end;
	}
	t->own_alone = false;
	t->own_pos = t->pub.pos;
	t->own_end = sb_max_u64(t->own_end, end);
}

/*
 * Read batches in [pos, end) again and check their hashes: bytes of other
 * processes that never were synced may be gone from the cache.
 */
static int
check_span(struct sblog_topic *t, uint64_t pos, uint64_t end,
    struct sblog_err *err)
{
	struct sb_window w = SB_WINDOW_INIT(t->wal.fd);
	const uint8_t *salt = t->wal.head.salt;
	const char *why = NULL;
	const uint8_t *at;
	struct sb_batch h;
	int rc = 0;

	while (rc == 0 && pos < end) {
		rc = sb_window_get(&w, pos, SB_BATCH_HEAD_SIZE, &at, err);
		if (rc != 0 ||
		    (rc = sb_batch_decode(&h, salt, pos, at, &why)) < 0 ||
		    (rc = sb_window_get(&w, pos, (size_t)sb_batch_used(&h), &at,
			 err)) != 0)
			break;
		at += SB_BATCH_HEAD_SIZE;
		if (sb_batch_hash_columns(&t->cpu, &h, salt, pos, at) !=
			h.columns_hash ||
		    sb_batch_hash_values(&t->cpu, &h, salt, pos,
			at + h.columns_stored) != h.values_hash) {
			rc = SBLOG_EDAMAGE;
			break;
		}
		pos += h.total_size;
	}
	sb_window_release(&w);
	if (rc == SBLOG_EDAMAGE || rc == SBLOG_END)
		return sb_err_damage(err, t->wal.name, pos, SBLOG_NO_OFFSET,
		    SBLOG_NO_OFFSET,
		    "bytes that were never synced are not what was written");
	return rc;
}

/* Everything from where syncs have reached to p->pos, but our own. */
static int
check_others(struct sblog_topic *t, const struct sb_published *p,
    struct sblog_err *err)
{
	uint64_t from = sb_state_synced(&t->state, p->ordinal);
	int rc;

	if (from == 0)
		from = t->wal.head.head_size;
	if (!t->own_alone)
		return check_span(t, from, p->pos, err);
	if ((rc = check_span(t, from, t->own_before.pos, err)) < 0)
		return rc;
	return check_span(t, t->own_pos, p->pos, err);
}

/* Write the same bytes to the same place, so that their pages are dirty again
 * and a sync means something. */
static int
write_again(struct sblog_topic *t, uint64_t pos, uint64_t end)
{
	struct sb_buf buf = SB_BUF_INIT;
	int64_t n = 0;
	int rc = 0;

	if (sb_buf_reserve(&buf, COPY_SIZE) < 0)
		return -ENOMEM;
	for (; rc == 0 && pos < end; pos += (uint64_t)n) {
		size_t len =
		    end - pos < COPY_SIZE ? (size_t)(end - pos) : COPY_SIZE;

		n = sb_sys_pread(t->wal.fd, buf.data, len, pos);
		if (n <= 0)
			rc = n < 0 ? (int)n : -EIO;
		else
			rc = sb_sys_pwrite(t->wal.fd, buf.data, (size_t)n, pos);
	}
	sb_buf_release(&buf);
	return rc == 0 ? sb_sys_fdatasync(t->wal.fd) : rc;
}

/* Take the log back to *to: nothing behind it was durable. */
static int
roll_back(struct sblog_topic *t, const struct sb_published *to,
    const struct sb_published *now)
{
	int rc;

	sb_state_set_dirty(&t->state, true);
	sb_keys_drop(t);
	if ((rc = sb_sys_truncate(t->wal.fd, to->pos)) < 0)
		return rc;
	t->pub = *to;
	t->pub.generation = now->generation;
	t->pub.zero_end = to->pos;
	sb_state_publish(&t->state, &t->pub);
	sb_state_set_dirty(&t->state, false);
	sb_state_wake(&t->state);
	return 0;
}

/* Others' records lie between ours and the durable end. */
static int
save_all(struct sblog_topic *t, const struct sb_published *now, int sync_rc,
    struct sblog_err *err)
{
	uint64_t from = sb_state_synced(&t->state, now->ordinal);
	struct sb_tail tail = {
		.pos = t->wal.head.head_size,
		.end = t->wal.head.base,
		.chain = t->wal.head.chain,
	};
	struct sb_published to = *now;
	const char *why;

	if (from == 0)
		from = t->wal.head.head_size;
	if (check_span(t, from, now->pos, err) == 0 &&
	    write_again(t, from, now->pos) == 0) {
		sb_state_set_durable(&t->state, now->end, now->ordinal,
		    now->pos);
		sb_state_wake_durable(&t->state);
		return sb_err_sys(err, SBLOG_EUNKNOWN, sync_rc, t->wal.name,
		    "cannot sync; the records were written again");
	}
	/* The device keeps nothing: as after a power cut, the log ends where
	 * it is durable, and what is cut lies in lost+found. */
	if (sb_wal_walk(&t->wal, &tail, from, &t->cpu, &why, err) < 0) {
		sb_state_set_dirty(&t->state, true);
		return sb_err_sys(err, SBLOG_EUNKNOWN, sync_rc, t->wal.name,
		    "cannot sync, and cannot read to undo it");
	}
	if (sb_lost_copy(t->dirfd, t->wal.fd, t->wal.name, tail.pos, now->pos,
		err) < 0)
		err->code = SBLOG_EUNKNOWN; /* a full disk must not keep us */
	to.pos = tail.pos;
	to.end = tail.end;
	to.chain = tail.chain;
	to.last_time = tail.last_time;
	to.wal_count = tail.count;
	to.wal_raw = tail.raw;
	to.wal_time = tail.first_time;
	if (roll_back(t, &to, now) < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, sync_rc, t->wal.name,
		    "cannot sync, and cannot undo it");
	return sb_err_sys(err, SBLOG_EUNKNOWN, sync_rc, t->wal.name,
	    "cannot sync; records that were not durable are gone");
}

/* fdatasync failed: leave nothing behind that looks durable and is not. */
static int
sync_failed(struct sblog_topic *t, int sync_rc, struct sblog_err *err)
{
	struct sb_published now;
	int rc;

	if (sb_topic_lock_append(t, err) < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, sync_rc, t->wal.name,
		    "cannot sync, and cannot lock to undo it");
	if (!sb_state_read(&t->state, t->manifest.topic, t->boot, &now) ||
	    sb_state_dirty(&t->state) || now.ordinal != t->own_before.ordinal ||
	    now.wal_ino != t->wal.ino) {
		rc = sb_err_sys(err, SBLOG_EUNKNOWN, sync_rc, t->wal.name,
		    "cannot sync");
	} else if (t->own_alone && now.pos == t->own_pos &&
	    sb_state_synced(&t->state, now.ordinal) >= t->own_before.pos) {
		rc = roll_back(t, &t->own_before, &now) == 0
		    ? sb_err_sys(err, SBLOG_EIO, sync_rc, t->wal.name,
			  "cannot sync; what was appended is undone")
		    : sb_err_sys(err, SBLOG_EUNKNOWN, sync_rc, t->wal.name,
			  "cannot sync, and cannot undo it");
	} else {
		rc = save_all(t, &now, sync_rc, err);
	}
	sb_topic_unlock_append(t);
	t->own_pos = 0;
	return rc;
}

/* Sync all that is published now; 0, or the failure dealt with. */
static int
flush(struct sblog_topic *t, struct sblog_err *err)
{
	struct sb_published p;
	uint64_t begun;
	int rc;

	if (!sb_state_read(&t->state, t->manifest.topic, t->boot, &p))
		p = t->pub;
	/* Rotated since: whoever did it has synced the old WAL. */
	if (p.ordinal != t->own_before.ordinal)
		p = t->pub;
	begun = sb_sys_monotonic_us();
	if ((rc = sb_sys_fdatasync(t->wal.fd)) < 0)
		return sync_failed(t, rc, err);
	t->sync_us = sb_sys_monotonic_us() - begun + 1;
	if ((rc = check_others(t, &p, err)) < 0) {
		t->own_pos = 0;
		return sb_err_set(err, SBLOG_EUNKNOWN, t->wal.name,
		    "records of others before ours were lost unsynced");
	}
	sb_state_set_durable(&t->state, p.end, p.ordinal, p.pos);
	sb_state_wake_durable(&t->state);
	return 0;
}

/* The page was lost and could not be made again: nobody can be led. */
static int
sync_without_page(struct sblog_topic *t, struct sblog_err *err)
{
	int rc = sb_sys_fdatasync(t->wal.fd);

	t->own_pos = 0;
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, rc, t->wal.name,
		    "cannot sync");
	return 0;
}

/* How long a leader may need before it counts as killed or stopped.  If it was
 * only slow, there is one sync more than needed. */
static uint64_t
patience(const struct sblog_topic *t)
{
	if (t->sync_us == 0)
		return FOLLOW_FIRST_US;
	if (t->sync_us >= FOLLOW_MOST_US / FOLLOW_TIMES)
		return FOLLOW_MOST_US;
	return sb_max_u64(t->sync_us * FOLLOW_TIMES, FOLLOW_LEAST_US);
}

int
sblog_sync(struct sblog_topic *t, struct sblog_err *err)
{
	uint32_t round;
	int rc = 0;

	if (t->own_pos != 0 && t->state.map == NULL)
		return sync_without_page(t, err);
	while (rc == 0 && t->own_pos != 0) {
		if (sb_state_durable(&t->state, t->manifest.topic) >=
		    t->own_end) {
			t->own_pos = 0;
			break;
		}
		round = sb_state_round(&t->state);
		if (sb_state_lead(&t->state)) {
			rc = flush(t, err);
			sb_state_led(&t->state, rc < 0);
		} else {
			(void)sb_state_follow(&t->state, round, patience(t));
		}
	}
	return rc;
}
