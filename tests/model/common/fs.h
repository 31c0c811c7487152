/*
 * fs.h - a file system in memory that knows what a power cut may undo.
 *
 * What a process sees is the live side.  Each change is also noted, with a
 * number, until a sync makes it durable; cut.h makes the file systems that may
 * be found when the power fails before.  One arena holds everything, so that a
 * file system is forgotten or copied in a few microseconds.
 */
#ifndef TESTS_MODEL_FS_H
#define TESTS_MODEL_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FS_ROOT = 1, /* inode number of the directory above all */
	FS_INODES = 192,
	FS_NAMES = 48, /* in one directory */
	FS_TEXT = 96,
	FS_OPS = 1024,
	FS_SECTOR = 512,
	FS_PAGE = 4096,
	FS_PAST = 8,
};

struct fs_name {
	char text[FS_TEXT];
	uint32_t ino;
};

struct fs_inode {
	bool directory;
	bool based;  /* base is not what is live */
	bool shared; /* mapped for writing: it changes without a call */
	uint32_t links, holder; /* names; descriptor that has the flock, or 0 */
	uint8_t *data, *base;   /* live, and on the device */
	uint64_t size, cap, base_size;
	struct fs_name *names, *base_names;
	uint32_t count, base_count;
};

enum fs_kind { FS_WRITE, FS_TRUNCATE, FS_LINK };

/* A change that is not durable yet. */
struct fs_op {
	enum fs_kind kind;
	uint32_t ino; /* the file, or the directory of the name */
	uint64_t seq; /* both halves of a rename have the same */
	bool done;    /* durable */
	uint64_t pos, len, size, size_before;
	const uint8_t *data;
	char name[FS_TEXT];
	uint32_t target; /* 0: the name is gone */
};

struct fs {
	uint8_t *arena;
	size_t used, arena_size;
	bool track; /* note what a power cut may undo */
	uint32_t count;
	uint64_t seq, committed; /* of metadata, where a journal has an order */
	uint64_t syncs;
	struct fs_inode inodes[FS_INODES];
	struct fs_op ops[FS_OPS];
	uint32_t op_count;
	/* contents that the shared page has had */
	uint8_t past[FS_PAST][FS_PAGE];
	uint32_t past_ino[FS_PAST];
	uint32_t past_count;
	bool overflow; /* more changes than there is room for */
};

void fs_init(struct fs *f, size_t arena_size);
void fs_clear(struct fs *f); /* only an empty root is left */
/* The live side of from, all of it durable. */
void fs_copy(struct fs *to, const struct fs *from);

uint32_t fs_new(struct fs *f, bool directory);
uint32_t fs_find(const struct fs *f, uint32_t dir, const char *name);
/* Make, change or (target 0) remove a name. */
void fs_link(struct fs *f, uint32_t dir, const char *name, uint32_t target);
void fs_rename(struct fs *f, uint32_t from, const char *name, uint32_t to,
    const char *new_name);
uint64_t fs_read(const struct fs *f, uint32_t ino, void *buf, uint64_t len,
    uint64_t pos);
void fs_write(struct fs *f, uint32_t ino, const void *buf, uint64_t len,
    uint64_t pos);
void fs_truncate(struct fs *f, uint32_t ino, uint64_t size);
/* Memory for so many bytes, also where the file is shorter. */
void fs_reserve(struct fs *f, uint32_t ino, uint64_t size);
void fs_share(struct fs *f, uint32_t ino); /* it is mapped for writing */
/* Make durable what was changed up to seq, as taken when the sync began. */
void fs_sync(struct fs *f, uint32_t ino, uint64_t seq, bool data_only);

/* Hash of all names and contents below the root, but for files with the name
 * skip (NULL: none). */
uint64_t fs_hash(const struct fs *f, const char *skip);
/* Remember how the shared page looks now, for a later cut. */
void fs_remember(struct fs *f);

void *fs_take(struct fs *f, size_t len);

#endif
