/*
 * keytab.c - the key table of a WAL: which records have a key, newest first.
 *
 * With state.c the only file with atomics: one writer at a time (lock.append),
 * readers without a lock.  An entry is complete before a bucket or the mark
 * leads to it.
 */
#include "store/keytab.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/err.h"
#include "base/le.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

enum {
	PAGE = 4096,
	BOOT_AT = 128,
	BOOT_HASH_AT = 144,
	BUSY_AT = 192,
	DEAD_AT = 200,
	MARK_AT = 256,
	MARK_SIZE = 32,
	MARK_HASH_AT = MARK_AT + MARK_SIZE,
	BUCKET = 8,
	ENTRY = 40,
	CHECK_AT = 28,
	LINK_AT = 32,
	PIECE = 256 << 10, /* the file grows by so much */
	TRIES = 64,
};

static uint64_t
buckets(uint32_t n)
{
	return UINT64_C(1024) << 2 * n;
}

static uint64_t
table_size(uint32_t n)
{
	return buckets(n) * (BUCKET + ENTRY);
}

static uint64_t
table_pos(uint32_t n)
{
	uint64_t pos = PAGE;

	for (uint32_t i = 0; i < n; i++)
		pos += table_size(i);
	return pos;
}

static _Atomic uint64_t *
word(const uint8_t *at)
{
	return (_Atomic uint64_t *)(uintptr_t)at;
}

static uint64_t
load(const uint8_t *at)
{
	return atomic_load_explicit(word(at), memory_order_acquire);
}

static void
store(uint8_t *at, uint64_t value)
{
	atomic_store_explicit(word(at), value, memory_order_release);
}

/* A number and a check that it belongs at this place. */
static uint64_t
seal_word(const struct sb_keytab *k, uint64_t place, uint32_t number)
{
	uint64_t x = (k->seed ^ place * UINT64_C(0x9e3779b97f4a7c15)) + number;

	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return (x & UINT64_C(0xffffffff00000000)) | number;
}

static bool
open_word(const struct sb_keytab *k, uint64_t place, uint64_t value,
    uint32_t *numberp)
{
	*numberp = (uint32_t)value;
	return seal_word(k, place, *numberp) == value;
}

/* Places: every bucket and every link of every table has its own. */
static uint64_t
bucket_place(uint32_t n, uint64_t b)
{
	return (uint64_t)n << 40 | b;
}

static uint64_t
link_place(uint32_t n, uint32_t i)
{
	return (uint64_t)n << 40 | UINT64_C(1) << 39 | i;
}

static uint8_t *
bucket_at(const struct sb_keytab *k, uint32_t n, uint64_t hash)
{
	return k->map[n] + BUCKET * (hash & (buckets(n) - 1));
}

static uint8_t *
entry_at(const struct sb_keytab *k, uint32_t n, uint32_t i)
{
	return k->map[n] + BUCKET * buckets(n) + (uint64_t)ENTRY * i;
}

static uint32_t
check_of(const struct sb_keytab *k, const uint8_t *entry, uint32_t n,
    uint32_t i)
{
	uint64_t x = k->seed + link_place(n, i);

	for (int at = 0; at < CHECK_AT - 4; at += 8) {
		x = (x ^ sb_get_u64(entry + at)) * UINT64_C(0x9e3779b97f4a7c15);
		x ^= x >> 32;
	}
	x = (x ^ sb_get_u32(entry + CHECK_AT - 4)) *
	    UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(x >> 32);
}

static void
encode_mark(const struct sb_keytab *k, const struct sb_keytab_mark *m,
    uint8_t out[MARK_SIZE + 8])
{
	sb_put_u64(out, m->end);
	sb_put_u64(out + 8, m->pos);
	sb_put_u32(out + 16, m->tables);
	sb_put_u32(out + 20, m->used);
	sb_put_u64(out + 24, m->size);
	sb_put_u64(out + MARK_SIZE,
	    XXH3_64bits_withSeed(out, MARK_SIZE, k->seed));
}

