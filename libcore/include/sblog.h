/*
 * sblog.h - the public face of libsblog: open a topic, append, read, ask.
 *
 * Every call that can fail returns an int and fills a struct sblog_err:
 *
 *	  0	done
 *	> 0	done, with news (SBLOG_END); *err is untouched
 *	< 0	failed, an enum sblog_code; *err says all there is to say
 *
 * The library never prints, never exits, keeps no global state and installs
 * no signal handlers.  One handle belongs to one thread at a time; different
 * handles, also of the same topic, may be used by different threads.
 *
 * Every opts pointer may be NULL.  "Zero, then set what differs": each zero is
 * the documented default.
 *
 * Manual: sblog(3).  Bytes on disk: sblog-store(5), sblog-wal(5).
 */
#ifndef SBLOG_H
#define SBLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SBLOG_VERSION "1.0.0"
#define SBLOG_NO_OFFSET UINT64_MAX
#define SBLOG_NO_TIME INT64_MIN /* no user time */

enum {
	SBLOG_NAME_MAX = 200,        /* bytes of a topic name */
	SBLOG_KEY_MAX = 64 << 10,    /* bytes of a key */
	SBLOG_HEADERS_MAX = 1 << 20, /* bytes of one record's headers */
	SBLOG_DELIM_MAX = 8,         /* bytes of a delimiter kept in a run */
	SBLOG_TOKEN_MAX = 200,       /* bytes of a token of an append */
	SBLOG_VALUE_MAX =
	    (1 << 30) - 1, /* bytes of a value, whatever the topic says */
	SBLOG_BATCH_RECORDS_MAX = 1 << 20, /* records of one batch */
};

enum sblog_code {
	SBLOG_OK = 0,
	SBLOG_END = 1,      /* nothing at or after this offset, yet */
	SBLOG_REPLAYED = 2, /* applied before: opts->once */
	SBLOG_GAP = 3,      /* records were removed before they were read */

	SBLOG_EIO = -1,      /* a system call failed; see err->sys */
	SBLOG_ENOMEM = -2,   /* out of memory; nothing changed on disk */
	SBLOG_ENOENT = -3,   /* no such store, topic, group or offset */
	SBLOG_EBUSY = -4,    /* lock not obtained in time; nothing changed */
	SBLOG_ECOND = -5,    /* expectation not met; nothing changed */
	SBLOG_EDAMAGE = -6,  /* bytes on disk are not what was written */
	SBLOG_EFORMAT = -7,  /* written by a version we do not know */
	SBLOG_EUNKNOWN = -8, /* failed midway; the outcome is not known */
	SBLOG_EINVAL = -9,   /* argument or setting outside its range */
	SBLOG_ETOOBIG = -10, /* a record is over max.message.bytes */
};

/* What went wrong, in parts for programs and in one line for people. */
struct sblog_err {
	enum sblog_code code;
	int sys;         /* errno of the failed system call, or 0 */
	uint64_t offset; /* record concerned, or SBLOG_NO_OFFSET */
	uint64_t end;   /* damage: first offset behind it, or SBLOG_NO_OFFSET */
	uint64_t pos;   /* byte position in file, or UINT64_MAX */
	char file[256]; /* path below the topic, "" if no file is concerned */
	char msg[256];  /* "cannot sync: Input/output error"; no newline */
};

/* Name of a code, for reports: "busy", "damage", ...  Never NULL. */
const char *sblog_code_name(enum sblog_code code);

/* A borrowed run of bytes.  data == NULL means absent, not empty. */
struct sblog_bytes {
	const void *data;
	size_t len; /* bytes */
};

/* ---- store ------------------------------------------------------------ */

struct sblog_store;
struct sblog_topic;

enum sblog_mode {
	SBLOG_READ,  /* never writes a byte; works on a read-only file system */
	SBLOG_WRITE, /* the store or topic must exist */
	SBLOG_CREATE, /* created, with its parent directories, if absent */
};

struct sblog_store_opts {
	enum sblog_mode mode;
	uint32_t lock_timeout_ms; /* 0: give up at once; UINT32_MAX: 10 s */
	unsigned network_ok : 1;  /* write also on a network file system */
};

/*
 * Open the directory of topics.  SBLOG_ENOENT: there is none.  SBLOG_EINVAL:
 * mode is not SBLOG_READ and the file system is one of a network.
 * The caller closes what it got, after all topics of it.
 */
int sblog_store_open(struct sblog_store **storep, const char *dir,
    const struct sblog_store_opts *opts, struct sblog_err *err);
void sblog_store_close(struct sblog_store *store);

/*
 * Names of all topics, sorted bytewise, each NUL-terminated.  The caller frees
 * them with sblog_names_free(names).  Directories without a manifest are not
 * topics and not listed.
 */
