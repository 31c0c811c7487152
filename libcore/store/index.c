/*
 * index.c - where batches lie: of a segment complete, of a WAL sparse.
 */
#include "store/index.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/err.h"
#include "base/le.h"
#include "base/num.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

enum { COLUMNS = 3, WORD = 8 };

static int
stale(struct sblog_err *err, const char *name, const char *why)
{
	return sb_err_damage(err, name, 0, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
	    "%s", why);
}

/* Is this mapping the index of that segment? */
static int
check(struct sb_index *ix, const struct sb_file *segment, const uint8_t *topic,
    struct sb_cpu *cpu, const char *name, struct sblog_err *err)
{
	const uint8_t *body = (const uint8_t *)ix->map + SB_FILE_HEAD_SIZE;
	uint64_t size = ix->map_size - SB_FILE_HEAD_SIZE;
	struct sb_file_head h;
	const char *why;

	if (sb_file_head_decode(&h, SB_MAGIC_IDX, ix->map, &why) < 0)
		return stale(err, name, why);
	if (memcmp(h.salt, segment->salt, SB_SALT_SIZE) != 0 ||
	    memcmp(h.topic, topic, SB_ID_SIZE) != 0 ||
	    h.base != segment->base || h.of_size != segment->size)
		return stale(err, name, "not the index of this segment");
	if (h.body_size != size || h.head_size != SB_FILE_HEAD_SIZE ||
	    h.count > size / (COLUMNS * WORD) ||
	    h.count * COLUMNS * WORD != size)
		return stale(err, name, "index is not as long as it says");
	if (sb_hash64(cpu, body, size, sb_seed(h.salt, h.count, h.base)) !=
	    h.body_hash)
		return stale(err, name, "index checksum differs");
	ix->count = h.count;
	ix->offsets = body;
	ix->positions = body + h.count * WORD;
	ix->times = body + 2 * h.count * WORD;
	return 0;
}

int
sb_index_open(struct sb_index *ix, int dirfd, const struct sb_file *segment,
    const uint8_t topic[static SB_ID_SIZE], struct sb_cpu *cpu,
    struct sblog_err *err)
{
	char name[SB_FILE_NAME_SIZE];
	struct sb_stat st;
	int fd, rc;

	*ix = SB_INDEX_INIT;
	sb_name_format(name, SB_NAME_INDEX, segment->base, segment->revision);
	fd = sb_sys_open(dirfd, name, SB_OPEN_READ);
	if (fd < 0)
		return sb_err_sys(err, fd == -ENOENT ? SBLOG_ENOENT : SBLOG_EIO,
		    fd, name, "cannot open");
	if ((rc = sb_sys_fstat(fd, &st)) < 0) {
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot stat");
	} else if (st.size < SB_FILE_HEAD_SIZE) {
		rc = stale(err, name, "index is shorter than its head");
	} else if ((rc = sb_sys_map(fd, st.size, false, &ix->map)) < 0) {
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot map");
	} else {
		ix->map_size = st.size;
		sb_sys_populate(ix->map, ix->map_size);
		rc = check(ix, segment, topic, cpu, name, err);
	}
	(void)sb_sys_close(&fd); /* only read from */
	if (rc < 0)
		sb_index_close(ix);
	return rc;
}

void
sb_index_close(struct sb_index *ix)
{
	if (ix->map != NULL)
		sb_sys_unmap(ix->map, ix->map_size);
	*ix = SB_INDEX_INIT;
}

static inline uint64_t
entry(const uint8_t *column, uint64_t i)
{
	return sb_get_u64(column + i * WORD);
}

/*
 * Last entry <= key in an ascending column; n if there is none.  Batches hold
 * about as many records each, so a guess by proportion is nearly right; then
 * the distance is doubled until the key is enclosed, and halved.
 */
static uint64_t
lower(const uint8_t *column, uint64_t n, uint64_t key)
{
	uint64_t low = 0, high = n, guess, first, last, step = 1;

	if (n == 0 || (first = entry(column, 0)) > key)
		return n;
	last = entry(column, n - 1);
	if (last <= key)
		return n - 1;
	guess = (uint64_t)((double)(key - first) / (double)(last - first) *
	    (double)(n - 1));
	if (entry(column, guess) <= key) {
		low = guess;
		while (low + step < n && entry(column, low + step) <= key) {
			low += step;
			step *= 2;
		}
		high = low + step < n ? low + step : n;
	} else {
		high = guess;
		while (high > step && entry(column, high - step) > key) {
			high -= step;
			step *= 2;
		}
		low = high > step ? high - step : 0;
	}
	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;

		if (entry(column, mid) <= key)
			low = mid;
		else
			high = mid;
	}
	return low;
}

uint64_t
sb_index_find(const struct sb_index *ix, uint64_t offset)
{
	return lower(ix->offsets, ix->count, offset);
}

uint64_t
sb_index_find_time(const struct sb_index *ix, int64_t time)
{
	uint64_t i;

	if (time <= 0)
		return 0;
	i = lower(ix->times, ix->count, (uint64_t)time - 1);
	return i < ix->count ? i : 0;
}

struct sb_index_entry
sb_index_at(const struct sb_index *ix, uint64_t i)
{
	return (struct sb_index_entry){
		.offset = entry(ix->offsets, i),
		.pos = entry(ix->positions, i),
		.time = (int64_t)entry(ix->times, i),
	};
}

