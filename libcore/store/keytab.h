/*
 * keytab.h - the key table of a WAL: which records have a key, newest first.
 *
 * A shared mapping that appenders keep up under lock.append and readers look
 * into without a lock.  A cache: it is of one boot, everything in it is checked
 * before use, it says how far it goes, and when it is missing or unusable the
 * WAL is scanned instead.
 *
 * BASE.ktb, little-endian: a page of 4096 bytes,
 *
 *	  0       file head    magic "sblogKTB", salt and base of the WAL
 *	128  u64  boot0        identity of the boot that made it
 *	136  u64  boot1
 *	144  u64  boot_hash    XXH3 of bytes 0..143
 *	192  u64  busy         not 0: somebody is (or died) changing it
 *	200  u64  dead         not 0: another file has taken its place
 *	256  u64  end          offsets below it are in the table
 *	264  u64  pos          byte position of the WAL that belongs to
 *	272  u32  tables       how many there are
 *	276  u32  used         entries in the last one
 *	280  u64  size         bytes of the file that are written
 *	288  u64  mark_hash    XXH3 of bytes 256..287, seed sb_seed(salt, 256, 0)
 *
 * then tables number 0, 1, ...: 1024 << 2n buckets of 8 bytes and as many
 * entries of 40.  A bucket is the number + 1 of the newest entry in it (low 32
 * bits; 0: none) and a check.  An entry is never changed but for its link:
 *
 *	  0  u64  hash     of a key or of a category (codec/key.h)
 *	  8  u32  rel      offset - base
 *	 12  u32  prev     entry + 1 before it of the same hash, 0: none
 *	 16  u32  ord      how many of the same hash come before it in this table
 *	 20  u32  jump     entry + 1 further back of the same hash, 0: none
 *	 24  u32  pos8     byte position of its batch, in units of 8
 *	 28  u32  check    of all that and the entry's number
 *	 32  u64  link     entry + 1 next in the same bucket, and a check
 *
 * The links of a bucket connect the newest entries of each hash.  jump is
 * chosen as in Myers' random-access stacks (Inf. Proc. Letters 17, 1983), so
 * that any earlier entry of the same hash is reached in O(log n) steps.
 */
#ifndef SB_STORE_KEYTAB_H
#define SB_STORE_KEYTAB_H

#include "codec/filehead.h"
#include "codec/key.h"
#include "codec/manifest.h"
#include "sblog.h"

enum { SB_KEYTAB_TABLES = 11 }; /* 1024 << 20 entries in the last */

struct sb_keytab {
	int fd; /* -1: not open */
	bool write;
	uint8_t *head; /* its first page */
	uint64_t seed, base;
	uint8_t *map[SB_KEYTAB_TABLES]; /* NULL: not mapped yet */
	/* of the writer */
	uint32_t tables, used;
	uint64_t size; /* bytes written so far */
};

#define SB_KEYTAB_INIT ((struct sb_keytab){ .fd = -1 })

/* How far the table goes. */
struct sb_keytab_mark {
	uint64_t end, pos;
	uint32_t tables, used;
	uint64_t size; /* bytes of the file */
};

struct sb_keytab_entry {
	uint64_t hash, pos;
	uint32_t rel, prev, ord, jump;
};

/*
 * Open that of a WAL.  SBLOG_ENOENT: there is none; SBLOG_EDAMAGE: it is not to
 * be used (another boot, another WAL, somebody died in it, damaged).
 */
int sb_keytab_open(struct sb_keytab *k, int dirfd, const struct sb_file *wal,
    const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], bool write,
    struct sblog_err *err) SB_MUST_CHECK;

/* Make an empty one in place of any other; lock.append is held. */
int sb_keytab_create(struct sb_keytab *k, int dirfd, const struct sb_file *wal,
    const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], struct sblog_err *err) SB_MUST_CHECK;

void sb_keytab_close(struct sb_keytab *k);

/* Is the open table that of this WAL? */
bool sb_keytab_is_of(const struct sb_keytab *k, const struct sb_file *wal);

/* ---- the writer, under lock.append ---- */

/*
 * Between these two the table is busy; end says how far it goes then.  begin
 * goes on where the last writer stopped; false: not to be used.  An insert that
 * fails (SBLOG_EIO, SBLOG_EDAMAGE, SBLOG_ETOOBIG) leaves it busy: unusable.
 */
bool sb_keytab_begin(struct sb_keytab *k, struct sb_keytab_mark *m);
int sb_keytab_insert(struct sb_keytab *k, uint64_t hash, uint64_t offset,
    uint64_t pos) SB_MUST_CHECK;
void sb_keytab_end(struct sb_keytab *k, uint64_t end, uint64_t pos);

/* A key with this hash will be inserted soon: have its bucket at hand, and when
 * that may be there the entry it leads to. */
void sb_keytab_prefetch(const struct sb_keytab *k, uint64_t hash);
void sb_keytab_prefetch_entry(const struct sb_keytab *k, uint64_t hash);

/* Nobody is to use this file any more; and away with it. */
void sb_keytab_kill(struct sb_keytab *k);
int sb_keytab_remove(int dirfd, const struct sb_file *wal) SB_MUST_CHECK;

/* ---- readers ---- */

/* False: not to be used. */
bool sb_keytab_mark(const struct sb_keytab *k, struct sb_keytab_mark *m);

/*
 * The newest entry with this hash of table number n among those before the
 * mark: *ip is its number.  SBLOG_END: none.  SBLOG_EDAMAGE: not to be used.
 */
int sb_keytab_find(struct sb_keytab *k, const struct sb_keytab_mark *m,
    uint32_t n, uint64_t hash, uint32_t *ip,
    struct sb_keytab_entry *e) SB_MUST_CHECK;

/* Entry number i of table n.  SBLOG_EDAMAGE. */
int sb_keytab_at(struct sb_keytab *k, uint32_t n, uint32_t i,
    struct sb_keytab_entry *e) SB_MUST_CHECK;

/* Where an entry of the same hash jumps to that comes behind *old, number i. */
int sb_keytab_jump(struct sb_keytab *k, uint32_t n, uint32_t i,
    const struct sb_keytab_entry *old, uint32_t *jumpp) SB_MUST_CHECK;

/* From *e back to the one with this ord, or to the oldest with rel >= rel
 * (e->rel >= rel). */
int sb_keytab_back_to_ord(struct sb_keytab *k, uint32_t n, uint32_t ord,
    struct sb_keytab_entry *e) SB_MUST_CHECK;
int sb_keytab_back_to_rel(struct sb_keytab *k, uint32_t n, uint32_t rel,
    struct sb_keytab_entry *e) SB_MUST_CHECK;

#endif