int sblog_store_list(struct sblog_store *store, char ***namesp, size_t *np,
    struct sblog_err *err);
void sblog_names_free(char **names);

/* Is this a topic name?  [A-Za-z0-9_][A-Za-z0-9._-]{0,199} */
bool sblog_name_ok(const char *name);

/* ---- settings --------------------------------------------------------- */

struct sblog_setting {
	const char *name;  /* "segment.bytes"; sblog-config(5) lists them */
	const char *value; /* as text; NULL: back to the default */
};

enum sblog_setting_origin {
	SBLOG_FROM_DEFAULT, /* built in */
	SBLOG_FROM_STORE,   /* STORE/config */
	SBLOG_FROM_TOPIC,   /* STORE/TOPIC/config */
};

/*
 * The i-th setting in bytewise order of names: SBLOG_END behind the last.
 * topic NULL: those of the store.  Strings belong to the library and stay
 * valid until the next call on the same handle.
 */
int sblog_setting_at(struct sblog_store *store, struct sblog_topic *topic,
    size_t i, struct sblog_setting *setting, enum sblog_setting_origin *originp,
    struct sblog_err *err);

/*
 * Change settings of a topic (or, with topic NULL, the store's defaults for
 * new and existing topics that do not say otherwise); all or none.
 * SBLOG_EINVAL: unknown name or bad value, nothing changed.  dry_run checks
 * and changes nothing.
 */
int sblog_setting_set(struct sblog_store *store, struct sblog_topic *topic,
    const struct sblog_setting *set, size_t n, bool dry_run,
    struct sblog_err *err);

/* ---- topic ------------------------------------------------------------ */

struct sblog_topic;

/*
 * Create a topic with these settings, durably: it exists complete or not at
 * all.  SBLOG_ECOND: it exists already.  SBLOG_EINVAL: bad name or setting.
 */
int sblog_topic_create(struct sblog_store *store, const char *name,
    const struct sblog_setting *set, size_t n, struct sblog_err *err);

/*
 * Open a topic.  With SBLOG_CREATE it is created if absent.  SBLOG_ENOENT: no
 * such topic.  SBLOG_EFORMAT: a newer version of sblog wrote it.
 */
int sblog_topic_open(struct sblog_topic **topicp, struct sblog_store *store,
    const char *name, enum sblog_mode mode, struct sblog_err *err);
void sblog_topic_close(struct sblog_topic *topic);
const char *sblog_topic_name(const struct sblog_topic *topic);

/*
 * Remove a topic and all its records, finally.  It disappears at once for new
 * opens; files that are open elsewhere stay readable until closed.  Files
 * unknown to sblog are moved to STORE/lost+found, not deleted.
 */
int sblog_topic_remove(struct sblog_store *store, const char *name,
    struct sblog_err *err);

struct sblog_info {
	uint64_t start;        /* first offset there is */
	uint64_t end;          /* published end: offset the next record gets */
	uint64_t durable_end;  /* what surely survives a power cut */
	uint64_t records;      /* in [start, end), without holes */
	uint64_t generation;   /* of the manifest */
	uint64_t chain;        /* hash of everything before end */
	int64_t first_time_us; /* append time of the first record, or 0 */
	int64_t last_time_us;  /* of the last record, or 0 */
	uint64_t bytes_stored; /* of all files of records */
	uint64_t bytes_raw;    /* values and delimiters before compression */
	uint64_t bytes_unsealed;  /* of WAL files */
	uint32_t segments, wals;  /* files of each kind */
	uint32_t lost_ranges;     /* offset ranges known to be lost to damage */
	char id[33];              /* the topic's random identity, hexadecimal */
	unsigned volatile_fs : 1; /* tmpfs: nothing survives a power cut */
	unsigned readonly : 1;
};

/* How the topic stands now. */
int sblog_topic_info(struct sblog_topic *topic, struct sblog_info *info,
    struct sblog_err *err);

enum sblog_file_kind {
	SBLOG_FILE_SEGMENT,    /* sealed */
	SBLOG_FILE_WAL,        /* finished, waits to be sealed */
	SBLOG_FILE_WAL_ACTIVE, /* appends go here */
};

struct sblog_file {
	enum sblog_file_kind kind;
	char name[64];
	uint64_t first, next; /* offsets [first, next) */
	uint64_t records;
	uint64_t bytes, bytes_raw;
	int64_t first_time_us, last_time_us; /* 0: no record */
	bool indexed;                        /* a good index lies beside it */
};

/* The i-th file of records in offset order; SBLOG_END behind the last. */
int sblog_topic_file(struct sblog_topic *topic, size_t i,
    struct sblog_file *file, struct sblog_err *err);

