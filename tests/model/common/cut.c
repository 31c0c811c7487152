/*
 * cut.c - the file systems that may be found after a power cut.
 */
#include "common/cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOUCH_MAX = 64, NAMES_MAX = 96 };

struct cutting {
	struct fs *to;
	const struct fs *from;
	enum cut_profile profile;
	cut_choose choose;
	void *arg;
	uint64_t upto; /* changes after it are not there, in order */
	uint32_t made[FS_INODES];
	/* changes of names that are taken, in CUT_ANY */
	bool taken[FS_OPS];
};

static uint32_t
choose(struct cutting *c, uint32_t n)
{
	return n > 1 ? c->choose(c->arg, n) : 0;
}

static bool
extends(const struct fs_op *op)
{
	return op->kind != FS_WRITE || op->size != op->size_before;
}

/* Where the order is kept: after which change did the device stop? */
static void
choose_moment(struct cutting *c)
{
	const struct fs *f = c->from;
	uint64_t moments[FS_OPS + 1], least = 0;
	uint32_t n = 0;

	c->upto = UINT64_MAX;
	if (c->profile == CUT_ANY)
		return;
	if (c->profile == CUT_ORDERED)
		least = f->committed;
	moments[n++] = least;
	for (uint32_t i = 0; i < f->op_count; i++) {
		const struct fs_op *op = &f->ops[i];

		if (op->done || op->seq <= moments[n - 1] ||
		    (c->profile == CUT_ORDERED && !extends(op)))
			continue;
		moments[n++] = op->seq;
	}
	c->upto = moments[choose(c, n)];
}

/* ---- files ---- */

struct file_cut {
	const struct fs_inode *n;
	const struct fs_op *ops[TOUCH_MAX];
	uint32_t count;
};

static void
gather(struct cutting *c, uint32_t ino, struct file_cut *fc)
{
	fc->n = &c->from->inodes[ino];
	fc->count = 0;
	for (uint32_t i = 0; i < c->from->op_count; i++) {
		const struct fs_op *op = &c->from->ops[i];

		if (op->ino == ino && !op->done && op->kind != FS_LINK &&
		    fc->count < TOUCH_MAX)
			fc->ops[fc->count++] = op;
	}
}

static uint32_t
add_size(uint64_t *sizes, uint32_t n, uint64_t size)
{
	for (uint32_t i = 0; i < n; i++)
		if (sizes[i] == size)
			return n;
	sizes[n] = size;
	return n + 1;
}

/* Write-back goes page by page: it may have got to the end of one. */
static uint64_t
page_between(const struct fs_op *op)
{
	uint64_t page = (op->size_before / FS_PAGE + 1) * FS_PAGE;

	return op->kind == FS_WRITE && page < op->size ? page : op->size;
}

static uint64_t
choose_size(struct cutting *c, const struct file_cut *fc)
{
	uint64_t sizes[2 * TOUCH_MAX + 1];
	uint32_t n = 1;

	sizes[0] = fc->n->base_size;
	for (uint32_t i = 0; i < fc->count; i++) {
		const struct fs_op *op = fc->ops[i];

		if (c->profile == CUT_ANY) {
			n = add_size(sizes, n, page_between(op));
			n = add_size(sizes, n, op->size);
		} else if (op->seq <= c->upto) {
			sizes[0] = op->size;
		} else {
			if (c->profile == CUT_ORDERED &&
			    page_between(op) != op->size)
				n = add_size(sizes, n, page_between(op));
			break;
		}
	}
	return sizes[choose(c, n)];
}

/* The contents of a sector after the first count changes. */
static void
sector_after(const struct file_cut *fc, uint64_t at, uint32_t count,
    uint8_t out[FS_SECTOR])
{
	uint64_t have = at < fc->n->base_size ? fc->n->base_size - at : 0;

	have = have < FS_SECTOR ? have : FS_SECTOR;
	if (have > 0)
		memcpy(out, fc->n->base + at, have);
	memset(out + have, 0, FS_SECTOR - have);
	for (uint32_t i = 0; i < count; i++) {
		const struct fs_op *op = fc->ops[i];
		uint64_t from, to;

		if (op->kind == FS_TRUNCATE) {
			from = op->size > at ? op->size - at : 0;
			if (from < FS_SECTOR)
				memset(out + from, 0, FS_SECTOR - from);
			continue;
		}
		from = op->pos > at ? op->pos : at;
		to = op->pos + op->len < at + FS_SECTOR ? op->pos + op->len
							: at + FS_SECTOR;
		if (from < to)
			memcpy(out + (from - at), op->data + (from - op->pos),
			    to - from);
	}
}

