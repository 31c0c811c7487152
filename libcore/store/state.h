/*
 * state.h - the shared page: published end, durable end, wake-up word.
 *
 * A cache, never the truth.  Everything in it is checked before use, and when
 * it is missing, damaged or of another boot the WAL is scanned instead.  The
 * durable end alone is also believed across boots: it is stored only after an
 * fdatasync succeeded, so on disk it may lag but never lie.
 *
 * A file system can also be mounted anew within a boot, after it was shut down or
 * its disk was pulled: then the page on disk is an old one, or newer than the
 * WAL.  A mark that the kernel keeps in memory only tells that it is not.
 *
 * Layout of the 4096 bytes (words of 8 bytes; sblog-store(5)):
 *
 *	  0  u64  magic        "sblogSTA"
 *	  8  u64  version      1
 *	 16  u64  boot0        identity of the boot that wrote the page
 *	 24  u64  boot1
 *	 32  u64  topic0       identity of the topic
 *	 40  u64  topic1
 *	 48  u64  ident_hash   XXH3 of bytes 0..47, seed 0
 *	 64  u64  seq          odd while the words below change
 *	 72  u64  end          published end
 *	 80  u64  wal_base     of the active WAL
 *	 88  u64  pos          its byte position behind the last batch
 *	 96  u64  chain        of everything before end
 *	104  i64  last_time    append time of the last record
 *	112  u64  generation   of the manifest this belongs to
 *	120  u64  ordinal      how many WALs this boot has had
 *	128  u64  zero_end     the WAL is written with zeros from pos to here
 *	136  u64  indexed      position of the last batch in the WAL index
 *	144  u64  wal_count    records in the active WAL
 *	152  u64  wal_raw      bytes of its values sections, decompressed
 *	160  i64  wal_time     append time of its first record
 *	168  u64  wal_ino      inode number of the WAL file
 *	176  u64  pub_hash     XXH3 of bytes 72..175, seed ident_hash
 *	256  u64  durable      durable end
 *	264  u64  durable_chk  its check
 *	272  u64  synced       ordinal << 40 | position known to be durable
 *	280  u64  synced_chk   its check
 *	320  u32  wake         changes when something is published
 *	324  u32  sleepers     not 0: somebody may wait for wake
 *	384  u32  leader       not 0: somebody is at fdatasync for all
 *	388  u32  sync_round   changes when a leader is done
 *	392  u64  failures     fdatasyncs that failed
 *	400  u64  unmarked     not 0: the file could not be marked
 *	448  u64  dirty        not 0: a change under lock.append is going on
 */
#ifndef SB_STORE_STATE_H
#define SB_STORE_STATE_H

#include "base/check.h"
#include "codec/hash.h"
#include "sblog.h"

enum { SB_STATE_SIZE = 4096 };

struct sb_state {
	int fd;    /* -1: not open */
	void *map; /* NULL: none, every question is answered with "unknown" */
	bool writable;
	bool marked;    /* in memory since it was reset: sb_sys_mark */
	uint32_t stamp; /* in the leader word while we lead */
	uint32_t met;   /* what was there when another did */
	uint32_t dead;  /* one that we wait for no longer */
};

#define SB_STATE_INIT ((struct sb_state){ .fd = -1 })

struct sb_published {
	uint64_t end, wal_base, pos, chain;
	int64_t last_time;
	uint64_t generation, ordinal, zero_end, indexed;
	uint64_t wal_count, wal_raw;
	int64_t wal_time;
	uint64_t wal_ino;
};

/*
 * Map the page.  A page that is absent or of a wrong size is no error: map is
 * NULL then.  A page that cannot be opened for writing is an error if write.
 */
int sb_state_open(struct sb_state *s, int dirfd, bool write,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_state_close(struct sb_state *s);

/* Make a fresh page of 4096 written bytes and put it in place of any other;
 * the caller holds lock.append.  Then sb_state_open again. */
int sb_state_create(int dirfd, const uint8_t topic[static SB_ID_SIZE],
    struct sblog_err *err) SB_MUST_CHECK;

/* Is the file that is mapped still the one in the directory? */
bool sb_state_current(const struct sb_state *s);

/* The page's words as one, if they are valid for this boot and topic. */
bool sb_state_read(const struct sb_state *s,
    const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], struct sb_published *p);

/* Write identity and words; under lock.append only. */
void sb_state_reset(struct sb_state *s, const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], const struct sb_published *p);
/* Words only. */
void sb_state_publish(struct sb_state *s, const struct sb_published *p);

/* The cheap question of readers: the word that changes with every publish. */
uint64_t sb_state_seq(const struct sb_state *s);

/* Durable end, or 0 where it is not known; it never goes down. */
uint64_t sb_state_durable(const struct sb_state *s,
    const uint8_t topic[static SB_ID_SIZE]);
/* Byte position in the WAL with this ordinal known durable, or 0. */
uint64_t sb_state_synced(const struct sb_state *s, uint64_t ordinal);
/* The largest ordinal that anybody can have seen, valid page or not. */
uint64_t sb_state_ordinal(const struct sb_state *s);
void sb_state_set_durable(struct sb_state *s, uint64_t end, uint64_t ordinal,
    uint64_t pos);

void sb_state_set_dirty(struct sb_state *s, bool dirty);
bool sb_state_dirty(const struct sb_state *s);

/* Wake whoever waits in sb_state_wait for the published end, or for the durable
 * end; a system call only if somebody does. */
void sb_state_wake(struct sb_state *s);
void sb_state_wake_durable(struct sb_state *s);
/* Remember before looking, then wait for a change since: 0, -ETIMEDOUT, ... */
uint32_t sb_state_ticket(const struct sb_state *s);
int sb_state_wait(struct sb_state *s, uint32_t ticket, bool durable,
    uint64_t timeout_us);

/* Group commit: lead (true: you are at it; then call led), or follow. */
bool sb_state_lead(struct sb_state *s);
void sb_state_led(struct sb_state *s, bool failed);
uint32_t sb_state_round(const struct sb_state *s);
/* Until the leader of that round is done, or for timeout_us: then it counts as
 * dead, and we lead in its place if we ask again. */
void sb_state_follow(struct sb_state *s, uint32_t round, uint64_t timeout_us);

#endif