/* ---- records ---------------------------------------------------------- */

/*
 * headers is an encoded run, see sblog_headers_add and sblog_headers_next.
 * A key may be empty or absent; a record with a key and an absent value is a
 * tombstone.
 */
struct sblog_record {
	uint64_t offset;
	int64_t time_us;      /* append time, microseconds since 1970 UTC */
	int64_t user_time_us; /* SBLOG_NO_TIME: none */
	struct sblog_bytes key;
	struct sblog_bytes value;
	struct sblog_bytes headers; /* absent or len 0: none */
};

/*
 * Encode one header behind those in buf[0..*lenp-1]; *lenp grows.  value may
 * be absent.  SBLOG_EINVAL: empty name, name over 65535 bytes, or it does not
 * fit in size (*lenp is then what would be needed).
 */
int sblog_headers_add(void *buf, size_t size, size_t *lenp,
    struct sblog_bytes name, struct sblog_bytes value);

/*
 * Take the next header off the front of *run.  SBLOG_END: there is none left.
 * SBLOG_EDAMAGE: not an encoded run.
 */
int sblog_headers_next(struct sblog_bytes *run, struct sblog_bytes *namep,
    struct sblog_bytes *valuep);

/* ---- append ----------------------------------------------------------- */

enum sblog_sync {
	SBLOG_SYNC_DEFAULT, /* as the topic's setting "sync" says */
	SBLOG_SYNC_BATCH,   /* durable before the call returns */
	SBLOG_SYNC_NONE, /* published; sblog_sync() or the kernel writes back */
};

enum sblog_codec {
	SBLOG_CODEC_NONE, /* the write-ahead log keeps bytes as they came */
	SBLOG_CODEC_LZ4,
};

/* What must hold for an append; asked under its lock. */
enum sblog_expect_kind {
	SBLOG_EXPECT_END,      /* the end is value */
	SBLOG_EXPECT_EMPTY,    /* the topic has no record */
	SBLOG_EXPECT_EXISTS,   /* it has some */
	SBLOG_EXPECT_KEY_LAST, /* the last record of key is at offset value;
				  SBLOG_NO_OFFSET: there is none */
	SBLOG_EXPECT_KEY_POS,  /* it has position value; the same */
};

struct sblog_expect {
	enum sblog_expect_kind kind;
	uint64_t value;
	struct sblog_bytes key;
};

struct sblog_append_opts {
	enum sblog_sync sync;
	enum sblog_codec codec;
	/* Take offsets and append times from the records, which must go up and
	 * be at or past the end: SBLOG_ECOND otherwise. */
	unsigned keep_offsets : 1;
	/* sblog_sync() will follow: write-back may start early. */
	unsigned sync_later : 1;
	/* All of these must hold, or SBLOG_ECOND: err->offset is what there is
	 * instead, SBLOG_NO_OFFSET for none. */
	const struct sblog_expect *expect;
	size_t expect_count;
	/* Apply this call at most once: not if one with the same token was
	 * applied within the setting dedup.window.  Only of sblog_append.  The
	 * first record gets the header "sblog.once". */
	struct sblog_bytes once;
};

/*
 * Append recs[0..n-1] as one batch: a reader sees all of it or none of it,
 * also after a crash.  n is 1 to SBLOG_BATCH_RECORDS_MAX and the sum of
 * values, keys and headers at most 2 GiB - 1.
 *
 * On 0 the batch occupies offsets *firstp .. *firstp + n - 1 (with
 * keep_offsets: those given) and is as durable as opts->sync promises.
 * SBLOG_REPLAYED: opts->once was applied before, nothing was appended now, and
 * err->offset to err->end are the offsets that it got, as durable as asked for.
 * SBLOG_EBUSY, SBLOG_ECOND, SBLOG_ENOMEM, SBLOG_ETOOBIG (err->offset: index
 * into recs): nothing was written.  SBLOG_EIO: nothing is left of what was
 * written.  SBLOG_EUNKNOWN: the disk failed before we could tell.
 *
 * recs and the bytes it points to are read during the call and not kept.
 */
int sblog_append(struct sblog_topic *topic, const struct sblog_record *recs,
    size_t n, const struct sblog_append_opts *opts, uint64_t *firstp,
    struct sblog_err *err);

/* Do these hold now?  0 or SBLOG_ECOND, as sblog_append; it may be otherwise as
 * soon as this returns. */
int sblog_expect_check(struct sblog_topic *topic,
    const struct sblog_expect *expect, size_t n, struct sblog_err *err);

/*
 * Delimited text: data holds values, each followed by the same delimiter.
 * Without delim_len the delimiter is one newline.
 */