static bool
touches(const struct fs_op *op, uint64_t at)
{
	if (op->kind == FS_TRUNCATE)
		return op->size < at + FS_SECTOR;
	return op->pos < at + FS_SECTOR && op->pos + op->len > at;
}

/* How the sector is found: as on the device, or as after one of the changes. */
static void
choose_sector(struct cutting *c, const struct file_cut *fc, uint64_t at,
    uint8_t out[FS_SECTOR])
{
	uint8_t versions[8][FS_SECTOR];
	uint32_t n = 1;
	bool fixed = c->profile == CUT_SNAPSHOT ||
	    (c->profile == CUT_ORDERED && at >= fc->n->base_size);

	sector_after(fc, at, 0, versions[0]);
	for (uint32_t i = 0; i < fc->count; i++) {
		if (!touches(fc->ops[i], at))
			continue;
		if (fixed && fc->ops[i]->seq > c->upto)
			break;
		if (fixed)
			n = 0;
		if (n == 8)
			n--;
		sector_after(fc, at, i + 1, versions[n]);
		if (n == 0 ||
		    memcmp(versions[n], versions[n - 1], FS_SECTOR) != 0)
			n++;
	}
	memcpy(out, versions[choose(c, n)], FS_SECTOR);
}

/* A shared page is written back when the kernel likes, sector by sector. */
static void
make_shared(struct cutting *c, uint32_t ino, uint8_t *out)
{
	const struct fs *f = c->from;
	const struct fs_inode *n = &f->inodes[ino];
	uint32_t past = f->past_count < FS_PAST ? f->past_count : FS_PAST;
	uint64_t common = n->base_size < n->size ? n->base_size : n->size;
	uint32_t k, back;

	while (past > 0 && f->past_ino[(f->past_count - past) % FS_PAST] != ino)
		past--;
	k = choose(c, 4 + (past < 3 ? past : 3));
	memset(out, 0, n->size);
	if (k == 0) {
		memcpy(out, n->data, n->size);
	} else if (k == 1) {
		memcpy(out, n->base, common);
	} else if (k < 4) {
		for (uint64_t at = 0; at + FS_SECTOR <= common; at += FS_SECTOR)
			memcpy(out + at,
			    ((at / FS_SECTOR) % 2 == k % 2 ? n->data
							   : n->base) +
				at,
			    FS_SECTOR);
	} else {
		/* One step ago, three, and as long as is known. */
		back = k == 4 ? 1 : k == 5 ? 3 : past;
		back = back < past ? back : past;
		memcpy(out, f->past[(f->past_count - back) % FS_PAST], n->size);
	}
}

static void
make_file(struct cutting *c, uint32_t ino, struct fs_inode *out)
{
	const struct fs_inode *n = &c->from->inodes[ino];
	struct file_cut fc;
	uint8_t sector[FS_SECTOR];

	if (!n->based) {
		out->size = out->cap = n->size;
		out->data = fs_take(c->to, n->size);
		if (n->size > 0)
			memcpy(out->data, n->data, n->size);
		return;
	}
	if (n->shared) {
		out->size = out->cap = n->size;
		out->data = fs_take(c->to, n->size);
		make_shared(c, ino, out->data);
		return;
	}
	gather(c, ino, &fc);
	out->size = out->cap = choose_size(c, &fc);
	out->data = fs_take(c->to, out->size + FS_SECTOR);
	memset(out->data, 0, out->size);
	if (n->base_size > 0 && out->size > 0)
		memcpy(out->data, n->base,
		    n->base_size < out->size ? n->base_size : out->size);
	for (uint64_t at = 0; at < out->size; at += FS_SECTOR) {
		bool touched = false;

		for (uint32_t i = 0; i < fc.count && !touched; i++)
			touched = touches(fc.ops[i], at);
		if (!touched)
			continue;
		choose_sector(c, &fc, at, sector);
		memcpy(out->data + at, sector, FS_SECTOR);
	}
}

