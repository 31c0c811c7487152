/*
 * ledger.c - what producers were promised, and whether a log keeps it.
 */
#include "torture/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <sblog.h>

struct ledger *
ledger_new(uint64_t salt)
{
	struct ledger *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (l == MAP_FAILED)
		return NULL;
	l->salt = salt;
	return l;
}

void
ledger_free(struct ledger *l)
{
	if (l != NULL)
		(void)munmap(l, sizeof(*l));
}

void
ledger_reset(struct ledger *l, uint64_t salt)
{
	l->salt = salt;
	l->acked_end = l->durable_end = l->seen_end = l->durable_seen = 0;
	for (unsigned i = 0; i < LEDGER_ACCOUNTS; i++) {
		struct ledger_account *a = &l->account[i];

		a->tried = a->acked = a->lots = a->cursor = 0;
	}
}

const char *
ledger_fault_name(enum ledger_fault f)
{
	static const char *const names[LEDGER_FAULTS] = { "lost", "duplicate",
		"phantom", "order", "realtime", "dense", "torn", "stale",
		"stuck", "status", "damage" };

	return names[f];
}

uint64_t
ledger_faults(const struct ledger *l)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LEDGER_FAULTS; i++)
		sum += ledger_load(&l->faults[i]);
	return sum;
}

uint64_t
ledger_load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