struct sblog_run {
	const void *data;
	size_t len;
	char delim[SBLOG_DELIM_MAX];
	uint8_t delim_len;
	/* What follows the last delimiter is a record too, and its delimiter is
	 * supplied: data must have SBLOG_DELIM_MAX writable bytes behind len. */
	unsigned final : 1;
	/* The data up to the last delimiter must become one batch, or fail with
	 * SBLOG_ETOOBIG; else as much as makes a good batch is taken. */
	unsigned atomic : 1;
	uint32_t max_records; /* 0: no further limit than the batch's own */
};

struct sblog_appended {
	uint64_t first, next; /* offsets of the batch: [first, next) */
	size_t consumed;      /* bytes of run.data, whole records only */
};

/*
 * Append the records at the front of a run as one batch, straight from the
 * caller's memory: no copy, no work per record but finding its end.  Call
 * again with what was not consumed.  consumed == 0: no complete record in it
 * (then nothing was appended).  Codes as sblog_append; on SBLOG_ETOOBIG
 * err->pos is the byte in data where the record begins, and the records before
 * it can still be appended with max_records (err->offset of them).
 */
int sblog_append_run(struct sblog_topic *topic, const struct sblog_run *run,
    const struct sblog_append_opts *opts, struct sblog_appended *done,
    struct sblog_err *err);

/*
 * Make durable all that this handle appended.  0: it is.  SBLOG_EIO: what was
 * not durable is rolled back.  SBLOG_EUNKNOWN: that could not be confirmed.
 */
int sblog_sync(struct sblog_topic *topic, struct sblog_err *err);

/* ---- read ------------------------------------------------------------- */

struct sblog_cursor;

struct sblog_cursor_opts {
	uint64_t from; /* first offset wanted; before the start: the start */
	uint64_t to;   /* 0: the end as published at open; SBLOG_NO_OFFSET: no
			  limit (follow); else stop before this offset */
	unsigned durable : 1; /* only what surely survives a power cut */
	unsigned copy : 1; /* the caller does not splice: batches have no fd */
	/* Only records with this key (data not NULL), or with category those
	 * whose key is it or begins with it and '-'.  By index where there is
	 * one: then the cost is that of the records found. */
	struct sblog_bytes key;
	unsigned category : 1;
	/* With key: begin at this position of its records, counted from 0,
	 * instead of at an offset. */
	unsigned by_pos : 1;
	uint64_t pos;
	/* Only the newest record of each key below `to`; none without key.
	 * They are as of the time of opening. */
	unsigned latest : 1;
	/* Only records of shard number `shard` of so many (sblog_shard_of); 0
	 * or 1: all.  Not with key or latest.  A batch that has keys has the
	 * records of other shards too. */
	uint32_t shards, shard;
};

/* SBLOG_ENOENT: from is past the end. */
int sblog_cursor_open(struct sblog_cursor **curp, struct sblog_topic *topic,
    const struct sblog_cursor_opts *opts, struct sblog_err *err);
void sblog_cursor_close(struct sblog_cursor *cur);

/*
 * Move to the next record.  SBLOG_GAP: retention has removed [err->offset,
 * err->end) since the cursor came there; the next call goes on behind it.
 * SBLOG_END at the end; calling again later may
 * succeed if there is no limit.  *rec points into the cursor and is valid
 * until the next call on it; with opts->key until the next call on the topic.  On SBLOG_EDAMAGE the cursor has not moved:
 * [err->offset, err->end) is lost, and sblog_cursor_skip() steps over it.
 */
int sblog_cursor_next(struct sblog_cursor *cur, struct sblog_record *rec,
    struct sblog_err *err);

/*
 * A run of records with everything about them, hashes verified.  SBLOG_EINVAL:
 * the cursor has opts->key or opts->latest.  values is the
 * run of values in memory, each followed by delim; where the bytes lie in a
 * file just so, fd >= 0 and they are at fd_pos, so that they can be spliced
 * without a copy.
 */
struct sblog_batch {
	uint64_t first, next; /* offsets, [first, next) */
	uint64_t count;       /* records; fewer than next - first with holes */
	int64_t time_us;      /* append time of the first record */
	struct sblog_bytes values;
	char delim[SBLOG_DELIM_MAX];
	uint8_t delim_len;
	int fd; /* borrowed; -1: only in memory */
	uint64_t fd_pos;
	unsigned keys : 1;       /* some record has a key */
	unsigned headers : 1;    /* some record has headers */
	unsigned nulls : 1;      /* some record has no value */
	unsigned user_times : 1; /* some record has a user time */
	struct {
		const void *view; /* for sblog_batch_next */
		uint64_t index, end, value_pos, key_pos, header_pos;
	} priv;
};

