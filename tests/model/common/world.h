/*
 * world.h - what was promised to whom, and whether it holds.
 *
 * Each record has a number and says it; what is read is compared with what was
 * appended, acknowledged, made durable and seen before.
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sblog.h>

enum {
	WORLD_RECORDS = 512,
	WORLD_SETTINGS = 3,
	WORLD_VALUE_MAX = 64 << 10,
	WORLD_KEY_MAX = 1024,
	WORLD_COUNTS = 64
};

/* A consumer group whose committed offset is a count. */
struct world_group {
	uint64_t tried, acked, durable; /* the highest number of each kind */
	bool given[WORLD_COUNTS];       /* it was acknowledged to somebody */
};

extern struct world {
	uint32_t next_id; /* of records; 0 is none */
	struct {
		uint32_t first, n; /* of the batch it is in */
		uint32_t len;      /* of its value */
		uint64_t at;       /* offset where it was seen, plus one */
		bool lost;         /* it was not there after a power cut */
	} recs[WORLD_RECORDS];
	uint32_t at[WORLD_RECORDS]; /* record known to be at an offset, or 0 */
	uint64_t acked_end;         /* end of what was acknowledged */
	uint64_t durable_end;       /* as durable */
	uint64_t seen_end;          /* end that a reader has seen */
	/* setting i was acknowledged: of the topic, of the store */
	bool set[2][WORLD_SETTINGS];
	bool loose;     /* the topic may be removed: less is promised */
	bool disturbed; /* somebody was killed or the power failed */
	bool exists;    /* the topic was acknowledged */
	bool gone;      /* its removal was, and nobody has made it again */
	uint32_t tried_remove, created, creating;
	struct world_group group, leased;
} world;

extern unsigned long world_violations;
extern char world_where[256]; /* how to see it again, for messages */

void world_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A result that must not be: 0 and SBLOG_END may, others as promised. */
void world_result(const char *what, int rc, const struct sblog_err *err);

/* Numbers for n records of one batch with values of len bytes or more. */
uint32_t world_begin(uint32_t n, uint32_t len);
/* The record as it is appended; value has room for its length. */
void world_record(uint32_t id, struct sblog_record *rec, char *value,
    char key[WORLD_KEY_MAX]);
/* Its append returned 0 at first; floor: acked_end when it was called. */
void world_acked(uint32_t id, uint64_t first, bool durable, uint64_t floor);
void world_durable(uint64_t end);

/* What one reader sees, in order. */
struct world_reader {
	uint64_t next;  /* offset due */
	uint64_t least; /* end that it must reach */
	uint32_t last;  /* record seen last */
	bool durable;
};
void world_read_begin(struct world_reader *r, uint64_t from, bool durable);
void world_see(struct world_reader *r, const struct sblog_record *rec);
/* It says that this is the end. */
void world_read_end(struct world_reader *r);

/* After a power cut: what is there now is all there is. */
void world_after_cut(uint64_t end);

#endif
