/*
 * fs.c - a file system in memory that knows what a power cut may undo.
 */
#include "common/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static _Noreturn void
bail(const char *what)
{
	printf("Bail out! file system: %s\n", what);
	(void)fflush(stdout);
	abort();
}

void *
fs_take(struct fs *f, size_t len)
{
	uint8_t *p = f->arena + f->used;

	len = (len + 15) & ~(size_t)15;
	if (len > f->arena_size - f->used)
		bail("arena is full");
	f->used += len;
	return p;
}

void
fs_init(struct fs *f, size_t arena_size)
{
	f->arena_size = arena_size;
	f->arena = mmap(NULL, arena_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->arena == MAP_FAILED)
		bail("no memory");
	f->count = 0;
	f->track = false;
	fs_clear(f);
}

void
fs_clear(struct fs *f)
{
	f->used = 0;
	f->count = FS_ROOT;
	f->seq = f->committed = f->syncs = 0;
	f->op_count = f->past_count = 0;
	f->overflow = false;
	(void)fs_new(f, true);
	f->inodes[FS_ROOT].links = 1;
}

uint32_t
fs_new(struct fs *f, bool directory)
{
	uint32_t ino = f->count++;

	if (ino >= FS_INODES)
		bail("too many files");
	f->inodes[ino] = (struct fs_inode){ .directory = directory };
	if (directory)
		f->inodes[ino].names =
		    fs_take(f, FS_NAMES * sizeof(struct fs_name));
	return ino;
}

void
fs_copy(struct fs *to, const struct fs *from)
{
	fs_clear(to);
	to->count = from->count;
	for (uint32_t i = FS_ROOT; i < from->count; i++) {
		const struct fs_inode *a = &from->inodes[i];
		struct fs_inode *b = &to->inodes[i];

		*b = (struct fs_inode){ .directory = a->directory,
			.links = a->links };
		if (a->links == 0)
			continue;
		if (a->directory) {
			if (i != FS_ROOT)
				b->names = fs_take(to,
				    FS_NAMES * sizeof(struct fs_name));
			else
				b->names = (void *)to->arena;
			b->count = a->count;
			memcpy(b->names, a->names,
			    a->count * sizeof(struct fs_name));
			continue;
		}
		b->size = b->cap = a->size;
		b->data = fs_take(to, a->size);
		if (a->size > 0)
			memcpy(b->data, a->data, a->size);
	}
}

uint32_t
fs_find(const struct fs *f, uint32_t dir, const char *name)
{
	const struct fs_inode *d = &f->inodes[dir];

	for (uint32_t i = 0; i < d->count; i++)
		if (strcmp(d->names[i].text, name) == 0)
			return d->names[i].ino;
	return 0;
}

/* Before the first change: what is on the device stays known. */
static void
keep_base(struct fs *f, struct fs_inode *n)
{
	if (!f->track || n->based)
		return;
	n->based = true;
	if (n->directory) {
		n->base_names = fs_take(f, FS_NAMES * sizeof(struct fs_name));
		n->base_count = n->count;
		memcpy(n->base_names, n->names,
		    n->count * sizeof(struct fs_name));
		return;
	}
	n->base = fs_take(f, n->size);
	n->base_size = n->size;
	if (n->size > 0)
		memcpy(n->base, n->data, n->size);
}

static struct fs_op *
note(struct fs *f, uint32_t ino, enum fs_kind kind)
{
	static struct fs_op nowhere;
	struct fs_op *op;

	f->seq++;
	if (!f->track)
		return &nowhere;
	if (f->op_count == FS_OPS) {
		f->overflow = true;
		return &nowhere;
	}
	op = &f->ops[f->op_count++];
	op->kind = kind;
	op->ino = ino;
	op->seq = f->seq;
	op->done = false;
	return op;
}

static void
set_name(struct fs_name *names, uint32_t *count, const char *name,
    uint32_t target)
{
	for (uint32_t i = 0; i < *count; i++) {
		if (strcmp(names[i].text, name) != 0)
			continue;
		if (target != 0)
			names[i].ino = target;
		else
			names[i] = names[--*count];
		return;
	}
	if (target == 0)
		return;
	if (*count == FS_NAMES)
		bail("too many names");
	(void)snprintf(names[*count].text, FS_TEXT, "%s", name);
	names[(*count)++].ino = target;
}

void
fs_link(struct fs *f, uint32_t dir, const char *name, uint32_t target)
{
	struct fs_inode *d = &f->inodes[dir];
	uint32_t old = fs_find(f, dir, name);
	struct fs_op *op;

	if (strlen(name) >= FS_TEXT)
		bail("name too long");
	keep_base(f, d);
	op = note(f, dir, FS_LINK);
	(void)snprintf(op->name, FS_TEXT, "%s", name);
	op->target = target;
	if (old != 0)
		f->inodes[old].links--;
	if (target != 0)
		f->inodes[target].links++;
	set_name(d->names, &d->count, name, target);
}

void
fs_rename(struct fs *f, uint32_t from, const char *name, uint32_t to,
    const char *new_name)
{
	uint32_t target = fs_find(f, from, name);
	uint32_t first = f->op_count;

	fs_link(f, to, new_name, target);
	fs_link(f, from, name, 0);
	if (f->track && f->op_count == first + 2) {
		f->seq--; /* one change, not two */
		f->ops[first + 1].seq = f->ops[first].seq;
	}
}