/*
 * The rest of the current batch, from the cursor's position to opts->to; the
 * cursor moves behind it.  Same returns as sblog_cursor_next; *batch is valid
 * until the next call on the cursor.
 */
int sblog_cursor_batch(struct sblog_cursor *cur, struct sblog_batch *batch,
    struct sblog_err *err);

/* The next record of a batch, or SBLOG_END. */
int sblog_batch_next(struct sblog_batch *batch, struct sblog_record *rec);

/*
 * Sleep until there is something to read, or timeout_us passed (then
 * SBLOG_END), or a signal came (SBLOG_EIO, err->sys EINTR).
 */
int sblog_cursor_wait(struct sblog_cursor *cur, uint64_t timeout_us,
    struct sblog_err *err);

/* With opts->key and not category: position of the record that was returned
 * last among those of its key. */
uint64_t sblog_cursor_pos(const struct sblog_cursor *cur);

/* Offset of the record that the next call returns, if there is one. */
uint64_t sblog_cursor_offset(const struct sblog_cursor *cur);

/* Step over damage that the last call reported: to err->end. */
int sblog_cursor_skip(struct sblog_cursor *cur, struct sblog_err *err);

/*
 * One record, from anywhere.  *rec is valid until the next call on the topic.
 * SBLOG_ENOENT: no such offset (before the start, past the end, in a hole).
 */
int sblog_get(struct sblog_topic *topic, uint64_t offset,
    struct sblog_record *rec, struct sblog_err *err);

/* What there is of a key. */
struct sblog_key_info {
	uint64_t last;     /* offset of its newest record */
	uint64_t next_pos; /* position that its next record will have */
};

/* How many records of the key lie before this offset: the position of the one
 * there.  Cheap where keys are indexed. */
int sblog_key_rank(struct sblog_topic *topic, struct sblog_bytes key,
    uint64_t offset, uint64_t *posp, struct sblog_err *err);

/* SBLOG_ENOENT: no record has this key. */
int sblog_key_find(struct sblog_topic *topic, struct sblog_bytes key,
    struct sblog_key_info *info, struct sblog_err *err);

/*
 * The newest record of a key; its value may be absent.  *rec is valid until the
 * next call on the topic.  SBLOG_ENOENT: no record has this key.
 */
int sblog_get_key(struct sblog_topic *topic, struct sblog_bytes key,
    struct sblog_record *rec, struct sblog_err *err);

/*
 * First offset appended at or after time_us; the end if there is none.
 * Append time never goes back, so all that follow are as young.
 */
int sblog_find_time(struct sblog_topic *topic, int64_t time_us,
    uint64_t *offsetp, struct sblog_err *err);

/* Where the batch of a record lies; what sblog stat --at shows. */
struct sblog_place {
	size_t file;          /* for sblog_topic_file */
	uint64_t pos;         /* byte position of its batch in that file */
	uint64_t first, next; /* offsets of that batch */
};
int sblog_locate(struct sblog_topic *topic, uint64_t offset,
    struct sblog_place *place, struct sblog_err *err);

/* ---- consumer groups -------------------------------------------------- */

/*
 * A group is a name under which a consumer leaves the offset where it goes on:
 * the committed offset, which is the one of the next record wanted.  It is kept
 * in one small file of the topic, TOPIC/groups/NAME, sblog-group(5).  Names are
 * like those of topics, but do not end like a temporary file (".tmp." and 16
 * hexadecimal digits).
 */
enum {
	SBLOG_NOTE_MAX = 1024,  /* bytes of a note */
	SBLOG_SHARDS_MAX = 256, /* shards of a group */
	SBLOG_SHARD_RUN = 8192, /* offsets of one shard in a row, no keys */
};

struct sblog_group {
	char name[SBLOG_NAME_MAX + 1];
	uint64_t committed; /* offset of the next record wanted */
	uint64_t chain;     /* of everything before it, when it was committed */
	int64_t time_us;    /* when that was */
	uint64_t seq;       /* changes with every commit, grows */
	uint64_t epoch;     /* of the lease it was committed under, or 0 */
	/* 0: one consumer commits.  Else this many shards commit, each for
	 * itself, and committed, chain and note are those of the shard that is
	 * furthest behind; time_us is the latest. */
	uint32_t shards;
	unsigned parked : 1;    /* holds no retention back */
	unsigned undurable : 1; /* was not known durable when committed */
	unsigned no_chain : 1; /* the chain was not known, see sblog_chain_at */
	/* The last commit, or the one before it, is damaged; what is told here
	 * is what is left: at worst one commit too old. */
	unsigned one_slot_damaged : 1;
	uint64_t damaged_pos; /* byte in groups/damaged_file, if so */
	char damaged_file[SBLOG_NAME_MAX + 32];
	uint32_t note_len;
	char note[SBLOG_NOTE_MAX + 1]; /* any bytes but NUL; NUL behind them */
};

