/*
 * wal.c - the write-ahead log file: create one, open one, find its valid end.
 */
#include "store/wal.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/le.h"
#include "base/num.h"
#include "codec/lz.h"
#include "store/index.h"
#include "store/lost.h"
#include "store/names.h"
#include "store/window.h"
#include "sys/sys.h"
#include "sys/tmp.h"

enum { RESYNC_STEP = 256 << 10 };

/* Put the file in place; a stranger of that name goes to lost+found. */
static int
commit_wal(struct sb_tmp *file, int dirfd, struct sblog_err *err)
{
	int rc = sb_tmp_commit(file, SB_TMP_NEW, err);

	if (rc != SBLOG_ECOND)
		return rc;
	if ((rc = sb_lost_move(dirfd, file->name, err)) < 0)
		return rc;
	return sb_tmp_commit(file, SB_TMP_NEW, err);
}

int
sb_wal_create(int dirfd, const uint8_t topic[static SB_ID_SIZE], uint64_t base,
    uint64_t chain, struct sb_file *file, struct sblog_err *err)
{
	struct sb_file_head head = {
		.magic = SB_MAGIC_WAL,
		.base = base,
		.chain = chain,
		.created = sb_sys_time_us(),
		.head_size = SB_WAL_HEAD_SIZE,
	};
	uint8_t page[SB_WAL_HEAD_SIZE] = { 0 };
	const struct sblog_bytes bytes = { .data = page, .len = sizeof(page) };
	struct sb_tmp tmp = SB_TMP_INIT;
	char name[SB_FILE_NAME_SIZE];
	int rc;

	if ((rc = sb_sys_random(head.salt, sizeof(head.salt))) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "no random bytes");
	memcpy(head.topic, topic, SB_ID_SIZE);
	sb_file_head_encode(&head, page);
	sb_name_format(name, SB_NAME_WAL, base, 0);
	if ((rc = sb_tmp_create(&tmp, dirfd, name, err)) < 0 ||
	    (rc = sb_tmp_write(&tmp, bytes, 0, err)) < 0 ||
	    (rc = commit_wal(&tmp, dirfd, err)) < 0)
		goto out;
	*file = (struct sb_file){
		.kind = SBLOG_FILE_WAL_ACTIVE,
		.base = base,
		.chain = chain,
	};
	memcpy(file->salt, head.salt, SB_SALT_SIZE);
out:
	sb_tmp_discard(&tmp);
	return rc;
}

/* The index beside a WAL, for writing; failure only costs speed later. */
static void
open_index(struct sb_wal *w, int dirfd, const struct sb_file *file,
    const uint8_t *topic)
{
	uint8_t want[SB_FILE_HEAD_SIZE], head[SB_FILE_HEAD_SIZE];
	char name[SB_FILE_NAME_SIZE];

	sb_name_format(name, SB_NAME_WINDEX, file->base, 0);
	w->index_fd = sb_sys_open(dirfd, name, SB_OPEN_CREATE);
	if (w->index_fd < 0) {
		w->index_fd = -1;
		return;
	}
	sb_windex_head(file, topic, want);
	if (sb_sys_pread(w->index_fd, head, sizeof(head), 0) ==
		(int64_t)sizeof(head) &&
	    memcmp(head, want, sizeof(head)) == 0)
		return;
	if (sb_sys_truncate(w->index_fd, 0) < 0 ||
	    sb_sys_pwrite(w->index_fd, want, sizeof(want), 0) < 0)
		(void)sb_sys_close(&w->index_fd);
}

/* Is it the file the manifest means?  What a damaged head said is known from
 * the manifest, and every batch proves by its hash that it belongs here. */
static int
check_head(struct sb_wal *w, const struct sb_file *file, const uint8_t *topic,
    const uint8_t head[static SB_FILE_HEAD_SIZE], size_t len, const char **whyp)
{
	int rc = SBLOG_EDAMAGE;

	*whyp = "file is shorter than its head";
	if (len < SB_FILE_HEAD_SIZE)
		return rc;
	rc = sb_file_head_decode(&w->head, SB_MAGIC_WAL, head, whyp);
	if (rc == SBLOG_EFORMAT)
		return rc;
	if (rc == 0 &&
	    (memcmp(w->head.salt, file->salt, SB_SALT_SIZE) != 0 ||
		memcmp(w->head.topic, topic, SB_ID_SIZE) != 0 ||
		w->head.base != file->base || w->head.chain != file->chain)) {
		*whyp = "not the file that the manifest means";
		return SBLOG_EDAMAGE;
	}
	memcpy(w->head.salt, file->salt, SB_SALT_SIZE);
	w->head.base = file->base;
	w->head.chain = file->chain;
	w->head.head_size = SB_WAL_HEAD_SIZE;
	return 0;
}

