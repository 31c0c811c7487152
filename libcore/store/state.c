/*
 * state.c - the shared page: published end, durable end, wake-up word.
 *
 * The only file with atomics.  One writer at a time (lock.append) changes the
 * published words; any number of readers copy them between two looks at seq.
 */
#include "store/state.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/err.h"
#include "base/le.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the state page is shared in little-endian order"
#endif

static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint32_t) == 4,
    "atomics are plain words");

enum {
	MAGIC_AT = 0,
	VERSION_AT = 8,
	BOOT_AT = 16,
	TOPIC_AT = 32,
	IDENT_HASH_AT = 48,
	SEQ_AT = 64,
	PUB_AT = 72,
	PUB_WORDS = 13,
	PUB_ORDINAL = 6, /* which of them */
	PUB_HASH_AT = PUB_AT + 8 * PUB_WORDS,
	DURABLE_AT = 256,
	SYNCED_AT = 272,
	WAKE_AT = 320,
	SLEEPERS_AT = 324,
	LEADER_AT = 384,
	ROUND_AT = 388,
	FAILURES_AT = 392,
	UNMARKED_AT = 400,
	DIRTY_AT = 448,

	LEAD_MS = 250,       /* a leader silent for longer is taken for dead */
	SLEEP_PUBLISHED = 1, /* bits of sleepers: what they wait for */
	SLEEP_DURABLE = 2,
	POLL_US = 5000, /* of followers that may not ask for a wake-up */
	POS_BITS = 40,
	ORDINAL_MASK = 0xffffff,
};

#define MAGIC UINT64_C(0x415453676f6c6273) /* "sblogSTA" */
#define CHECK_KEY UINT64_C(0x6475726162c0ffee)

static _Atomic uint64_t *
word(const struct sb_state *s, size_t at)
{
	return (_Atomic uint64_t *)(void *)((uint8_t *)s->map + at);
}

static _Atomic uint32_t *
half(const struct sb_state *s, size_t at)
{
	return (_Atomic uint32_t *)(void *)((uint8_t *)s->map + at);
}

/* The same word for the futex calls. */
static uint32_t *
futex(const struct sb_state *s, size_t at)
{
	return (uint32_t *)(void *)((uint8_t *)s->map + at);
}

static uint64_t
peek(const struct sb_state *s, size_t at)
{
	return atomic_load_explicit(word(s, at), memory_order_relaxed);
}

static void
poke(const struct sb_state *s, size_t at, uint64_t value)
{
	atomic_store_explicit(word(s, at), value, memory_order_relaxed);
}

static uint64_t
check_of(uint64_t value, const uint8_t *topic)
{
	uint64_t key = CHECK_KEY;

	if (topic != NULL) {
		memcpy(&key, topic, sizeof(key));
		key ^= CHECK_KEY;
	}
	return XXH3_64bits_withSeed(&value, sizeof(value), key);
}

int
sb_state_open(struct sb_state *s, int dirfd, bool write, struct sblog_err *err)
{
	struct sb_stat st;
	int rc;

	*s = SB_STATE_INIT;
	rc = sb_sys_open(dirfd, SB_NAME_STATE,
	    write ? SB_OPEN_WRITE : SB_OPEN_READ);
	if (rc == -ENOENT || (!write && rc < 0))
		return 0;
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_STATE,
		    "cannot open");
	s->fd = rc;
	if (sb_sys_fstat(s->fd, &st) < 0 || st.size != SB_STATE_SIZE ||
	    sb_sys_map(s->fd, SB_STATE_SIZE, write, &s->map) < 0) {
		sb_state_close(s);
		return 0;
	}
	s->writable = write;
	s->marked = sb_sys_marked(s->fd) != 0;
	return 0;
}

void
sb_state_close(struct sb_state *s)
{
	if (s->map != NULL)
		sb_sys_unmap(s->map, SB_STATE_SIZE);
	/* Nothing was written through the descriptor. */
	(void)sb_sys_close(&s->fd);
	*s = SB_STATE_INIT;
}

int
sb_state_create(int dirfd, const uint8_t topic[static SB_ID_SIZE],
    struct sblog_err *err)
{
	struct sb_tmp file = SB_TMP_INIT;
	uint8_t page[SB_STATE_SIZE] = { 0 };
	const struct sblog_bytes bytes = { .data = page, .len = sizeof(page) };
	int rc;