/* ---- names ---- */

/* In CUT_ANY each name is as on the device, or as after one of its changes. */
static void
choose_names(struct cutting *c)
{
	const struct fs *f = c->from;

	for (uint32_t i = 0; i < f->op_count; i++)
		c->taken[i] = f->ops[i].seq <= c->upto;
	if (c->profile != CUT_ANY)
		return;
	for (uint32_t i = 0; i < f->op_count; i++) {
		const struct fs_op *op = &f->ops[i];
		uint32_t mine[NAMES_MAX], n = 0, k;
		bool first = true;

		if (op->kind != FS_LINK || op->done)
			continue;
		for (uint32_t j = 0; j < f->op_count && n < NAMES_MAX; j++) {
			const struct fs_op *o = &f->ops[j];

			if (o->kind != FS_LINK || o->done ||
			    o->ino != op->ino || strcmp(o->name, op->name) != 0)
				continue;
			first = first && j >= i;
			mine[n++] = j;
		}
		if (!first)
			continue;
		k = choose(c, n + 1);
		for (uint32_t j = 0; j < n; j++)
			c->taken[mine[j]] = j < k;
	}
	/* A rename may leave both names, but not none. */
	for (uint32_t i = 0; i + 1 < f->op_count; i++) {
		const struct fs_op *op = &f->ops[i];

		if (op->kind == FS_LINK && op[1].kind == FS_LINK &&
		    op[1].seq == op->seq && !op[1].done && !op->done &&
		    !c->taken[i])
			c->taken[i + 1] = false;
	}
}

static void
put_name(struct fs_inode *d, const char *text, uint32_t ino)
{
	uint32_t i = 0;

	while (i < d->count && strcmp(d->names[i].text, text) != 0)
		i++;
	if (ino == 0) {
		if (i < d->count)
			d->names[i] = d->names[--d->count];
		return;
	}
	if (i == d->count) {
		if (d->count == FS_NAMES)
			return;
		d->count++;
		(void)snprintf(d->names[i].text, FS_TEXT, "%s", text);
	}
	d->names[i].ino = ino;
}

static uint32_t make(struct cutting *c, uint32_t ino);

static void
make_dir(struct cutting *c, uint32_t ino, struct fs_inode *out)
{
	const struct fs_inode *n = &c->from->inodes[ino];
	const struct fs_name *names = n->based ? n->base_names : n->names;

	out->count = n->based ? n->base_count : n->count;
	memcpy(out->names, names, out->count * sizeof(*names));
	for (uint32_t i = 0; n->based && i < c->from->op_count; i++) {
		const struct fs_op *op = &c->from->ops[i];

		if (op->ino == ino && op->kind == FS_LINK && !op->done &&
		    c->taken[i])
			put_name(out, op->name, op->target);
	}
	for (uint32_t i = 0; i < out->count; i++)
		out->names[i].ino = make(c, out->names[i].ino);
}

static uint32_t
make(struct cutting *c, uint32_t ino)
{
	bool directory = c->from->inodes[ino].directory;
	uint32_t mine = c->made[ino];

	if (mine == 0) {
		mine = ino == FS_ROOT ? FS_ROOT : fs_new(c->to, directory);
		c->made[ino] = mine;
		if (directory)
			make_dir(c, ino, &c->to->inodes[mine]);
		else
			make_file(c, ino, &c->to->inodes[mine]);
	}
	if (ino != FS_ROOT)
		c->to->inodes[mine].links++;
	return mine;
}

void
cut_make(struct fs *to, const struct fs *from, enum cut_profile profile,
    cut_choose choose_one, void *arg)
{
	static struct cutting c;

	memset(&c, 0, sizeof(c));
	c.to = to;
	c.from = from;
	c.profile = profile;
	c.choose = choose_one;
	c.arg = arg;
	fs_clear(to);
	choose_moment(&c);
	choose_names(&c);
	(void)make(&c, FS_ROOT);
}