/* Is this a name of a group? */
bool sblog_group_name_ok(const char *name);

/*
 * How a group stands.  SBLOG_ENOENT: there is none.  SBLOG_EDAMAGE: nothing of
 * the file can be believed; err has file and byte.  SBLOG_EINVAL: not a name.
 * Takes no lock, allocates nothing on a handle that was asked before.
 */
int sblog_group_get(struct sblog_topic *topic, const char *name,
    struct sblog_group *group, struct sblog_err *err);

/*
 * The i-th group in bytewise order of names; SBLOG_END behind the last.  A
 * damaged one is SBLOG_EDAMAGE with group->name set; go on with i + 1.  The
 * directory is read when i is 0.
 */
int sblog_group_at(struct sblog_topic *topic, size_t i,
    struct sblog_group *group, struct sblog_err *err);

/* One shard of a group, i < group.shards: committed, chain, time_us, epoch,
 * note and seq are its own. */
int sblog_group_shard(struct sblog_topic *topic, const char *name, uint32_t i,
    struct sblog_group *shard, struct sblog_err *err);

struct sblog_lease;

struct sblog_commit_opts {
	enum sblog_sync sync;
	/* For the shard of this lease; the group's name must be its. */
	struct sblog_lease *lease;
	uint64_t if_offset; /* what must be committed now, see if_set */
	const char *note;   /* NULL: none; at most SBLOG_NOTE_MAX bytes; one of
			     * more than 384 makes any commit durable */
	unsigned if_set : 1;
	/* if_set with SBLOG_NO_OFFSET: the group must not exist. */
	unsigned undurable : 1; /* also past the durable end */
	unsigned reset : 1;     /* whatever is there now, also damaged */
	unsigned keep_note : 1; /* the note stays what it was */
	unsigned park : 1;      /* and park it, */
	unsigned unpark : 1;    /* or the other way; neither: as it was */
	unsigned dry_run : 1;   /* only check */
};

/*
 * Commit an offset, in place of whatever was committed: all or nothing, also
 * across a crash, and durable as opts->sync promises.  The group is created if
 * there is none.  start <= offset <= durable end (undurable: published end).
 *
 * SBLOG_ENOENT: before the start, past the end, or not durable yet.  SBLOG_ECOND: if_offset does not hold, err->offset is
 * what is committed (SBLOG_NO_OFFSET: nothing); or the lease was lost; or there
 * is no lease and others have leases of this group.  SBLOG_EBUSY, SBLOG_EINVAL
 * (name, note), SBLOG_EDAMAGE: as always.  After any of these nothing changed.
 * SBLOG_EUNKNOWN: it is committed, but a power cut may take it back.
 */
int sblog_group_commit(struct sblog_topic *topic, const char *name,
    uint64_t offset, const struct sblog_commit_opts *opts,
    struct sblog_err *err);

/* Park: keep the offset, hold no retention back.  SBLOG_ENOENT: no group. */
int sblog_group_park(struct sblog_topic *topic, const char *name, bool parked,
    bool dry_run, struct sblog_err *err);

/* Forget a group.  SBLOG_ECOND: others have leases of it. */
int sblog_group_remove(struct sblog_topic *topic, const char *name,
    bool dry_run, struct sblog_err *err);

/*
 * Are the records before the committed offset still those that the consumer
 * saw?  SBLOG_EDAMAGE "log diverged": no, or there are fewer.  0: yes, or they
 * are no longer there to tell (trimmed, compacted, lost).
 */
int sblog_group_check(struct sblog_topic *topic,
    const struct sblog_group *group, struct sblog_err *err);

/*
 * Chain of everything before offset.  Costs one batch at most.  SBLOG_ENOENT:
 * before the start or past the end.  SBLOG_END: not known there, because
 * records before it in its batch were removed.
 */
int sblog_chain_at(struct sblog_topic *topic, uint64_t offset, uint64_t *chainp,
    struct sblog_err *err);

/*
 * A lease: the right to consume one shard of a group and to commit for it.  It
 * is an flock, so it ends with the process, whatever that dies of.  A handle
 * may hold several.  Descriptors are close-on-exec.
 */
struct sblog_lease_opts {
	uint32_t shards;   /* 1 to SBLOG_SHARDS_MAX; 0 is 1: all by oneself */
	unsigned pick : 1; /* only this shard, not the first free one: */
	uint32_t shard;
	uint64_t from; /* where a group begins that does not exist yet */
};