	/* Real bytes, not a hole: a store into a hole of a full disk kills.
	 * The boot is left zero: valid for no boot, so that the first appender
	 * looks at the WAL. */
	memcpy(page + TOPIC_AT, topic, SB_ID_SIZE);
	sb_put_u64(page + DURABLE_AT + 8, check_of(0, topic));
	sb_put_u64(page + SYNCED_AT + 8, check_of(0, NULL));
	if ((rc = sb_tmp_create(&file, dirfd, SB_NAME_STATE, err)) < 0 ||
	    (rc = sb_tmp_write(&file, bytes, 0, err)) < 0)
		goto out;
	rc = sb_tmp_commit(&file, SB_TMP_REPLACE, err);
out:
	sb_tmp_discard(&file);
	return rc;
}

bool
sb_state_current(const struct sb_state *s)
{
	struct sb_stat st;

	return s->map != NULL && sb_sys_fstat(s->fd, &st) == 0 &&
	    st.links > 0 && st.size == SB_STATE_SIZE;
}

/* Identity of the page: 48 bytes and their hash. */
static bool
identity(const struct sb_state *s, const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], uint64_t *hashp)
{
	static const uint8_t unknown[SB_ID_SIZE];
	uint64_t words[6];
	uint8_t bytes[48];

	for (size_t i = 0; i < 6; i++)
		words[i] = peek(s, MAGIC_AT + 8 * i);
	memcpy(bytes, words, sizeof(bytes));
	*hashp = XXH3_64bits(bytes, sizeof(bytes));
	return words[0] == MAGIC && words[1] == 1 &&
	    memcmp(boot, unknown, SB_ID_SIZE) != 0 &&
	    memcmp(bytes + BOOT_AT, boot, SB_ID_SIZE) == 0 &&
	    memcmp(bytes + TOPIC_AT, topic, SB_ID_SIZE) == 0 &&
	    peek(s, IDENT_HASH_AT) == *hashp;
}

static void
pack(const struct sb_published *p, uint64_t words[static PUB_WORDS])
{
	const uint64_t list[PUB_WORDS] = {
		p->end,
		p->wal_base,
		p->pos,
		p->chain,
		(uint64_t)p->last_time,
		p->generation,
		p->ordinal,
		p->zero_end,
		p->indexed,
		p->wal_count,
		p->wal_raw,
		(uint64_t)p->wal_time,
		p->wal_ino,
	};

	memcpy(words, list, sizeof(list));
}

static void
unpack(struct sb_published *p, const uint64_t words[static PUB_WORDS])
{
	*p = (struct sb_published){
		.end = words[0],
		.wal_base = words[1],
		.pos = words[2],
		.chain = words[3],
		.last_time = (int64_t)words[4],
		.generation = words[5],
		.ordinal = words[6],
		.zero_end = words[7],
		.indexed = words[8],
		.wal_count = words[9],
		.wal_raw = words[10],
		.wal_time = (int64_t)words[11],
		.wal_ino = words[12],
	};
}

/* Has the page been in memory since somebody has reset it? */
static bool
alive(const struct sb_state *s)
{
	return s->marked || peek(s, UNMARKED_AT) != 0 ||
	    sb_sys_marked(s->fd) != 0;
}

bool
sb_state_read(const struct sb_state *s, const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], struct sb_published *p)
{
	uint64_t words[PUB_WORDS];
	uint64_t hash, ident, before;

	if (s->map == NULL || !identity(s, topic, boot, &ident) || !alive(s))
		return false;
	/* A writer is between the two stores for some nanoseconds, unless it
	 * was stopped or killed there: then the page is not to be used. */
	for (int tries = 0; tries < 10000; tries++) {
		before =
		    atomic_load_explicit(word(s, SEQ_AT), memory_order_acquire);
		for (size_t i = 0; i < PUB_WORDS; i++)
			words[i] = peek(s, PUB_AT + 8 * i);
		hash = peek(s, PUB_HASH_AT);
		atomic_thread_fence(memory_order_acquire);
		if ((before & 1) == 0 && peek(s, SEQ_AT) == before) {
			unpack(p, words);
			return hash ==
			    XXH3_64bits_withSeed(words, sizeof(words), ident);
		}
	}
	return false;
}

