/*
 * merge.h - several topics as one sequence, ordered by append time; equal
 * times in the order the topics were named.
 */
#ifndef CMD_MERGE_H
#define CMD_MERGE_H

#include <stdbool.h>

#include <sblog.h>

struct merge_source {
	struct sblog_cursor *cursor;
	struct sblog_record rec; /* its next record, if has */
	bool has;
	bool ended;       /* has had nothing when it was asked last */
	int64_t ended_us; /* at this time, by the clock of append times */
};

struct merge {
	struct merge_source *sources;
	size_t n;
	size_t taken; /* the source whose record was shown last, or n */
	bool follow;  /* an end is not final: more may come */
};

/* sources[0..n-1] have their cursors; borrowed.  0, or -1: out of memory. */
int merge_init(struct merge *m, struct sblog_cursor **cursors, size_t n,
    bool follow);
void merge_free(struct merge *m);

/*
 * The next record and the index of its source.  0, SBLOG_END, or a code with
 * *err and *whichp set; the record is valid until the next call.
 */
int merge_next(struct merge *m, struct sblog_record *rec, size_t *whichp,
    struct sblog_err *err);

#endif
