/*
 * input_ahead.c - read the next piece of a long input while this one is used.
 *
 * One thread, started when an input has proved to be long, and two buffers
 * that change places.  The thread touches only its own struct input, and only
 * between begin and take.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/input.h"

enum {
	PATIENCE_US = 1000, /* that a stream may stall without being idle */
};

enum ahead_state {
	AHEAD_FREE, /* nothing to do */
	AHEAD_BUSY, /* the thread fills next */
	AHEAD_DONE, /* it has, result says how */
	AHEAD_QUIT, /* the thread shall end */
};

struct input_ahead {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum ahead_state state;
	struct input next;
	size_t want;
	enum input_state result;
};

static void
change(struct input_ahead *a, enum ahead_state state)
{
	a->state = state;
	(void)pthread_cond_broadcast(&a->changed); /* cannot fail */
}

static void *
work(void *arg)
{
	struct input_ahead *a = arg;

	(void)pthread_mutex_lock(&a->lock); /* nor can these */
	while (a->state != AHEAD_QUIT) {
		if (a->state != AHEAD_BUSY) {
			(void)pthread_cond_wait(&a->changed, &a->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&a->lock);
		a->result = input_fill_now(&a->next, a->want,
		    input_now_us() + PATIENCE_US);
		(void)pthread_mutex_lock(&a->lock);
		change(a, AHEAD_DONE);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* The thread, or NULL: one does without. */
static struct input_ahead *
start(struct input *in)
{
	struct input_ahead *a = calloc(1, sizeof(*a));

	in->may_ahead = false;
	if (a == NULL)
		return NULL;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	if (pthread_create(&a->thread, NULL, work, a) != 0) {
		free(a);
		return NULL;
	}
	in->may_ahead = true;
	in->ahead = a;
	return a;
}

/*
 * How much of the data will be left when all whole records are eaten.  A guess:
 * if it is right, what the next piece begins with lies on a page.
 */
static size_t
rest_of(const struct input *in, size_t want)
{
	const char *data = input_data(in), *last = NULL;
	size_t len = input_len(in), rest;

	if (in->end_byte >= 0)
		last = memrchr(data, in->end_byte, len);
	if (last == NULL)
		return 0;
	rest = len - (size_t)(last - data) - 1;
	return rest < want / 2 ? rest : 0;
}

void
input_ahead_begin(struct input *in, size_t want)
{
	struct input_ahead *a = in->ahead != NULL ? in->ahead : start(in);
	size_t rest = rest_of(in, want);
	struct input *next;

	if (a == NULL)
		return;
	next = &a->next;
	next->fd = in->fd;
	next->regular = in->regular;
	next->pipe = in->pipe;
	next->widened = in->widened;
	next->ready = next->eof = false;
	next->at = next->end = 0;
	next->mapped = next->buf != NULL;
	if (!next->mapped) {
		next->cap = INPUT_HEAD + INPUT_PAGE + INPUT_SPARE;
		next->buf = mmap(NULL, next->cap, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (next->buf == MAP_FAILED) {
			next->buf = NULL;
			in->may_ahead = false;
			return;
		}
		next->mapped = true;
	}
	if (input_reserve(next, INPUT_HEAD + want + INPUT_SPARE) < 0)
		return;
	next->at = next->end = INPUT_HEAD + rest;
	a->want = want - rest;
	(void)pthread_mutex_lock(&a->lock);
	change(a, AHEAD_BUSY);
	(void)pthread_mutex_unlock(&a->lock);
}

/* Wait for the thread; false: it has not been told to do anything. */
static bool
finish(struct input_ahead *a)
{
	bool done;

	(void)pthread_mutex_lock(&a->lock);
	while (a->state == AHEAD_BUSY)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	done = a->state == AHEAD_DONE;
	if (done)
		a->state = AHEAD_FREE;
	(void)pthread_mutex_unlock(&a->lock);
	return done;
}

int
input_ahead_take(struct input *in)
{
	size_t len = input_len(in), more;
	struct input *next;
	struct input old;

	if (in->ahead == NULL || !finish(in->ahead))
		return 0;
	next = &in->ahead->next;
	in->eof = next->eof;
	in->widened = next->widened;
	in->error = next->error;
	if (in->ahead->result == INPUT_FAILED)
		return -1;
	more = input_len(next);
	if (len > INPUT_HEAD) { /* in the middle of a long record */
		if (input_reserve(in, len + more) < 0)
			return -1;
		memcpy(in->buf + in->end, next->buf + next->at, more);
		in->end += more;
		return 0;
	}
	memcpy(next->buf + next->at - len, input_data(in), len);
	old = *in;
	in->buf = next->buf;
	in->cap = next->cap;
	in->at = next->at - len;
	in->end = next->end;
	in->mapped = true;
	next->buf = old.mapped ? old.buf : NULL;
	next->cap = old.mapped ? old.cap : 0;
	return 0;
}

void
input_ahead_free(struct input *in)
{
	struct input_ahead *a = in->ahead;

	if (a == NULL)
		return;
	(void)finish(a);
	(void)pthread_mutex_lock(&a->lock);
	change(a, AHEAD_QUIT);
	(void)pthread_mutex_unlock(&a->lock);
	(void)pthread_join(a->thread, NULL);
	if (a->next.buf != NULL)
		(void)munmap(a->next.buf, a->next.cap);
	free(a);
	in->ahead = NULL;
}