int
sb_wal_open(struct sb_wal *w, int dirfd, const struct sb_file *file,
    const uint8_t topic[static SB_ID_SIZE], bool write, struct sblog_err *err)
{
	uint8_t head[SB_FILE_HEAD_SIZE];
	const char *why = NULL;
	struct sb_stat st;
	int64_t n;
	int rc;

	*w = SB_WAL_INIT;
	sb_name_format(w->name, SB_NAME_WAL, file->base, 0);
	rc = sb_sys_open(dirfd, w->name, write ? SB_OPEN_WRITE : SB_OPEN_READ);
	if (rc < 0)
		return sb_err_sys(err, rc == -ENOENT ? SBLOG_ENOENT : SBLOG_EIO,
		    rc, w->name, "cannot open");
	w->fd = rc;
	n = sb_sys_pread(w->fd, head, sizeof(head), 0);
	if (n < 0 || (rc = sb_sys_fstat(w->fd, &st)) < 0) {
		rc = sb_err_sys(err, SBLOG_EIO, n < 0 ? (int)n : rc, w->name,
		    "cannot read");
		goto fail;
	}
	w->ino = st.ino;
	if ((rc = check_head(w, file, topic, head, (size_t)n, &why)) ==
	    SBLOG_EFORMAT) {
		rc = sb_err_set(err, rc, w->name, "%s", why);
		goto fail;
	}
	if (rc < 0) {
		rc = sb_err_damage(err, w->name, 0, file->base,
		    file->kind == SBLOG_FILE_WAL_ACTIVE ? SBLOG_NO_OFFSET
							: file->next,
		    "%s", why);
		goto fail;
	}
	if (write)
		open_index(w, dirfd, file, topic);
	return 0;
fail:
	sb_wal_close(w);
	return rc;
}

void
sb_wal_close(struct sb_wal *w)
{
	/* What matters was synced, or is not promised. */
	(void)sb_sys_close(&w->fd);
	(void)sb_sys_close(&w->index_fd);
}

/* Decompressed sections of the batch a walk looks at. */
struct walk {
	const struct sb_wal *wal;
	struct sb_window window;
	struct sb_buf columns, values;
	struct sb_cpu *cpu;
	uint64_t limit;
};

/* Section bytes as they were before compression; NULL in *rawp: bad. */
static int
section(struct sb_buf *buf, const uint8_t *stored, uint32_t stored_len,
    uint32_t raw_len, bool packed, const uint8_t **rawp, struct sblog_err *err)
{
	*rawp = stored;
	if (!packed)
		return 0;
	if (sb_buf_reserve(buf, raw_len) < 0)
		return sb_err_nomem(err);
	*rawp = sb_lz_unpack(stored, stored_len, buf->data, raw_len) == 0
	    ? buf->data
	    : NULL;
	return 0;
}

/* The whole batch at pos, verified and decoded; *whyp says what is bad. */
static int
look(struct walk *k, uint64_t pos, const struct sb_batch *head,
    struct sb_view *view, const char **whyp, struct sblog_err *err)
{
	const uint8_t *salt = k->wal->head.salt;
	const uint8_t *at, *columns, *values;
	int rc;

	*whyp = NULL;
	rc = sb_window_get(&k->window, pos, (size_t)sb_batch_used(head), &at,
	    err);
	if (rc == SBLOG_END)
		*whyp = "batch is cut short";
	if (rc != 0)
		return rc < 0 ? rc : 0;
	at += SB_BATCH_HEAD_SIZE;
	if (sb_batch_hash_columns(k->cpu, head, salt, pos, at) !=
	    head->columns_hash) {
		*whyp = "batch columns checksum differs";
		return 0;
	}
	if (sb_batch_hash_values(k->cpu, head, salt, pos,
		at + head->columns_stored) != head->values_hash) {
		*whyp = "batch values checksum differs";
		return 0;
	}
	if ((rc = section(&k->columns, at, head->columns_stored,
		 head->columns_raw, head->flags & SB_BATCH_COLUMNS_LZ4,
		 &columns, err)) < 0 ||
	    (rc = section(&k->values, at + head->columns_stored,
		 head->values_stored, head->values_raw,
		 head->flags & SB_BATCH_VALUES_LZ4, &values, err)) < 0)
		return rc;
	if (columns == NULL || values == NULL) {
		*whyp = "batch does not decompress";
		return 0;
	}
	if (sb_view_open(view, head, columns, values, whyp) < 0)
		return 0;
	return 0;
}

static void
advance(struct sb_tail *tail, const struct sb_view *view)
{
	const struct sb_batch *head = &view->head;

	if (tail->first_time == 0)
		tail->first_time = head->base_time;
	tail->chain = sb_view_chain(view);
	tail->last_time = sb_view_time(view, head->count - 1);
	tail->last_pos = tail->pos;
	tail->pos += head->total_size;
	tail->end = head->next;
	tail->count += head->count;
	tail->raw += head->values_raw;
	tail->durable_upto = sb_max_u64(tail->durable_upto, head->durable_upto);
}