static void
put_mark(struct sb_keytab *k, const struct sb_keytab_mark *m)
{
	uint8_t bytes[MARK_SIZE + 8];

	encode_mark(k, m, bytes);
	for (size_t i = 0; i < sizeof(bytes); i += 8)
		store(k->head + MARK_AT + i, sb_get_u64(bytes + i));
}

bool
sb_keytab_mark(const struct sb_keytab *k, struct sb_keytab_mark *m)
{
	uint8_t bytes[MARK_SIZE + 8];

	for (int tries = 0; tries < TRIES; tries++) {
		if (load(k->head + DEAD_AT) != 0)
			return false;
		for (size_t i = 0; i < sizeof(bytes); i += 8)
			sb_put_u64(bytes + i, load(k->head + MARK_AT + i));
		if (XXH3_64bits_withSeed(bytes, MARK_SIZE, k->seed) !=
		    sb_get_u64(bytes + MARK_SIZE))
			continue;
		m->end = sb_get_u64(bytes);
		m->pos = sb_get_u64(bytes + 8);
		m->tables = sb_get_u32(bytes + 16);
		m->used = sb_get_u32(bytes + 20);
		m->size = sb_get_u64(bytes + 24);
		return m->tables >= 1 && m->tables <= SB_KEYTAB_TABLES &&
		    m->used <= buckets(m->tables - 1);
	}
	return false;
}

/* Bytes of the file that the mark needs. */
static uint64_t
used_size(const struct sb_keytab_mark *m)
{
	uint32_t n = m->tables - 1;

	return table_pos(n) + BUCKET * buckets(n) + (uint64_t)ENTRY * m->used;
}

static int
unusable(struct sblog_err *err, const char *name, const char *why)
{
	return sb_err_damage(err, name, 0, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
	    "%s", why);
}

void
sb_keytab_close(struct sb_keytab *k)
{
	for (uint32_t n = 0; n < SB_KEYTAB_TABLES; n++)
		if (k->map[n] != NULL)
			sb_sys_unmap(k->map[n], table_size(n));
	if (k->head != NULL)
		sb_sys_unmap(k->head, PAGE);
	(void)sb_sys_close(&k->fd); /* nothing unwritten */
	*k = SB_KEYTAB_INIT;
}

bool
sb_keytab_is_of(const struct sb_keytab *k, const struct sb_file *wal)
{
	return k->base == wal->base &&
	    k->seed == sb_seed(wal->salt, MARK_AT, 0);
}

/* Map table n; its part of the file is there or will be before it is used. */
static int
map_table(struct sb_keytab *k, uint32_t n)
{
	void *map = NULL;
	int rc;

	if (k->map[n] != NULL)
		return 0;
	rc = sb_sys_map_at(k->fd, table_pos(n), table_size(n), k->write, &map);
	if (rc < 0)
		return SBLOG_EIO;
	k->map[n] = map;
	return 0;
}

static const char *
check_head(const struct sb_keytab *k, const struct sb_file *wal,
    const uint8_t *topic, const uint8_t *boot)
{
	struct sb_file_head h;
	const char *why;

	if (sb_file_head_decode(&h, SB_MAGIC_KTB, k->head, &why) < 0)
		return why;
	if (memcmp(h.salt, wal->salt, SB_SALT_SIZE) != 0 ||
	    memcmp(h.topic, topic, SB_ID_SIZE) != 0 || h.base != wal->base)
		return "not the key table of this WAL";
	if (XXH3_64bits(k->head, BOOT_HASH_AT) !=
		sb_get_u64(k->head + BOOT_HASH_AT) ||
	    memcmp(k->head + BOOT_AT, boot, SB_ID_SIZE) != 0)
		return "of another boot";
	return NULL;
}

