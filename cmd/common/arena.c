/*
 * arena.c - memory for what one batch of records points to.
 */
#include <stdlib.h>

#include "common/arena.h"

enum {
	CHUNK_SIZE = 256 << 10,
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

void *
arena_take(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->current, **end = &a->first;
	size_t size = n > CHUNK_SIZE ? n : CHUNK_SIZE;
	void *piece;

	while (c != NULL && c->size - c->used < n)
		c = c->next;
	if (c == NULL) {
		if ((c = malloc(sizeof(*c) + size)) == NULL)
			return NULL;
		c->next = NULL;
		c->used = 0;
		c->size = size;
		while (*end != NULL)
			end = &(*end)->next;
		*end = c;
	}
	a->current = c;
	piece = c->bytes + c->used;
	c->used += n;
	return piece;
}

void
arena_return(struct arena *a, size_t n)
{
	a->current->used -= n;
}

void
arena_reset(struct arena *a)
{
	struct arena_chunk **link = &a->first, *c;

	while ((c = *link) != NULL) {
		c->used = 0;
		if (c->size > CHUNK_SIZE) {
			*link = c->next;
			free(c);
		} else {
			link = &c->next;
		}
	}
	a->current = a->first;
}

void
arena_free(struct arena *a)
{
	struct arena_chunk *c;

	while ((c = a->first) != NULL) {
		a->first = c->next;
		free(c);
	}
	a->current = NULL;
}