void
sb_state_publish(struct sb_state *s, const struct sb_published *p)
{
	uint64_t words[PUB_WORDS];
	uint64_t seq = peek(s, SEQ_AT) | 1;

	pack(p, words);
	poke(s, SEQ_AT, seq);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < PUB_WORDS; i++)
		poke(s, PUB_AT + 8 * i, words[i]);
	poke(s, PUB_HASH_AT,
	    XXH3_64bits_withSeed(words, sizeof(words), peek(s, IDENT_HASH_AT)));
	atomic_store_explicit(word(s, SEQ_AT), seq + 1, memory_order_release);
}

void
sb_state_reset(struct sb_state *s, const uint8_t topic[static SB_ID_SIZE],
    const uint8_t boot[static SB_ID_SIZE], const struct sb_published *p)
{
	uint64_t words[6] = { MAGIC, 1 };
	uint64_t synced = (p->ordinal & ORDINAL_MASK) << POS_BITS;

	/* Unusable while it changes. */
	poke(s, IDENT_HASH_AT, 0);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(words + 2, boot, SB_ID_SIZE);
	memcpy(words + 4, topic, SB_ID_SIZE);
	for (size_t i = 0; i < 6; i++)
		poke(s, MAGIC_AT + 8 * i, words[i]);
	poke(s, SYNCED_AT, synced);
	poke(s, SYNCED_AT + 8, check_of(synced, NULL));
	poke(s, UNMARKED_AT, sb_sys_mark(s->fd) < 0);
	s->marked = true;
	atomic_thread_fence(memory_order_seq_cst);
	poke(s, IDENT_HASH_AT, XXH3_64bits(words, sizeof(words)));
	sb_state_publish(s, p);
}

uint64_t
sb_state_seq(const struct sb_state *s)
{
	if (s->map == NULL)
		return 0;
	return atomic_load_explicit(word(s, SEQ_AT), memory_order_acquire);
}

/* Two words: a number that only goes up, and its check. */
static uint64_t
checked(const struct sb_state *s, size_t at, const uint8_t *topic)
{
	uint64_t value = 0;

	if (s->map == NULL)
		return 0;
	for (int tries = 0; tries < 100; tries++) {
		value = atomic_load(word(s, at));
		if (atomic_load(word(s, at + 8)) == check_of(value, topic))
			return value;
	}
	return 0;
}

static void
raise(struct sb_state *s, size_t at, uint64_t to, const uint8_t *topic)
{
	/* A value without its check is no value: it may be damage. */
	uint64_t seen = atomic_load(word(s, at));
	uint64_t good = checked(s, at, topic);

	while (seen < to || good == 0) {
		if (atomic_compare_exchange_weak(word(s, at), &seen, to))
			break;
		good = checked(s, at, topic);
	}
	do {
		seen = atomic_load(word(s, at));
		atomic_store(word(s, at + 8), check_of(seen, topic));
	} while (atomic_load(word(s, at)) != seen);
}

static void
topic_of(const struct sb_state *s, uint8_t topic[static SB_ID_SIZE])
{
	uint64_t words[2] = { peek(s, TOPIC_AT), peek(s, TOPIC_AT + 8) };

	memcpy(topic, words, SB_ID_SIZE);
}

uint64_t
sb_state_durable(const struct sb_state *s,
    const uint8_t topic[static SB_ID_SIZE])
{
	return checked(s, DURABLE_AT, topic);
}

uint64_t
sb_state_synced(const struct sb_state *s, uint64_t ordinal)
{
	uint64_t value = checked(s, SYNCED_AT, NULL);

	if (value >> POS_BITS != (ordinal & ORDINAL_MASK))
		return 0;
	return value & ((UINT64_C(1) << POS_BITS) - 1);
}

uint64_t
sb_state_ordinal(const struct sb_state *s)
{
	uint64_t published, synced;

	if (s->map == NULL)
		return 0;
	/* Of each word the last value counts, also where somebody was killed
	 * before its check was there. */
	published = peek(s, PUB_AT + 8 * PUB_ORDINAL) & ORDINAL_MASK;
	synced = peek(s, SYNCED_AT) >> POS_BITS;
	return published > synced ? published : synced;
}

