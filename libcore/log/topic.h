/*
 * topic.h - an open store and an open topic, as the files of this room see
 * them.
 */
#ifndef SB_LOG_TOPIC_H
#define SB_LOG_TOPIC_H

#include "base/buf.h"
#include "codec/manifest.h"
#include "sblog.h"
#include "store/config.h"
#include "store/keytab.h"
#include "store/state.h"
#include "store/wal.h"
#include "sys/sys.h"

struct sblog_store {
	int fd; /* of the directory */
	enum sblog_mode mode;
	uint32_t lock_timeout_ms;
	bool volatile_fs;
	char setting_text[SB_SETTING_SIZE]; /* by sblog_setting_at */
};

struct sb_reader; /* what sblog_get keeps open */
struct sb_groups; /* files of consumer groups that are open */

struct sblog_topic {
	struct sblog_store *store;
	char name[SBLOG_NAME_MAX + 1];
	enum sblog_mode mode;
	int dirfd;
	int lock_append, lock_maint; /* -1: not open yet */
	struct sb_config config;
	struct sb_manifest manifest; /* as last read; generation says which */
	struct sb_state state;
	/* The page was of another manifest for so long that whoever replaces it
	 * must have died: at this count of changes of the page, 0: never. */
	uint64_t stale_seq;
	uint8_t boot[SB_ID_SIZE]; /* identity of this boot */
	struct sb_cpu cpu;

	/* of appenders */
	struct sb_wal wal;       /* the active WAL */
	struct sb_published pub; /* as validated under the lock last time */
	/* Bytes [own_before.pos, own_pos) of the WAL with own_before.ordinal
	 * were written by this handle and are not known to be durable;
	 * own_alone: nobody else wrote between them, and nobody was told that
	 * they are there.  own_pos 0: none. */
	struct sb_published own_before;
	uint64_t own_pos, own_end;
	bool own_alone;
	uint64_t sync_us;      /* what our last sync took; 0: none yet */
	uint64_t written_back; /* write-back was started up to here */
	struct sb_buf scratch; /* heads, columns, gathered values */
	struct sb_buf packed;
	uint32_t *ends; /* of sb_scan */
	size_t ends_size;
	struct sb_buf stamped; /* records with offset and time */
	struct sb_buf once;    /* headers with a token */
	void *lz_state;
	uint64_t space_checked;  /* min.free.bytes: asked at this position */
	struct sb_keytab keytab; /* keys of the active WAL */
	/* Keys that this handle appended one by one, by their hashes. */
	struct sb_recent_key {
		uint64_t hash, next; /* offset + 1; 0: none */
		uint8_t len, key[47];
	} recent[32];
	uint64_t
	    keys_failed; /* ordinal + 1 of the WAL that could not have one */

	/* of sblog_get, sblog_locate */
	struct sb_reader *reader;
	struct sb_groups *groups;
};

/* ---- topic.c ---- */

/* (Re)read the manifest, and open what depends on it again. */
int sb_topic_reload(struct sblog_topic *t, struct sblog_err *err) SB_MUST_CHECK;

/* flock of lock.append / lock.maint, made if absent; maint before append.
 * SBLOG_EBUSY after the store's lock timeout. */
int sb_topic_lock_append(struct sblog_topic *t,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_topic_unlock_append(struct sblog_topic *t);
int sb_topic_lock_maint(struct sblog_topic *t,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_topic_unlock_maint(struct sblog_topic *t);

/*
 * Replace the manifest; lock.append is held.  m's generation is set to one
 * more than the current; state page and t->manifest follow.
 */
int sb_topic_replace_manifest(struct sblog_topic *t, struct sb_manifest *m,
    struct sblog_err *err) SB_MUST_CHECK;

/* ---- sweep.c ---- */

/* Remove temporary files and those that were replaced or dropped; both locks are
 * held, so nobody is in the middle of making one. */
void sb_topic_sweep(struct sblog_topic *t);

/* Remove a file that the manifest does not name any more, and its indexes. */
void sb_topic_unlink(struct sblog_topic *t, const struct sb_file *f);

/* Free what sblog_get keeps open (get.c). */
void sb_reader_free(struct sb_reader *reader);

/* ---- recover.c ---- */

/*
 * Called with lock.append held: make t->pub the truth about the end of the
 * log.  Cheap when the state page is valid and clean; else the tail is looked
 * at, quarantined where torn, the WAL retired where damaged.
 */
int sb_topic_validate(struct sblog_topic *t,
    struct sblog_err *err) SB_MUST_CHECK;

/*
 * For readers, without any lock: published end as the state page or, where
 * that is not to be used, a walk over the WAL says.  Refreshes t->manifest if
 * it is older than that.
 */
int sb_topic_peek(struct sblog_topic *t, struct sb_published *p,
    struct sblog_err *err) SB_MUST_CHECK;

/* ---- info.c ---- */

/* What surely survives a power cut, as the page says; at most p->end. */
uint64_t sb_topic_durable(struct sblog_topic *t, const struct sb_published *p);

/* ---- sync.c ---- */

/*
 * Remember that this handle wrote [before->pos, t->pub.pos).  promised: its
 * caller was told that it is there, though not that it is durable.
 */
void sb_topic_own(struct sblog_topic *t, const struct sb_published *before,
    bool promised);

/* The next sblog_sync() is to make everything before offset `end` durable, all
 * of which is published: somebody else appended it. */
void sb_topic_answer_for(struct sblog_topic *t, uint64_t end);

/* ---- rotate.c ---- */

/* Start a new active WAL behind an old one that is finished, as *tail knows;
 * with lost offsets where next is more than tail->end. */
int sb_topic_new_wal(struct sblog_topic *t, const struct sb_tail *tail,
    uint64_t size, const struct sb_lost *lost, size_t lost_count, uint64_t next,
    struct sblog_err *err) SB_MUST_CHECK;

/*
 * Finish the active WAL (which has at least one batch) and start a new one;
 * lock.append is held and t->pub valid.
 */
int sb_topic_rotate(struct sblog_topic *t, struct sblog_err *err) SB_MUST_CHECK;

/* ---- remove.c / create.c ---- */

/* Write a new topic's files into the empty directory dirfd, durably. */
int sb_topic_init(int dirfd, const struct sblog_setting *set, size_t n,
    struct sblog_err *err) SB_MUST_CHECK;

/* Move a file that nobody knows to lost+found of the topic. */
int sb_topic_set_aside(int dirfd, const char *name,
    struct sblog_err *err) SB_MUST_CHECK;

#endif