uint64_t
fs_read(const struct fs *f, uint32_t ino, void *buf, uint64_t len, uint64_t pos)
{
	const struct fs_inode *n = &f->inodes[ino];

	if (pos >= n->size)
		return 0;
	if (len > n->size - pos)
		len = n->size - pos;
	memcpy(buf, n->data + pos, len);
	return len;
}

static void
grow(struct fs *f, struct fs_inode *n, uint64_t size)
{
	uint8_t *grown;

	if (size <= n->cap)
		return;
	n->cap = size + size / 2 + 4096;
	grown = fs_take(f, n->cap);
	if (n->size > 0)
		memcpy(grown, n->data, n->size);
	n->data = grown;
}

void
fs_write(struct fs *f, uint32_t ino, const void *buf, uint64_t len,
    uint64_t pos)
{
	struct fs_inode *n = &f->inodes[ino];
	uint64_t end = pos + len;
	struct fs_op *op;
	uint8_t *copy;

	if (len == 0)
		return;
	keep_base(f, n);
	grow(f, n, end);
	if (pos > n->size)
		memset(n->data + n->size, 0, pos - n->size);
	op = note(f, ino, FS_WRITE);
	op->size_before = n->size;
	memcpy(n->data + pos, buf, len);
	n->size = end > n->size ? end : n->size;
	if (!f->track)
		return;
	copy = fs_take(f, len);
	memcpy(copy, buf, len);
	op->data = copy;
	op->pos = pos;
	op->len = len;
	op->size = n->size;
}

void
fs_truncate(struct fs *f, uint32_t ino, uint64_t size)
{
	struct fs_inode *n = &f->inodes[ino];
	struct fs_op *op;

	keep_base(f, n);
	grow(f, n, size);
	if (size > n->size)
		memset(n->data + n->size, 0, size - n->size);
	op = note(f, ino, FS_TRUNCATE);
	op->size_before = n->size;
	op->size = n->size = size;
}

void
fs_reserve(struct fs *f, uint32_t ino, uint64_t size)
{
	grow(f, &f->inodes[ino], size);
}

void
fs_share(struct fs *f, uint32_t ino)
{
	if (f->inodes[ino].shared)
		return;
	keep_base(f, &f->inodes[ino]);
	f->inodes[ino].shared = true;
}

/* The change reaches the device. */
static void
settle(struct fs *f, struct fs_inode *n, const struct fs_op *op)
{
	if (op->kind == FS_LINK) {
		set_name(n->base_names, &n->base_count, op->name, op->target);
		return;
	}
	if (op->size > n->base_size) {
		uint8_t *grown = fs_take(f, op->size);

		if (n->base_size > 0)
			memcpy(grown, n->base, n->base_size);
		memset(grown + n->base_size, 0, op->size - n->base_size);
		n->base = grown;
		n->base_size = op->size;
	}
	if (op->kind == FS_TRUNCATE)
		n->base_size = op->size;
	else
		memcpy(n->base + op->pos, op->data, op->len);
}

void
fs_sync(struct fs *f, uint32_t ino, uint64_t seq, bool data_only)
{
	struct fs_inode *n = &f->inodes[ino];
	bool rest = false, meta = !data_only;

	f->syncs++;
	if (!f->track)
		return;
	for (uint32_t i = 0; i < f->op_count; i++) {
		struct fs_op *op = &f->ops[i];

		if (op->ino != ino || op->done)
			continue;
		if (op->seq > seq) {
			rest = true;
			continue;
		}
		meta =
		    meta || op->kind != FS_WRITE || op->size != op->size_before;
		op->done = true;
		settle(f, n, op);
	}
	if (meta && seq > f->committed)
		f->committed = seq;
	if (n->shared)
		memcpy(n->base, n->data,
		    n->size < n->base_size ? n->size : n->base_size);
	else if (!rest)
		n->based = false;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(((const struct fs_name *)a)->text,
	    ((const struct fs_name *)b)->text);
}

static uint64_t
hash_tree(const struct fs *f, uint32_t ino, const char *skip, uint64_t h)
{
	const struct fs_inode *n = &f->inodes[ino];
	struct fs_name sorted[FS_NAMES];

	if (!n->directory)
		return XXH3_64bits_withSeed(n->size ? n->data
						    : (const uint8_t *)"",
		    n->size, h + n->size);
	memcpy(sorted, n->names, n->count * sizeof(sorted[0]));
	qsort(sorted, n->count, sizeof(sorted[0]), by_text);
	for (uint32_t i = 0; i < n->count; i++) {
		if (skip != NULL && strcmp(sorted[i].text, skip) == 0)
			continue;
		h = XXH3_64bits_withSeed(sorted[i].text, strlen(sorted[i].text),
		    h);
		h = hash_tree(f, sorted[i].ino, skip, h);
	}
	return h * 31 + n->count;
}

uint64_t
fs_hash(const struct fs *f, const char *skip)
{
	return hash_tree(f, FS_ROOT, skip, 1);
}

void
fs_remember(struct fs *f)
{
	for (uint32_t i = FS_ROOT; i < f->count; i++) {
		const struct fs_inode *n = &f->inodes[i];

		if (n->shared && n->links > 0 && n->size == FS_PAGE) {
			f->past_ino[f->past_count % FS_PAST] = i;
			memcpy(f->past[f->past_count++ % FS_PAST], n->data,
			    FS_PAGE);
			return;
		}
	}
}