/*
 * Take the first free shard.  SBLOG_EBUSY: none is free.  SBLOG_ECOND: others
 * have leases of this group with another number of shards (err->offset: how
 * many).  If nobody has any, the group is divided anew, and every shard begins
 * at what was committed for all.  SBLOG_ENOENT: from is outside of the log.
 * The group is created if there is none.
 *
 * The caller releases what it got, before the topic.
 */
int sblog_lease_take(struct sblog_lease **leasep, struct sblog_topic *topic,
    const char *name, const struct sblog_lease_opts *opts,
    struct sblog_err *err);

/*
 * The same, but wait for one to become free.  SBLOG_END: none did in
 * timeout_us (UINT64_MAX: no limit).  SBLOG_EIO with err->sys EINTR: a signal.
 */
int sblog_lease_wait(struct sblog_lease **leasep, struct sblog_topic *topic,
    const char *name, const struct sblog_lease_opts *opts, uint64_t timeout_us,
    struct sblog_err *err);

/* Which shard of how many, and how it stands. */
uint32_t sblog_lease_shard(const struct sblog_lease *lease);
uint32_t sblog_lease_shards(const struct sblog_lease *lease);
int sblog_lease_get(struct sblog_lease *lease, struct sblog_group *shard,
    struct sblog_err *err);

/* Is it still ours?  SBLOG_ECOND: no, the group was removed or reset. */
int sblog_lease_check(struct sblog_lease *lease, struct sblog_err *err);
void sblog_lease_release(struct sblog_lease *lease);

/*
 * Which of so many shards a record belongs to: XXH3-64 of its key modulo
 * shards; without a key runs of SBLOG_SHARD_RUN offsets take turns, the run
 * number (offset / SBLOG_SHARD_RUN) modulo shards.
 */
uint32_t sblog_shard_of(const struct sblog_record *rec, uint32_t shards);

/* ---- maintenance ------------------------------------------------------ */

/* Called now and then by long work; total is 0 while unknown (bytes). */
typedef void (*sblog_progress_fn)(void *arg, uint64_t done, uint64_t total);

struct sblog_trim_opts {
	/* Keep what any of these keeps not; each zero: no limit by it. */
	uint64_t before;        /* records before this offset go */
	uint64_t keep_age_us;   /* those older than this */
	uint64_t keep_bytes;    /* files of records, oldest first, over this */
	uint64_t keep_records;  /* the oldest over this number */
	unsigned by_policy : 1; /* as the topic's retention settings say */
	unsigned whole_files : 1;   /* no start within a file: as policies do */
	unsigned ignore_groups : 1; /* also what groups have not read */
	unsigned dry_run : 1;
};

struct sblog_trimmed {
	uint64_t start;        /* first offset there is now, or would be */
	uint64_t records;      /* removed */
	uint64_t files, bytes; /* removed */
	char group[SBLOG_NAME_MAX + 1]; /* that holds more back, or "" */
};

/*
 * Remove the oldest records, durably: whole files, and an exact start where
 * asked for.  Readers and appenders go on.  SBLOG_END: nothing to remove.
 * SBLOG_ECOND: a group has not read them, err->offset is where it is; nothing
 * was removed (with by_policy: what it has read was).
 */
int sblog_trim(struct sblog_topic *topic, const struct sblog_trim_opts *opts,
    struct sblog_trimmed *done, struct sblog_err *err);

#define SBLOG_NO_LIMIT UINT64_MAX

struct sblog_compact_opts {
	/* Part of the sealed bytes that was not compacted yet, in millionths,
	 * from which on there is something to do; 0: always. */
	uint64_t min_dirty;
	uint64_t grace_us; /* tombstones stay so long; SBLOG_NO_LIMIT: ever */
	uint64_t memory;   /* bytes, at least 1 MiB is used; 0: 128 MiB */
	uint64_t rate;     /* bytes per second read and written, 0: no limit */
	unsigned by_policy : 1; /* min_dirty and grace_us as the topic is set */
	unsigned dry_run : 1;
	unsigned threads; /* as of sblog_seal_opts */
	sblog_progress_fn progress;
	void *arg;
};

struct sblog_compacted {
	uint64_t records_before, records_after; /* of all segments */
	uint64_t bytes_before, bytes_after;
	uint64_t segments_before, segments_after;
	uint64_t rewritten; /* segments made */
	uint64_t passes;    /* over the keys */
	uint64_t dirty;     /* part of the bytes, in millionths, before */
};

/*
 * Keep of the sealed records with a key only the latest of each key, at its
 * offset; tombstones until they are old enough; records without a key as
 * compact.unkeyed says.  What is not sealed yet is left alone and makes nothing
 * obsolete.  Readers and appenders go on.  SBLOG_END: nothing to do.
 * SBLOG_EDAMAGE: something cannot be read, nothing was removed.
 */
