/*
 * tmp.h - a new file that appears under its name complete, or not at all.
 */
#ifndef SB_SYS_TMP_H
#define SB_SYS_TMP_H

#include "base/check.h"
#include "sblog.h"

enum { SB_NAME_SIZE = 256 };

struct sb_tmp {
	int fd;                  /* -1: nothing open */
	int dirfd;               /* borrowed; must outlive the sb_tmp */
	char name[SB_NAME_SIZE]; /* final name */
	char tmp[SB_NAME_SIZE];  /* name until commit; "" once gone */
};

/* A value on which every function below that ends things is a no-op. */
#define SB_TMP_INIT ((struct sb_tmp){ .fd = -1, .dirfd = -1 })

/* Create "NAME.tmp.<16 hex digits>", open for reading and writing. */
int sb_tmp_create(struct sb_tmp *t, int dirfd, const char *name,
    struct sblog_err *err) SB_MUST_CHECK;
int sb_tmp_write(struct sb_tmp *t, struct sblog_bytes data, uint64_t pos,
    struct sblog_err *err) SB_MUST_CHECK;

enum sb_tmp_how {
	SB_TMP_REPLACE, /* whatever has the final name now */
	SB_TMP_NEW,     /* SBLOG_ECOND if something has the final name */
};

/*
 * Make the file durable under its final name: fsync, close, rename, fsync of
 * the directory.  SBLOG_EIO: the final name still holds what it held before.
 * SBLOG_EUNKNOWN: it holds the new file now, but a power cut may bring the old
 * one back.
 */
int sb_tmp_commit(struct sb_tmp *t, enum sb_tmp_how how,
    struct sblog_err *err) SB_MUST_CHECK;

/* The same, but the descriptor stays open and is handed over in *fdp. */
int sb_tmp_commit_fd(struct sb_tmp *t, enum sb_tmp_how how, int *fdp,
    struct sblog_err *err) SB_MUST_CHECK;

/* Undo whatever has not been committed.  Cannot fail, may be called always. */
void sb_tmp_discard(struct sb_tmp *t);

/* Is this a name that sb_tmp_create makes? */
bool sb_tmp_is_name(const char *name);

#endif
