/*
 * arena.h - memory for what one batch of records points to: handed out in
 * pieces that stay where they are, taken back all at once, used again.
 */
#ifndef CMD_ARENA_H
#define CMD_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *first, *current; /* chunks are kept in this order */
};

/* n bytes, not aligned; NULL: out of memory.  Valid until arena_reset. */
void *arena_take(struct arena *a, size_t n);

/* Give back the last n bytes of what arena_take returned last. */
void arena_return(struct arena *a, size_t n);

/* All pieces are free again; a chunk of unusual size goes back at once. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
