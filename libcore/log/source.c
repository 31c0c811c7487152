/*
 * source.c - one file of records, opened for reading.
 */
#include "log/source.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "codec/filehead.h"
#include "codec/lz.h"
#include "store/names.h"
#include "store/wal.h"
#include "sys/sys.h"

enum { PACE = 2 << 20, FIRST_PACE = 64 << 10 };

static int
map_segment(struct sb_source *s, struct sblog_err *err)
{
	void *map = NULL;
	int rc;

	s->start = SB_SEG_HEAD_SIZE;
	s->limit = s->file.size - SB_SEG_FOOT_SIZE;
	if (s->size < s->limit)
		s->limit = s->size;
	if (s->size == 0)
		return 0;
	if ((rc = sb_sys_map(s->fd, s->size, false, &map)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, s->name, "cannot map");
	s->map = map;
	return 0;
}

int
sb_source_open(struct sb_source *s, int dirfd, const struct sb_file *file,
    const uint8_t topic[static SB_ID_SIZE], uint64_t limit,
    struct sblog_err *err)
{
	bool segment = file->kind == SBLOG_FILE_SEGMENT;
	struct sb_stat st;
	int rc;

	*s = SB_SOURCE_INIT;
	s->file = *file;
	s->dirfd = dirfd;
	memcpy(s->topic, topic, SB_ID_SIZE);
	sb_name_format(s->name, segment ? SB_NAME_SEGMENT : SB_NAME_WAL,
	    file->base, file->revision);
	rc = sb_sys_open(dirfd, s->name, SB_OPEN_READ);
	if (rc < 0)
		return sb_err_sys(err, rc == -ENOENT ? SBLOG_ENOENT : SBLOG_EIO,
		    rc, s->name, "cannot open");
	s->fd = rc;
	s->window = SB_WINDOW_INIT(s->fd);
	s->index = SB_INDEX_INIT;
	if ((rc = sb_sys_fstat(s->fd, &st)) < 0) {
		rc = sb_err_sys(err, SBLOG_EIO, rc, s->name, "cannot stat");
		goto fail;
	}
	s->size = st.size;
	if (segment) {
		if ((rc = map_segment(s, err)) < 0)
			goto fail;
		return 0;
	}
	s->start = SB_WAL_HEAD_SIZE;
	s->limit = file->kind == SBLOG_FILE_WAL ? file->size : limit;
	s->window.end = s->limit;
	return 0;
fail:
	sb_source_close(s);
	return rc;
}

void
sb_source_close(struct sb_source *s)
{
	if (s->fd < 0)
		return;
	if (s->map != NULL)
		sb_sys_unmap(s->map, s->size);
	sb_index_close(&s->index);
	sb_window_release(&s->window);
	sb_buf_release(&s->columns);
	sb_buf_release(&s->values);
	(void)sb_sys_close(&s->fd); /* only read from */
	*s = SB_SOURCE_INIT;
}

int
sb_source_bytes(struct sb_source *s, uint64_t pos, size_t len,
    const uint8_t **atp, struct sblog_err *err)
{
	int rc;

	if (s->file.kind == SBLOG_FILE_SEGMENT) {
		if (pos > s->size || len > s->size - pos)
			return SBLOG_END;
		*atp = s->map + pos;
		return 0;
	}
	s->viewed = 0; /* the window may move */
	rc = sb_window_get(&s->window, pos, len, atp, err);
	if (rc < 0)
		memcpy(err->file, s->name, sizeof(s->name));
	return rc;
}

static int
damage(const struct sb_source *s, uint64_t pos, const char *why,
    struct sblog_err *err)
{
	return sb_err_damage(err, s->name, pos, SBLOG_NO_OFFSET,
	    SBLOG_NO_OFFSET, "%s", why);
}

int
sb_source_head(struct sb_source *s, uint64_t pos, struct sb_batch *head,
    struct sblog_err *err)
{
	const uint8_t *at;
	const char *why;
	int rc;

	if (pos >= s->limit)
		return SBLOG_END;
	if ((rc = sb_source_bytes(s, pos, SB_BATCH_HEAD_SIZE, &at, err)) < 0)
		return rc;
	if (rc == SBLOG_END)
		return damage(s, pos, "file is cut short", err);
	rc = sb_batch_decode(head, s->file.salt, pos, at, &why);
	if (rc == SBLOG_EFORMAT)
		return sb_err_set(err, rc, s->name, "%s", why);
	if (rc < 0)
		return damage(s, pos, why, err);
	return head->magic == SB_TRAILER_MAGIC ? SBLOG_END : 0;
}

/* A section as it was before compression. */
static int
unpack(struct sb_source *s, struct sb_buf *buf, const uint8_t *stored,
    uint32_t stored_len, uint32_t raw_len, uint64_t pos, const uint8_t **rawp,
    struct sblog_err *err)
{
	if (sb_buf_reserve(buf, (size_t)raw_len + 8) < 0)
		return sb_err_nomem(err);
	if (sb_lz_unpack(stored, stored_len, buf->data, raw_len) < 0)
		return damage(s, pos, "batch does not decompress", err);
	*rawp = buf->data;
	return 0;
}

/* The stored sections at *columnsp, and with values behind them, verified. */
static int
sections(struct sb_source *s, uint64_t pos, const struct sb_batch *head,
    bool values, const uint8_t **columnsp, struct sblog_err *err)
{
	size_t len = SB_BATCH_HEAD_SIZE + (size_t)head->columns_stored +
	    (values ? head->values_stored : 0);
	const uint8_t *at, *columns;
	int rc;

	if ((rc = sb_source_bytes(s, pos, len, &at, err)) < 0)
		return rc;
	if (rc == SBLOG_END)
		return damage(s, pos, "batch is cut short", err);
	columns = at + SB_BATCH_HEAD_SIZE;
	if (sb_batch_hash_columns(&s->cpu, head, s->file.salt, pos, columns) !=
	    head->columns_hash)
		return damage(s, pos, "batch columns checksum differs", err);
	if (values &&
	    sb_batch_hash_values(&s->cpu, head, s->file.salt, pos,
		columns + head->columns_stored) != head->values_hash)
		return damage(s, pos, "batch values checksum differs", err);
	*columnsp = columns;
	return 0;
}

int
sb_source_hashes(struct sb_source *s, uint64_t pos, const struct sb_batch *head,
    struct sblog_err *err)
{
	const uint8_t *columns;

	return sections(s, pos, head, true, &columns, err);
}

int
sb_source_view(struct sb_source *s, uint64_t pos, const struct sb_batch *head,
    enum sb_want want, struct sb_view *view, struct sblog_err *err)
{
	const uint8_t *columns, *values;
	const char *why;
	int rc;

	s->viewed = 0;
	if ((rc = sections(s, pos, head, want == SB_WANT_ALL, &columns, err)) <
	    0)
		return rc;
	values = columns + head->columns_stored;
	if ((head->flags & SB_BATCH_COLUMNS_LZ4) &&
	    (rc = unpack(s, &s->columns, columns, head->columns_stored,
		 head->columns_raw, pos, &columns, err)) < 0)
		return rc;
	if (want == SB_WANT_ALL && (head->flags & SB_BATCH_VALUES_LZ4) &&
	    (rc = unpack(s, &s->values, values, head->values_stored,
		 head->values_raw, pos, &values, err)) < 0)
		return rc;
	if (sb_view_open(view, head, columns, values, &why) < 0)
		return damage(s, pos, why, err);
	if (want == SB_WANT_ALL)
		s->viewed = pos;
	return 0;
}

int
sb_source_resync(struct sb_source *s, uint64_t pos, uint64_t *foundp,
    struct sb_batch *head, struct sblog_err *err)
{
	struct sb_wal file = SB_WAL_INIT;

	file.fd = s->fd;
	memcpy(file.head.salt, s->file.salt, SB_SALT_SIZE);
	memcpy(file.name, s->name, sizeof(s->name));
	return sb_wal_resync(&file, pos, s->limit, foundp, head, err);
}

/* From a good place onwards by heads, to the batch that holds what is wanted
 * or, where a head is bad, to that: the reader will say so. */
static int
hop(struct sb_source *s, uint64_t offset, bool by_time, uint64_t *posp,
    uint64_t *expectedp, struct sblog_err *err)
{
	uint64_t pos = *posp;
	struct sb_batch head;
	int rc;

	for (;;) {
		rc = sb_source_head(s, pos, &head, err);
		if (rc == SBLOG_EDAMAGE || rc == SBLOG_END)
			return 0;
		if (rc < 0)
			return rc;
		if (by_time ? head.base_time >= (int64_t)offset
			    : head.base > offset)
			return 0;
		*posp = pos;
		*expectedp = head.base;
		if (!by_time && head.next > offset)
			return 0;
		pos += head.total_size;
		if (!by_time) {
			*posp = pos;
			*expectedp = head.next;
		}
	}
}

/* The batch that an index names must be what the index says it is. */
static bool
confirm(struct sb_source *s, const struct sb_index_entry *e)
{
	struct sblog_err ignored;
	struct sb_batch head;

	return e->pos >= s->start && e->pos % SB_BATCH_ALIGN == 0 &&
	    sb_source_head(s, e->pos, &head, &ignored) == 0 &&
	    head.base == e->offset && head.base_time == e->time;
}

static bool
seek_index(struct sb_source *s, uint64_t offset, bool by_time,
    struct sb_index_entry *e)
{
	struct sblog_err ignored;
	uint64_t i;

	if (s->file.kind != SBLOG_FILE_SEGMENT)
		return sb_windex_find(s->dirfd, &s->file, by_time, offset, e) &&
		    confirm(s, e);
	if (!s->index_tried) {
		s->index_tried = true;
		/* Missing or damaged: go on without. */
		if (sb_index_open(&s->index, s->dirfd, &s->file, s->topic,
			&s->cpu, &ignored) < 0)
			s->index = SB_INDEX_INIT;
	}
	if (s->index.map == NULL)
		return false;
	i = by_time ? sb_index_find_time(&s->index, (int64_t)offset)
		    : sb_index_find(&s->index, offset);
	if (i >= s->index.count)
		return false;
	*e = sb_index_at(&s->index, i);
	return confirm(s, e);
}

int
sb_source_seek(struct sb_source *s, uint64_t offset, bool by_time,
    uint64_t *posp, uint64_t *expectedp, struct sblog_err *err)
{
	struct sb_index_entry e;

	*posp = s->start;
	*expectedp = s->file.base;
	if ((by_time || offset > s->file.base) &&
	    seek_index(s, offset, by_time, &e)) {
		*posp = e.pos;
		*expectedp = e.offset;
	}
	if (!by_time && offset <= *expectedp)
		return 0;
	return hop(s, offset, by_time, posp, expectedp, err);
}

void
sb_source_pace(struct sb_source *s, uint64_t pos)
{
	uint64_t page = pos & ~(uint64_t)(PACE - 1);
	uint64_t from = pos & ~(uint64_t)(FIRST_PACE - 1);
	uint64_t len;

	if (s->map == NULL || pos < s->populated)
		return;
	if (page > s->released) {
		sb_sys_release(s->map + s->released, page - s->released);
		s->released = page;
	}
	/* Whoever reads on is ahead by more and more. */
	if (s->ahead < 2 * PACE)
		s->ahead = s->ahead == 0 ? FIRST_PACE : 2 * s->ahead;
	len = s->size - from < s->ahead ? s->size - from : s->ahead;
	sb_sys_populate(s->map + from, len);
	s->populated = from + s->ahead / 2;
}