void
sb_state_set_durable(struct sb_state *s, uint64_t end, uint64_t ordinal,
    uint64_t pos)
{
	uint8_t topic[SB_ID_SIZE];

	topic_of(s, topic);
	raise(s, DURABLE_AT, end, topic);
	raise(s, SYNCED_AT, (ordinal & ORDINAL_MASK) << POS_BITS | pos, NULL);
}

void
sb_state_set_dirty(struct sb_state *s, bool dirty)
{
	atomic_store_explicit(word(s, DIRTY_AT), dirty, memory_order_seq_cst);
}

bool
sb_state_dirty(const struct sb_state *s)
{
	return atomic_load_explicit(word(s, DIRTY_AT), memory_order_seq_cst) !=
	    0;
}

static void
wake(struct sb_state *s, uint32_t whom)
{
	atomic_fetch_add(half(s, WAKE_AT), 1);
	if ((atomic_load(half(s, SLEEPERS_AT)) & whom) == 0)
		return;
	atomic_store(half(s, SLEEPERS_AT), 0);
	sb_sys_wake(futex(s, WAKE_AT));
}

void
sb_state_wake(struct sb_state *s)
{
	wake(s, UINT32_MAX);
}

void
sb_state_wake_durable(struct sb_state *s)
{
	wake(s, SLEEP_DURABLE);
}

uint32_t
sb_state_ticket(const struct sb_state *s)
{
	return s->map == NULL ? 0 : atomic_load(half(s, WAKE_AT));
}

int
sb_state_wait(struct sb_state *s, uint32_t ticket, bool durable,
    uint64_t timeout_us)
{
	uint64_t slice = timeout_us < POLL_US ? timeout_us : POLL_US;
	int rc;

	if (s->map == NULL) {
		sb_sys_sleep(slice);
		return -ETIMEDOUT;
	}
	if (!s->writable) {
		rc = sb_sys_wait(futex(s, WAKE_AT), ticket, slice);
		return rc == -ENOSYS ? -ETIMEDOUT : rc;
	}
	/* Whoever publishes raises wake first and looks at sleepers then: it
	 * sees us, or we see its number. */
	(void)atomic_fetch_or(half(s, SLEEPERS_AT),
	    durable ? SLEEP_DURABLE | SLEEP_PUBLISHED : SLEEP_PUBLISHED);
	rc = sb_sys_wait(futex(s, WAKE_AT), ticket, timeout_us);
	if (rc == -ENOSYS) {
		sb_sys_sleep(slice);
		return -ETIMEDOUT;
	}
	return rc;
}

bool
sb_state_lead(struct sb_state *s)
{
	uint32_t now = (uint32_t)(sb_sys_monotonic_us() / 1000) | 1;
	uint32_t seen = atomic_load(half(s, LEADER_AT));

	if ((seen != 0 && seen != s->dead && now - seen < LEAD_MS) ||
	    !atomic_compare_exchange_strong(half(s, LEADER_AT), &seen, now)) {
		s->met = seen;
		return false;
	}
	s->stamp = now;
	s->dead = 0;
	return true;
}

void
sb_state_led(struct sb_state *s, bool failed)
{
	uint32_t mine = s->stamp;

	if (failed)
		atomic_fetch_add(word(s, FAILURES_AT), 1);
	/* Not ours any more if we were taken for dead. */
	(void)atomic_compare_exchange_strong(half(s, LEADER_AT), &mine, 0);
	atomic_fetch_add(half(s, ROUND_AT), 1);
	sb_sys_wake(futex(s, ROUND_AT));
}

uint32_t
sb_state_round(const struct sb_state *s)
{
	return atomic_load(half(s, ROUND_AT));
}

void
sb_state_follow(struct sb_state *s, uint32_t round, uint64_t timeout_us)
{
	uint64_t begun = sb_sys_monotonic_us();

	/* Woken, timed out or interrupted: the caller looks for itself. */
	(void)sb_sys_wait(futex(s, ROUND_AT), round, timeout_us);
	if (sb_sys_monotonic_us() - begun >= timeout_us &&
	    sb_state_round(s) == round)
		s->dead = s->met;
}
