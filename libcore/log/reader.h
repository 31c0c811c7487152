/*
 * reader.h - the files of a topic, kept open for reading from anywhere.
 */
#ifndef SB_LOG_READER_H
#define SB_LOG_READER_H

#include "log/source.h"
#include "log/topic.h"

struct sb_keyfile; /* keys.h */
struct sb_part;    /* get_part.c */

struct sb_open_file {
	struct sb_source source;
	uint8_t *seen; /* bit i: batch i of the index was verified */
	/* Of the batch in view, 0: none; good while source.viewed is it. */
	uint64_t last_pos;
	uint64_t part_pos; /* of the batch that was decompressed in part last */
	struct sb_view view;
	struct sb_part *parts; /* of a WAL: batches that were verified */
	size_t copied, hand; /* bytes that they keep; which was dropped last */
	struct sb_keyfile *keys; /* NULL: nobody asked for a key yet */
	uint64_t chain_pos;  /* of a batch that was asked for its chain, or 0 */
	uint64_t chain_base; /* and its base */
};

struct sb_reader {
	struct sb_manifest manifest;
	struct sb_published pub;
	uint64_t seq;               /* of the state page when pub was read */
	struct sb_open_file *files; /* as many as the manifest names */
	size_t hint;                /* file that was asked last */
};

/*
 * The reader in *slot (made if NULL; freed with sb_reader_free), knowing the end
 * at least as far as offset; UINT64_MAX: as published now.
 */
int sb_reader_look(struct sblog_topic *t, struct sb_reader **slot,
    uint64_t offset, struct sblog_err *err) SB_MUST_CHECK;

/* Have file i open.  SBLOG_ENOENT: it is gone, look again. */
int sb_reader_open(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sblog_err *err) SB_MUST_CHECK;

/* Number of the file that holds offset, or would. */
size_t sb_reader_find(struct sb_reader *r, uint64_t offset);

/*
 * One record; pos: byte position of its batch, 0 where not known.  *rec is valid
 * until the next call on the reader.  Codes as sblog_get.
 */
int sb_reader_get(struct sblog_topic *t, struct sb_reader **slot,
    uint64_t offset, uint64_t pos, struct sblog_record *rec,
    struct sblog_err *err) SB_MUST_CHECK;

/* The whole batch that has an offset, as sb_reader_get; *vp is valid as long. */
int sb_reader_view(struct sblog_topic *t, struct sb_reader **slot,
    uint64_t offset, uint64_t pos, const struct sb_view **vp,
    struct sblog_err *err) SB_MUST_CHECK;

/* Remember that a batch of a WAL was verified, if it is large. */
void sb_part_remember(struct sb_open_file *f, uint64_t pos,
    const struct sb_view *v);

void sb_part_free(struct sb_open_file *f);

/* One record out of a batch that is remembered; SBLOG_END: not in this way.
 * *rec is valid until the next call on the reader. */
int sb_part_get(struct sblog_topic *t, const struct sb_reader *r,
    struct sb_open_file *f, uint64_t offset, uint64_t pos,
    struct sblog_record *rec) SB_MUST_CHECK;

/* Offsets below it are there: the end of file i. */
static inline uint64_t
sb_reader_end_of(const struct sb_reader *r, size_t i)
{
	const struct sb_file *f = &r->manifest.files[i];

	return f->kind == SBLOG_FILE_WAL_ACTIVE ? r->pub.end : f->next;
}

#endif