void
ledger_raise(uint64_t *endp, uint64_t end)
{
	uint64_t old = ledger_load(endp);

	while (old < end &&
	    !__atomic_compare_exchange_n(endp, &old, end, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

void
ledger_bad(struct ledger *l, enum ledger_fault f, const char *fmt, ...)
{
	va_list ap;
	uint32_t i;

	(void)__atomic_fetch_add(&l->faults[f], 1, __ATOMIC_SEQ_CST);
	if ((i = __atomic_fetch_add(&l->texts, 1, __ATOMIC_SEQ_CST)) >=
	    LEDGER_TEXTS) {
		l->texts = LEDGER_TEXTS;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(l->text[i], LEDGER_TEXT_SIZE, fmt, ap);
	va_end(ap);
}

uint64_t
ledger_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) + b;

	x ^= x >> 29;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t
ledger_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t
put_hex(char *out, uint64_t n)
{
	for (int i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[n >> (60 - 4 * i) & 15];
	return 16;
}

/* WHO NUMBER HASH and dots, 35 to 174 bytes; all digits hexadecimal. */
size_t
ledger_make(const struct ledger *l, unsigned who, uint64_t number,
    char out[LEDGER_RECORD_MAX])
{
	uint64_t hash = ledger_mix(number ^ l->salt, who);
	size_t len = 0, pad = hash % 140;

	out[len++] = (char)('a' + who);
	out[len++] = ' ';
	len += put_hex(out + len, number);
	out[len++] = ' ';
	len += put_hex(out + len, hash);
	memset(out + len, '.', pad);
	return len + pad;
}

bool
ledger_parse(const struct ledger *l, const void *value, size_t len,
    unsigned *whop, uint64_t *numberp)
{
	const char *text = value;
	char want[LEDGER_RECORD_MAX];
	uint64_t n = 0;

	if (len < 35 || text[0] < 'a' || text[0] >= 'a' + LEDGER_ACCOUNTS)
		return false;
	for (int i = 2; i < 18; i++) {
		int c = text[i];

		n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*whop = (unsigned)(text[0] - 'a');
	*numberp = n;
	return ledger_make(l, *whop, n, want) == len &&
	    memcmp(want, text, len) == 0;
}

bool
ledger_begin(struct ledger *l, unsigned who, uint64_t n, bool atomic)
{
	struct ledger_account *a = &l->account[who];
	uint64_t from = a->tried;

	/* Acknowledgements may split what is on its way. */
	if (a->lots + LEDGER_LOTS / 8 > LEDGER_LOTS)
		return false;
	a->lot[a->lots] = (struct ledger_lot){
		.from = from,
		.to = from + n,
		.durable = from,
		.acked = from,
		.open = from + n,
		.placed = from,
		.first = SBLOG_NO_OFFSET,
		.begun_ns = ledger_now_ns(),
		.atomic = atomic,
	};
	a->lots++;
	__atomic_store_n(&a->tried, from + n, __ATOMIC_SEQ_CST);
	return true;
}

/* The rest of a lot becomes one of its own, because it lies elsewhere. */
static struct ledger_lot *
split(struct ledger_account *a, struct ledger_lot *lot)
{
	struct ledger_lot *rest = lot + 1;
	size_t behind = a->lots - (size_t)(rest - a->lot);

	memmove(rest + 1, rest, behind * sizeof(*rest));
	a->lots++;
	*rest = *lot;
	rest->from = rest->durable = rest->placed = rest->acked;
	rest->first = SBLOG_NO_OFFSET;
	lot->to = lot->open = lot->acked;
	return rest;
}

void
ledger_ack(struct ledger *l, unsigned who, uint64_t offset, bool durable)
{
	struct ledger_account *a = &l->account[who];
	struct ledger_lot *lot = &a->lot[a->cursor];

	while (a->cursor < a->lots && lot->acked == lot->to) {
		a->cursor++;
		lot++;
	}
	if (a->cursor >= a->lots || a->lots == LEDGER_LOTS) {
		ledger_bad(l, LEDGER_STATUS,
		    "producer %c: offset %llu acknowledged for no record",
		    'a' + (int)who, (unsigned long long)offset);
		return;
	}
	if (lot->acked == lot->from) {
		lot->first = offset;
	} else if (offset != lot->first + (lot->acked - lot->from)) {
		if (lot->atomic)
			ledger_bad(l, LEDGER_TORN,
			    "producer %c: an atomic batch is acknowledged in "
			    "pieces, offset %llu",
			    'a' + (int)who, (unsigned long long)offset);
		lot = split(a, lot);
		a->cursor++;
		lot->first = offset;
	}
	lot->placed = ++lot->acked;
	lot->acked_ns = ledger_now_ns();
	a->acked++;
	if (durable) {
		lot->durable = lot->acked;
		ledger_raise(&l->durable_end, offset + 1);
	}
	ledger_raise(&l->acked_end, offset + 1);
}

uint64_t
ledger_settle(struct ledger *l, unsigned who, bool refused)
{
	struct ledger_account *a = &l->account[who];
	uint64_t n = 0;

	for (; a->cursor < a->lots; a->cursor++) {
		struct ledger_lot *lot = &a->lot[a->cursor];

		n += lot->to - lot->acked;
		if (refused)
			lot->open = lot->acked;
	}
	return n;
}

static void
check_whole(struct ledger_view *v, unsigned who, const struct ledger_lot *lot)
{
	if (lot->atomic && lot->seen > 0 && lot->seen < lot->to - lot->from)
		ledger_bad(v->ledger, LEDGER_TORN,
		    "torn: producer %c, numbers %llu to %llu are one batch, "
		    "%llu are there",
		    'a' + (int)who, (unsigned long long)lot->from,
		    (unsigned long long)(lot->to - 1),
		    (unsigned long long)lot->seen);
}

/* The numbers of a lot from x on are not there, but those of later lots. */
static void
skip_rest(struct ledger_view *v, unsigned who, const struct ledger_lot *lot,
    uint64_t x)
{
	if (x < lot->acked)
		ledger_bad(v->ledger, LEDGER_LOST,
		    "lost: producer %c, number %llu, acknowledged at offset "
		    "%llu%s; later ones are there",
		    'a' + (int)who, (unsigned long long)x,
		    (unsigned long long)(lot->first + (x - lot->from)),
		    x < lot->durable ? " as durable" : "");
	check_whole(v, who, lot);
}

/* Go to the lot of a number; those passed over are looked at. */
static struct ledger_lot *
advance(struct ledger_view *v, unsigned who, uint64_t number)
{
	struct ledger_account *a = &v->ledger->account[who];
	struct ledger_lot *lot = &a->lot[v->at[who].lot];
	uint64_t next = v->at[who].next;

	while (number >= lot->to) {
		if (next < lot->to)
			skip_rest(v, who, lot, next);
		next = lot->to;
		v->at[who].lot++;
		lot++;
		lot->seen = 0;
	}
	if (next < number)
		ledger_bad(v->ledger, LEDGER_LOST,
		    "hole: producer %c, numbers %llu to %llu are not there, "
		    "%llu is, which was given to the same process later",
		    'a' + (int)who, (unsigned long long)next,
		    (unsigned long long)(number - 1),
		    (unsigned long long)number);
	v->at[who].next = number + 1;
	return lot;
}

static void
check_place(struct ledger_view *v, unsigned who, struct ledger_lot *lot,
    uint64_t number, uint64_t offset)
{
	uint64_t want = lot->first + (number - lot->from);

	if (number == lot->from && lot->placed == number) {
		lot->first = offset;
		lot->placed++;
	} else if (number == lot->placed && offset == want) {
		lot->placed++;
	} else if (number < lot->placed && offset != want) {
		ledger_bad(v->ledger, LEDGER_ORDER,
		    "producer %c, number %llu is at offset %llu, and was at "
		    "%llu",
		    'a' + (int)who, (unsigned long long)number,
		    (unsigned long long)offset, (unsigned long long)want);
	}
}

static void
see_final(struct ledger_view *v, unsigned who, uint64_t number, uint64_t offset)
{
	struct ledger *l = v->ledger;
	struct ledger_lot *lot;

	if (v->at[who].next == 0)
		l->account[who].lot[0].seen = 0;
	lot = advance(v, who, number);
	lot->seen++;
	if (number >= lot->open)
		ledger_bad(l, LEDGER_PHANTOM,
		    "phantom: producer %c, number %llu at offset %llu was "
		    "refused",
		    'a' + (int)who, (unsigned long long)number,
		    (unsigned long long)offset);
	check_place(v, who, lot, number, offset);
	if (number < lot->acked && lot->acked_ns < v->begun_ns)
		ledger_bad(l, LEDGER_REALTIME,
		    "offset %llu was acknowledged before one below it was "
		    "begun",
		    (unsigned long long)offset);
	if (lot->begun_ns > v->begun_ns)
		v->begun_ns = lot->begun_ns;
}

void
ledger_see(struct ledger_view *v, uint64_t offset, const void *value,
    size_t len)
{
	struct ledger *l = v->ledger;
	uint64_t number;
	unsigned who;

	v->count++;
	if (v->next != SBLOG_NO_OFFSET && offset != v->next)
		ledger_bad(l, LEDGER_DENSE, "offset %llu where %llu was due",
		    (unsigned long long)offset, (unsigned long long)v->next);
	v->next = offset + 1;
	if (!ledger_parse(l, value, len, &who, &number) ||
	    number >= ledger_load(&l->account[who].tried)) {
		ledger_bad(l, LEDGER_PHANTOM,
		    "phantom: nobody made the record at offset %llu (%llu "
		    "bytes)",
		    (unsigned long long)offset, (unsigned long long)len);
		return;
	}
	if (number < v->at[who].next) {
		ledger_bad(l,
		    number + 1 == v->at[who].next ? LEDGER_DUPLICATE
						  : LEDGER_ORDER,
		    "producer %c: number %llu at offset %llu comes after %llu",
		    'a' + (int)who, (unsigned long long)number,
		    (unsigned long long)offset,
		    (unsigned long long)(v->at[who].next - 1));
		return;
	}
	if (v->final)
		see_final(v, who, number, offset);
	else
		v->at[who].next = number + 1;
}

/* A lot of which the log has v->seen, or less than that was acknowledged. */
static void
close_lot(struct ledger_view *v, unsigned who, struct ledger_lot *lot,
    uint64_t next)
{
	uint64_t must = v->cut ? lot->durable : lot->acked;
	uint64_t offset = lot->first + (next - lot->from);

	if (next < must)
		ledger_bad(v->ledger, LEDGER_LOST,
		    "lost: producer %c, numbers %llu to %llu, acknowledged "
		    "from offset %llu%s; the log ends at %llu",
		    'a' + (int)who, (unsigned long long)next,
		    (unsigned long long)(must - 1), (unsigned long long)offset,
		    lot->durable > next ? " as durable" : "",
		    (unsigned long long)v->next);
	else if (next < lot->acked && next < lot->placed && offset < v->next)
		ledger_bad(v->ledger, LEDGER_LOST,
		    "hole: producer %c, number %llu was acknowledged at "
		    "offset %llu, below the end %llu",
		    'a' + (int)who, (unsigned long long)next,
		    (unsigned long long)offset, (unsigned long long)v->next);
	check_whole(v, who, lot);
}

/* What is known now: numbers below next are there, the others not. */
static void
know(struct ledger_view *v, struct ledger_lot *lot)
{
	uint64_t there = lot->from + lot->seen;

	if (there > lot->acked)
		lot->acked_ns = ledger_now_ns();
	if (there > lot->acked || v->cut)
		lot->acked = there;
	if (lot->placed > lot->acked)
		lot->placed = lot->acked;
	if (lot->durable > lot->acked || v->cut)
		lot->durable = lot->acked;
	lot->open = lot->acked;
}

void
ledger_finish(struct ledger_view *v)
{
	struct ledger *l = v->ledger;

	for (unsigned who = 0; who < LEDGER_ACCOUNTS; who++) {
		struct ledger_account *a = &l->account[who];
		uint64_t at = v->at[who].lot, next = v->at[who].next;

		if (next == 0 && a->lots > 0)
			a->lot[0].seen = 0;
		for (uint64_t i = at; i < a->lots; i++) {
			struct ledger_lot *lot = &a->lot[i];

			if (i > at)
				lot->seen = 0;
			close_lot(v, who, lot,
			    next > lot->from ? next : lot->from);
		}
		for (uint64_t i = 0; i < a->lots; i++)
			know(v, &a->lot[i]);
		a->cursor = a->lots;
	}
	l->acked_end = l->seen_end = v->next;
	if (l->durable_seen > v->next) {
		ledger_bad(l, LEDGER_LOST,
		    "a reader of durable records saw offset %llu; the log ends "
		    "at %llu",
		    (unsigned long long)(l->durable_seen - 1),
		    (unsigned long long)v->next);
	}
	/* After a power cut durable readers begin with what is synced anew. */
	if (v->cut || l->durable_seen > v->next)
		l->durable_seen = 0;
	if (v->cut || l->durable_end > v->next)
		l->durable_end = 0;
}
