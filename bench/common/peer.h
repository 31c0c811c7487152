/*
 * peer.h - one store of records, and the same work done with each.
 *
 * SQLite, LMDB, LevelDB, RocksDB and sblog each fill in a struct peer; the
 * work, the records and the clock are those of peer.c.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crew.h"

struct peer_record {
	uint64_t offset; /* a store without offsets of its own uses it as key */
	const char *key; /* of WORK_KEY bytes, or NULL */
	const char *value;
	size_t value_len;
};

/* What a scan saw: every value was looked at. */
struct peer_sum {
	uint64_t records, bytes, first_bytes;
};

/* Functions end the program when they fail. */
struct peer {
	const char *name;
	/* Writers are threads on one handle, or processes with one each. */
	enum crew_kind crew;
	void *(*open)(const char *path);
	void (*close)(void *db);
	/* All records in one transaction, durable when it returns if so asked.
	 */
	void (*append)(void *db, const struct peer_record *recs, size_t n,
	    bool durable);
	/* Bring W100 into the form that is scanned; NULL: it is in it. */
	void (*settle)(void *db);
	/* All records in order, by pointers into the store where it can. */
	struct peer_sum (*scan)(void *db);
};

/* The big-endian key that stands for an offset. */
void peer_offset_key(uint64_t offset, char key[static 8]);

/* Count a value that a scan has come to. */
static inline void
peer_see(struct peer_sum *sum, const char *value, size_t len)
{
	sum->records++;
	sum->bytes += len;
	sum->first_bytes += len > 0 ? (unsigned char)value[0] : 0;
}

int peer_main(int argc, char **argv, const struct peer *peer);

#endif
