/*
 * merge.c - several topics as one sequence, ordered by append time.
 */
#include <stdlib.h>
#include <time.h>

#include "common/merge.h"

int
merge_init(struct merge *m, struct sblog_cursor **cursors, size_t n,
    bool follow)
{
	*m = (struct merge){ .n = n, .taken = n, .follow = follow };
	if ((m->sources = calloc(n, sizeof(*m->sources))) == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		m->sources[i].cursor = cursors[i];
	return 0;
}

void
merge_free(struct merge *m)
{
	free(m->sources);
	m->sources = NULL;
}

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail */
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Have the next record of s, or know that it is at its end. */
static int
ask(struct merge_source *s, struct sblog_err *err)
{
	int64_t now = now_us();
	int rc = sblog_cursor_next(s->cursor, &s->rec, err);

	if (rc < 0 || rc == SBLOG_GAP)
		return rc;
	s->has = rc == 0;
	s->ended = !s->has;
	s->ended_us = now;
	return 0;
}

/* Index of the source with the oldest record; n: none has one. */
static size_t
oldest(const struct merge *m)
{
	size_t best = m->n;

	for (size_t i = 0; i < m->n; i++)
		if (m->sources[i].has &&
		    (best == m->n ||
			m->sources[i].rec.time_us <
			    m->sources[best].rec.time_us))
			best = i;
	return best;
}

/*
 * A topic that had nothing may since have got records as old as the one to be
 * shown; those that were appended before it was asked it cannot have.
 */
static int
ask_ended(struct merge *m, size_t best, size_t *whichp, bool *newsp,
    struct sblog_err *err)
{
	const struct merge_source *b = best < m->n ? &m->sources[best] : NULL;
	int rc;

	*newsp = false;
	for (size_t i = 0; i < m->n; i++) {
		struct merge_source *s = &m->sources[i];

		if (!s->ended || (b != NULL && b->rec.time_us < s->ended_us))
			continue;
		*whichp = i;
		if ((rc = ask(s, err)) != 0)
			return rc;
		*newsp = *newsp || s->has;
	}
	return 0;
}

int
merge_next(struct merge *m, struct sblog_record *rec, size_t *whichp,
    struct sblog_err *err)
{
	bool news = false;
	size_t best;
	int rc;

	if (m->taken < m->n)
		m->sources[m->taken].has = false;
	m->taken = m->n;
	for (size_t i = 0; i < m->n; i++) {
		if (m->sources[i].has || m->sources[i].ended)
			continue;
		*whichp = i;
		if ((rc = ask(&m->sources[i], err)) != 0)
			return rc;
	}
	best = oldest(m);
	if (m->follow && (rc = ask_ended(m, best, whichp, &news, err)) != 0)
		return rc;
	if (news)
		best = oldest(m);
	if (best == m->n)
		return SBLOG_END;
	*rec = m->sources[best].rec;
	*whichp = m->taken = best;
	return 0;
}