int sblog_compact(struct sblog_topic *topic,
    const struct sblog_compact_opts *opts, struct sblog_compacted *done,
    struct sblog_err *err);

struct sblog_maintain_opts {
	unsigned automatic : 1; /* also seal by segment.ms */
	unsigned seal : 1;      /* seal first, whatever its age */
	unsigned ignore_groups : 1;
	unsigned dry_run : 1;
	unsigned min_dirty_given : 1, grace_given : 1; /* else as it is set */
	uint64_t min_dirty, grace_us, memory, rate;    /* sblog_compact_opts */
	sblog_progress_fn progress;
	void *arg;
};

struct sblog_maintained;

/*
 * What the settings of a topic ask for now: cleanup.policy, retention.*,
 * segment.ms, group.retention.ms.  SBLOG_END: nothing, for the price of looking
 * at the manifest.
 */
int sblog_maintain(struct sblog_topic *topic,
    const struct sblog_maintain_opts *opts, struct sblog_maintained *done,
    struct sblog_err *err);

struct sblog_seal_opts {
	uint64_t older_us; /* only WALs whose first record is older than this */
	uint64_t larger;   /* only WALs with more bytes than this */
	unsigned dry_run : 1;
	unsigned threads; /* workers; 0: one per processor, at most 8 */
	sblog_progress_fn progress;
	void *arg;
};

struct sblog_sealed {
	uint64_t first, next; /* offsets sealed: [first, next) */
	uint64_t records;
	uint64_t bytes_before, bytes_after;
	uint64_t segments; /* files made */
};

struct sblog_maintained {
	unsigned sealed : 1, trimmed : 1, compacted : 1;
	struct sblog_sealed seal;
	struct sblog_trimmed trim;
	struct sblog_compacted compact;
	uint64_t groups; /* that nobody used any more, removed */
	char hook[256];  /* the setting hook.seal */
};

/*
 * Finish the active WAL and turn every finished WAL into a segment.  SBLOG_END:
 * nothing to seal.  Readers and appenders go on meanwhile.  On failure each
 * WAL is either sealed or still there.
 */
int sblog_seal(struct sblog_topic *topic, const struct sblog_seal_opts *opts,
    struct sblog_sealed *sealed, struct sblog_err *err);

enum sblog_index_mode {
	SBLOG_INDEX_BUILD, /* make what is missing or stale */
	SBLOG_INDEX_CHECK, /* compare with the data, change nothing */
	SBLOG_INDEX_DROP,  /* remove; reads go on without, slower */
};

struct sblog_indexed {
	uint64_t good, missing, stale; /* index files found so */
	uint64_t built, dropped;
	uint64_t bytes; /* of all index files afterwards */
};

int sblog_index(struct sblog_topic *topic, enum sblog_index_mode mode,
    bool dry_run, struct sblog_indexed *done, struct sblog_err *err);

enum sblog_verify_depth {
	SBLOG_VERIFY_NORMAL, /* every hash of every file */
	SBLOG_VERIFY_QUICK,  /* manifest, headers, footers, sizes */
	SBLOG_VERIFY_DEEP, /* and decompress, columns, chain, index against data */
};

struct sblog_finding {
	const char
	    *kind; /* "damage", "lost", "orphan", "torn", "index", "note" */
	const char *file;     /* path below the topic */
	uint64_t pos;         /* byte position, or UINT64_MAX */
	uint64_t first, next; /* offsets concerned, or SBLOG_NO_OFFSET */
	const char *msg;
	bool damage; /* false: worth knowing, not damage */
};
typedef void (*sblog_finding_fn)(void *arg, const struct sblog_finding *f);

struct sblog_verify_opts {
	enum sblog_verify_depth depth;
	unsigned threads;       /* at most; this version uses one */
	uint64_t rate;          /* bytes per second, 0: no limit */
	sblog_finding_fn found; /* may be NULL */
	sblog_progress_fn progress;
	void *arg; /* of both */
};

struct sblog_verified {
	uint64_t start, end; /* offsets looked at */
	uint64_t records, batches, files, bytes;
	uint64_t damages; /* findings that are damage */
	uint64_t notes;   /* other findings */
	uint64_t chain;   /* at end, as recomputed (deep) or recorded */
};

/*
 * Read everything up to the end as published now and report what is wrong.
 * Returns 0 also when damage was found: see damages.  Never a false alarm on a
 * topic that others append to or seal meanwhile.
 */
int sblog_verify(struct sblog_topic *topic,
    const struct sblog_verify_opts *opts, struct sblog_verified *done,
    struct sblog_err *err);

#ifdef __cplusplus
}
#endif

#endif /* SBLOG_H */