int
sb_keytab_open(struct sb_keytab *k, int dirfd, const struct sb_file *wal,
    const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], bool write, struct sblog_err *err)
{
	char name[SB_FILE_NAME_SIZE];
	struct sb_keytab_mark m;
	const char *why = NULL;
	struct sb_stat st;
	void *map = NULL;
	int rc;

	*k = SB_KEYTAB_INIT;
	k->write = write;
	k->base = wal->base;
	k->seed = sb_seed(wal->salt, MARK_AT, 0);
	sb_name_format(name, SB_NAME_KEYTAB, wal->base, 0);
	rc = sb_sys_open(dirfd, name, write ? SB_OPEN_WRITE : SB_OPEN_READ);
	if (rc < 0)
		return sb_err_sys(err, rc == -ENOENT ? SBLOG_ENOENT : SBLOG_EIO,
		    rc, name, "cannot open");
	k->fd = rc;
	if ((rc = sb_sys_fstat(k->fd, &st)) < 0 ||
	    (st.size >= PAGE &&
		(rc = sb_sys_map_at(k->fd, 0, PAGE, write, &map)) < 0)) {
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot map");
		goto fail;
	}
	k->head = map;
	if (st.size < PAGE)
		why = "shorter than its head";
	else if ((why = check_head(k, wal, topic, boot)) == NULL &&
	    !sb_keytab_mark(k, &m))
		why = "not to be used";
	/* A mapping is touched no further than the file goes. */
	if (why == NULL && (st.size < m.size || m.size < used_size(&m)))
		why = "cut short";
	if (why != NULL) {
		rc = unusable(err, name, why);
		goto fail;
	}
	return 0;
fail:
	sb_keytab_close(k);
	return rc;
}

/* The file up to `to` bytes: written, not sparse, or a store could fail. */
static int
grow(struct sb_keytab *k, uint64_t to)
{
	static const uint8_t zeros[PAGE * 4];
	int rc;

	for (; k->size < to; k->size += sizeof(zeros)) {
		if ((rc = sb_sys_pwrite(k->fd, zeros, sizeof(zeros), k->size)) <
		    0)
			return SBLOG_EIO;
	}
	return 0;
}

static int
start_table(struct sb_keytab *k)
{
	uint32_t n = k->tables;
	int rc;

	if (n == SB_KEYTAB_TABLES)
		return SBLOG_ETOOBIG;
	if ((rc = grow(k, table_pos(n) + BUCKET * buckets(n) + PIECE)) < 0 ||
	    (rc = map_table(k, n)) < 0)
		return rc;
	for (uint64_t b = 0; b < buckets(n); b++)
		store(k->map[n] + BUCKET * b,
		    seal_word(k, bucket_place(n, b), 0));
	k->tables = n + 1;
	k->used = 0;
	return 0;
}

/* Head page of an empty table into the new file. */
static int
write_head(struct sb_tmp *file, const struct sb_file *wal, const uint8_t *topic,
    const uint8_t *boot, struct sblog_err *err)
{
	struct sb_file_head h = {
		.magic = SB_MAGIC_KTB,
		.base = wal->base,
		.chain = wal->chain,
		.created = sb_sys_time_us(),
		.head_size = PAGE,
	};
	uint8_t page[PAGE] = { 0 };
	struct sblog_bytes bytes = { page, sizeof(page) };

	memcpy(h.salt, wal->salt, SB_SALT_SIZE);
	memcpy(h.topic, topic, SB_ID_SIZE);
	sb_file_head_encode(&h, page);
	memcpy(page + BOOT_AT, boot, SB_ID_SIZE);
	sb_put_u64(page + BOOT_HASH_AT, XXH3_64bits(page, BOOT_HASH_AT));
	return sb_tmp_write(file, bytes, 0, err);
}