/* One step; *whyp set or *donep: the walk ends at tail->pos. */
static int
step(struct walk *k, struct sb_tail *tail, bool *donep, const char **whyp,
    struct sblog_err *err)
{
	struct sb_batch head;
	struct sb_view view;
	const uint8_t *at;
	int rc;

	*whyp = NULL;
	*donep = tail->pos >= k->limit;
	if (*donep)
		return 0;
	rc = sb_window_get(&k->window, tail->pos, SB_BATCH_HEAD_SIZE, &at, err);
	if (rc == SBLOG_END)
		*whyp = "batch is cut short";
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = sb_batch_decode(&head, k->wal->head.salt, tail->pos, at, whyp);
	if (rc == SBLOG_EFORMAT)
		return sb_err_set(err, rc, k->wal->name, "%s", *whyp);
	if (rc < 0)
		return 0;
	if (head.base != tail->end || head.chain != tail->chain ||
	    head.base_time < tail->last_time ||
	    head.total_size > k->limit - tail->pos) {
		*whyp = "batch does not follow the one before";
		return 0;
	}
	if (head.magic == SB_TRAILER_MAGIC) {
		tail->trailer = true;
		tail->pos += head.total_size;
		*donep = true;
		return 0;
	}
	if ((rc = look(k, tail->pos, &head, &view, whyp, err)) < 0 || *whyp)
		return rc;
	advance(tail, &view);
	return 0;
}

int
sb_wal_walk(const struct sb_wal *w, struct sb_tail *tail, uint64_t limit,
    struct sb_cpu *cpu, const char **whyp, struct sblog_err *err)
{
	struct walk k = {
		.wal = w,
		.window = SB_WINDOW_INIT(w->fd),
		.cpu = cpu,
		.limit = limit,
	};
	bool done = false;
	int rc = 0;

	*whyp = NULL;
	while (rc == 0 && !done && *whyp == NULL)
		rc = step(&k, tail, &done, whyp, err);
	sb_window_release(&k.window);
	sb_buf_release(&k.columns);
	sb_buf_release(&k.values);
	return rc;
}

int
sb_wal_resync(const struct sb_wal *w, uint64_t pos, uint64_t limit,
    uint64_t *foundp, struct sb_batch *head, struct sblog_err *err)
{
	struct sb_buf buf = SB_BUF_INIT;
	const char *why;
	int64_t n = 0;

	*foundp = UINT64_MAX;
	if (sb_buf_reserve(&buf, RESYNC_STEP + SB_BATCH_HEAD_SIZE) < 0)
		return sb_err_nomem(err);
	pos = sb_align_up(pos, SB_BATCH_ALIGN);
	while (pos < limit && *foundp == UINT64_MAX) {
		n = sb_sys_pread(w->fd, buf.data,
		    RESYNC_STEP + SB_BATCH_HEAD_SIZE, pos);
		if (n < SB_BATCH_HEAD_SIZE)
			break;
		for (uint64_t i = 0; i < RESYNC_STEP &&
		     i + SB_BATCH_HEAD_SIZE <= (uint64_t)n && pos + i < limit;
		     i += SB_BATCH_ALIGN) {
			uint32_t magic =
			    sb_get_u32(buf.data + i + SB_BATCH_MAGIC_AT);

			if ((magic == SB_BATCH_MAGIC ||
				magic == SB_TRAILER_MAGIC) &&
			    sb_batch_decode(head, w->head.salt, pos + i,
				buf.data + i, &why) == 0) {
				*foundp = pos + i;
				break;
			}
		}
		pos += RESYNC_STEP;
	}
	sb_buf_release(&buf);
	if (n < 0)
		return sb_err_sys(err, SBLOG_EIO, (int)n, w->name,
		    "cannot read");
	return 0;
}

/* Position behind the last byte that is not zero, at least pos. */
static int
used_end(const struct sb_wal *w, uint64_t pos, uint64_t *endp,
    struct sblog_err *err)
{
	uint8_t buf[4096];
	int64_t n;

	*endp = pos;
	for (; (n = sb_sys_pread(w->fd, buf, sizeof(buf), pos)) > 0;
	     pos += (uint64_t)n)
		for (size_t i = 0; i < (size_t)n; i++)
			if (buf[i] != 0)
				*endp = pos + i + 1;
	if (n < 0)
		return sb_err_sys(err, SBLOG_EIO, (int)n, w->name,
		    "cannot read");
	return 0;
}

int
sb_wal_quarantine(const struct sb_wal *w, int dirfd, uint64_t pos, bool *zerop,
    struct sblog_err *err)
{
	uint64_t end;
	int rc;

	if ((rc = used_end(w, pos, &end, err)) < 0)
		return rc;
	*zerop = end == pos;
	if (end > pos &&
	    (rc = sb_lost_copy(dirfd, w->fd, w->name, pos, end, err)) < 0)
		return rc;
	if ((rc = sb_sys_truncate(w->fd, pos)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, w->name, "cannot cut");
	return 0;
}