int
sb_index_save(int dirfd, const struct sb_file *segment,
    const uint8_t topic[static SB_ID_SIZE],
    const struct sb_index_entry *entries, uint64_t n, struct sb_cpu *cpu,
    struct sblog_err *err)
{
	uint64_t size = n * COLUMNS * WORD;
	struct sb_file_head h = {
		.magic = SB_MAGIC_IDX,
		.base = segment->base,
		.chain = segment->chain,
		.created = sb_sys_time_us(),
		.head_size = SB_FILE_HEAD_SIZE,
		.count = n,
		.body_size = size,
		.of_size = segment->size,
	};
	struct sb_buf buf = SB_BUF_INIT;
	struct sb_tmp file = SB_TMP_INIT;
	char name[SB_FILE_NAME_SIZE];
	uint8_t *body;
	int rc;

	sb_name_format(name, SB_NAME_INDEX, segment->base, segment->revision);
	if (sb_buf_reserve(&buf, SB_FILE_HEAD_SIZE + (size_t)size) < 0)
		return sb_err_nomem(err);
	body = buf.data + SB_FILE_HEAD_SIZE;
	for (uint64_t i = 0; i < n; i++) {
		sb_put_u64(body + i * WORD, entries[i].offset);
		sb_put_u64(body + (n + i) * WORD, entries[i].pos);
		sb_put_u64(body + (2 * n + i) * WORD,
		    (uint64_t)entries[i].time);
	}
	memcpy(h.salt, segment->salt, SB_SALT_SIZE);
	memcpy(h.topic, topic, SB_ID_SIZE);
	h.body_hash = sb_hash64(cpu, body, size, sb_seed(h.salt, n, h.base));
	sb_file_head_encode(&h, buf.data);
	buf.len = SB_FILE_HEAD_SIZE + (size_t)size;
	if ((rc = sb_tmp_create(&file, dirfd, name, err)) == 0 &&
	    (rc = sb_tmp_write(&file, sb_buf_bytes(&buf), 0, err)) == 0)
		rc = sb_tmp_commit(&file, SB_TMP_REPLACE, err);
	sb_tmp_discard(&file);
	sb_buf_release(&buf);
	return rc;
}

void
sb_windex_head(const struct sb_file *wal,
    const uint8_t topic[static SB_ID_SIZE],
    uint8_t out[static SB_FILE_HEAD_SIZE])
{
	struct sb_file_head h = {
		.magic = SB_MAGIC_WDX,
		.base = wal->base,
		.chain = wal->chain,
		.head_size = SB_FILE_HEAD_SIZE,
	};

	memcpy(h.salt, wal->salt, SB_SALT_SIZE);
	memcpy(h.topic, topic, SB_ID_SIZE);
	sb_file_head_encode(&h, out);
}

static uint64_t
entry_hash(const uint8_t *bytes, const uint8_t *salt, uint64_t i)
{
	uint64_t pos = SB_FILE_HEAD_SIZE + i * SB_WINDEX_ENTRY_SIZE;

	return XXH3_64bits_withSeed(bytes, 3 * WORD,
	    sb_seed(salt, pos, sb_get_u64(bytes)));
}

void
sb_windex_encode(const struct sb_index_entry *e, uint64_t i,
    const uint8_t salt[static SB_SALT_SIZE],
    uint8_t out[static SB_WINDEX_ENTRY_SIZE])
{
	sb_put_u64(out, e->offset);
	sb_put_u64(out + WORD, e->pos);
	sb_put_u64(out + 2 * WORD, (uint64_t)e->time);
	sb_put_u64(out + 3 * WORD, entry_hash(out, salt, i));
}

bool
sb_windex_decode(struct sb_index_entry *e, uint64_t i,
    const uint8_t salt[static SB_SALT_SIZE],
    const uint8_t in[static SB_WINDEX_ENTRY_SIZE])
{
	if (sb_get_u64(in + 3 * WORD) != entry_hash(in, salt, i))
		return false;
	e->offset = sb_get_u64(in);
	e->pos = sb_get_u64(in + WORD);
	e->time = (int64_t)sb_get_u64(in + 2 * WORD);
	return true;
}

/* Entry i of the file, if it is one. */
static bool
read_entry(int fd, const struct sb_file *wal, uint64_t i,
    struct sb_index_entry *e)
{
	uint8_t bytes[SB_WINDEX_ENTRY_SIZE];

	return sb_sys_pread(fd, bytes, sizeof(bytes),
		   SB_FILE_HEAD_SIZE + i * SB_WINDEX_ENTRY_SIZE) ==
	    (int64_t)sizeof(bytes) &&
	    sb_windex_decode(e, i, wal->salt, bytes);
}

bool
sb_windex_find(int dirfd, const struct sb_file *wal, bool by_time,
    uint64_t offset, struct sb_index_entry *e)
{
	struct sb_index_entry mid_entry;
	char name[SB_FILE_NAME_SIZE];
	uint64_t low = 0, high;
	bool found = false;
	struct sb_stat st;
	int fd;

	sb_name_format(name, SB_NAME_WINDEX, wal->base, 0);
	if ((fd = sb_sys_open(dirfd, name, SB_OPEN_READ)) < 0)
		return false;
	high = sb_sys_fstat(fd, &st) == 0 && st.size > SB_FILE_HEAD_SIZE
	    ? (st.size - SB_FILE_HEAD_SIZE) / SB_WINDEX_ENTRY_SIZE
	    : 0;
	/* A bad entry counts as too far: what is found is checked anyway. */
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (read_entry(fd, wal, mid, &mid_entry) &&
		    (by_time ? mid_entry.time < (int64_t)offset
			     : mid_entry.offset <= offset)) {
			*e = mid_entry;
			found = true;
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	(void)sb_sys_close(&fd); /* only read from */
	return found;
}