int
sb_keytab_create(struct sb_keytab *k, int dirfd, const struct sb_file *wal,
    const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], struct sblog_err *err)
{
	struct sb_keytab_mark m = { .end = wal->base,
		.pos = SB_WAL_HEAD_SIZE,
		.tables = 1 };
	struct sb_tmp file = SB_TMP_INIT;
	char name[SB_FILE_NAME_SIZE];
	void *map = NULL;
	int rc;

	*k = SB_KEYTAB_INIT;
	k->write = true;
	k->base = wal->base;
	k->seed = sb_seed(wal->salt, MARK_AT, 0);
	sb_name_format(name, SB_NAME_KEYTAB, wal->base, 0);
	if ((rc = sb_tmp_create(&file, dirfd, name, err)) < 0 ||
	    (rc = write_head(&file, wal, topic, boot, err)) < 0)
		goto out;
	k->fd = file.fd;
	k->size = PAGE;
	if (sb_sys_map_at(k->fd, 0, PAGE, true, &map) < 0) {
		rc = sb_err_set(err, SBLOG_EIO, name, "cannot map");
		goto out;
	}
	k->head = map;
	if ((rc = start_table(k)) < 0) {
		(void)sb_err_set(err, rc, name, "cannot grow");
		goto out;
	}
	m.size = k->size;
	put_mark(k, &m);
	/* A cache of this boot: it need not survive a power cut, so no sync. */
	if ((rc = sb_sys_rename(dirfd, file.tmp, name)) < 0)
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot rename");
	else
		file = SB_TMP_INIT;
out:
	if (rc < 0)
		k->fd = -1; /* the temporary file's */
	sb_tmp_discard(&file);
	if (rc < 0)
		sb_keytab_close(k);
	return rc;
}

bool
sb_keytab_begin(struct sb_keytab *k, struct sb_keytab_mark *m)
{
	if (load(k->head + BUSY_AT) != 0 || !sb_keytab_mark(k, m) ||
	    map_table(k, m->tables - 1) < 0)
		return false;
	k->tables = m->tables;
	k->used = m->used;
	k->size = m->size;
	store(k->head + BUSY_AT, 1);
	return true;
}

void
sb_keytab_end(struct sb_keytab *k, uint64_t end, uint64_t pos)
{
	const struct sb_keytab_mark m = { end, pos, k->tables, k->used,
		k->size };

	put_mark(k, &m);
	store(k->head + BUSY_AT, 0);
}

void
sb_keytab_kill(struct sb_keytab *k)
{
	store(k->head + DEAD_AT, 1);
}

int
sb_keytab_remove(int dirfd, const struct sb_file *wal)
{
	char name[SB_FILE_NAME_SIZE];

	sb_name_format(name, SB_NAME_KEYTAB, wal->base, 0);
	return sb_sys_unlink(dirfd, name);
}

void
sb_keytab_prefetch(const struct sb_keytab *k, uint64_t hash)
{
	__builtin_prefetch(bucket_at(k, k->tables - 1, hash), 1);
}

void
sb_keytab_prefetch_entry(const struct sb_keytab *k, uint64_t hash)
{
	uint32_t n = k->tables - 1;
	uint32_t first = (uint32_t)load(bucket_at(k, n, hash));

	if (first > 0 && first <= k->used)
		__builtin_prefetch(entry_at(k, n, first - 1), 1);
}

int
sb_keytab_at(struct sb_keytab *k, uint32_t n, uint32_t i,
    struct sb_keytab_entry *e)
{
	const uint8_t *at;

	if (n >= SB_KEYTAB_TABLES || i >= buckets(n) || map_table(k, n) < 0)
		return SBLOG_EDAMAGE;
	at = entry_at(k, n, i);
	*e = (struct sb_keytab_entry){
		.hash = sb_get_u64(at),
		.rel = sb_get_u32(at + 8),
		.prev = sb_get_u32(at + 12),
		.ord = sb_get_u32(at + 16),
		.jump = sb_get_u32(at + 20),
		.pos = (uint64_t)sb_get_u32(at + 24) * 8,
	};
	/* Both lead back, or a damaged one could lead in a circle. */
	if (sb_get_u32(at + CHECK_AT) != check_of(k, at, n, i) || e->prev > i ||
	    e->jump > i)
		return SBLOG_EDAMAGE;
	return 0;
}

/* Number of the entry with this hash in its bucket, and of the one before it
 * there (UINT32_MAX: it is the first). */
static int
find_entry(struct sb_keytab *k, uint32_t n, uint64_t hash, uint32_t limit,
    uint32_t *ip, uint32_t *beforep, struct sb_keytab_entry *e)
{
	uint64_t b = hash & (buckets(n) - 1);
	uint64_t place = bucket_place(n, b);
	const uint8_t *at = bucket_at(k, n, hash);
	uint32_t next;
	int rc;

	*beforep = UINT32_MAX;
	for (uint64_t steps = 0; steps <= buckets(n); steps++) {
		if (!open_word(k, place, load(at), &next))
			return SBLOG_EDAMAGE;
		if (next == 0)
			return SBLOG_END;
		if ((rc = sb_keytab_at(k, n, next - 1, e)) < 0)
			return rc;
		if (e->hash == hash) {
			*ip = next - 1;
			while (*ip >= limit) { /* newer than what is known */
				if (e->prev == 0)
					return SBLOG_END;
				*ip = e->prev - 1;
				if ((rc = sb_keytab_at(k, n, *ip, e)) < 0)
					return rc;
			}
			return 0;
		}
		*beforep = next - 1;
		place = link_place(n, next - 1);
		at = entry_at(k, n, next - 1) + LINK_AT;
	}
	return SBLOG_EDAMAGE;
}

int
sb_keytab_find(struct sb_keytab *k, const struct sb_keytab_mark *m, uint32_t n,
    uint64_t hash, uint32_t *ip, struct sb_keytab_entry *e)
{
	uint32_t limit = n + 1 == m->tables ? m->used : UINT32_MAX;
	uint32_t before;

	if (map_table(k, n) < 0)
		return SBLOG_EDAMAGE;
	return find_entry(k, n, hash, limit, ip, &before, e);
}

/* Table n up to `need` bytes, and a piece more; its pages are mapped at once,
 * because one at a time each costs a fault. */
static int
grow_for(struct sb_keytab *k, uint32_t n, uint64_t need)
{
	uint64_t begin = table_pos(n), from = k->size;
	int rc;

	if (begin + need <= k->size)
		return 0;
	if ((rc = grow(k, begin + need + PIECE)) < 0)
		return rc;
	sb_sys_populate_write(k->map[n] + (from - begin), k->size - from);
	return 0;
}

int
sb_keytab_insert(struct sb_keytab *k, uint64_t hash, uint64_t offset,
    uint64_t pos)
{
	struct sb_keytab_entry old = { 0 };
	uint32_t n = k->tables - 1, i = 0, before = 0, jump = 0, first, next;
	uint8_t *at, *bucket;
	int rc;

	if (k->used == buckets(n)) {
		if ((rc = start_table(k)) < 0)
			return rc;
		n++;
	}
	if (offset - k->base > UINT32_MAX || pos / 8 > UINT32_MAX ||
	    (rc = map_table(k, n)) < 0)
		return SBLOG_ETOOBIG;
	at = entry_at(k, n, k->used);
	if ((rc = grow_for(k, n, (uint64_t)(at - k->map[n]) + ENTRY)) < 0)
		return rc;
	rc = find_entry(k, n, hash, UINT32_MAX, &i, &before, &old);
	if (rc < 0 ||
	    (rc == 0 && (rc = sb_keytab_jump(k, n, i, &old, &jump)) < 0))
		return rc;
	sb_put_u64(at, hash);
	sb_put_u32(at + 8, (uint32_t)(offset - k->base));
	sb_put_u32(at + 12, rc == 0 ? i + 1 : 0);
	sb_put_u32(at + 16, rc == 0 ? old.ord + 1 : 0);
	sb_put_u32(at + 20, jump);
	sb_put_u32(at + 24, (uint32_t)(pos / 8));
	sb_put_u32(at + CHECK_AT, check_of(k, at, n, k->used));
	/* In front of its bucket; the older one of the same hash goes out. */
	bucket = bucket_at(k, n, hash);
	first = (uint32_t)load(bucket);
	next = (uint32_t)load(entry_at(k, n, i) + LINK_AT);
	if (rc == 0 && before == UINT32_MAX)
		first = next;
	store(at + LINK_AT, seal_word(k, link_place(n, k->used), first));
	store(bucket,
	    seal_word(k, bucket_place(n, hash & (buckets(n) - 1)),
		k->used + 1));
	if (rc == 0 && before != UINT32_MAX)
		store(entry_at(k, n, before) + LINK_AT,
		    seal_word(k, link_place(n, before), next));
	k->used++;
	return 0;
}
