/*
 * work.c - the records that all benchmarks write and read.
 *
 * Log-like text: a time that goes up, few levels, hosts and services, a
 * request identity that does not repeat, a path, a status, a latency.  LZ4
 * makes about a quarter of it, like of the access logs it was modelled on.
 */
#include "common/work.h"

#include <string.h>
#include <time.h>

static const char *const levels[] = { "INFO ", "INFO ", "INFO ", "INFO ",
	"INFO ", "INFO ", "DEBUG", "WARN ", "INFO ", "INFO ", "INFO ", "INFO ",
	"INFO ", "DEBUG", "INFO ", "ERROR" };
static const char *const hosts[] = { "web-01", "web-02", "web-03", "web-04",
	"api-01", "api-02", "job-01", "job-02" };
static const char *const services[] = { "checkout", "catalogue", "session",
	"search", "mailer", "basket", "ledger", "gateway" };
static const char *const paths[] = { "GET /api/v1/orders/",
	"GET /api/v1/items/", "POST /api/v1/basket/", "GET /static/img/",
	"GET /api/v1/session/", "PUT /api/v1/account/",
	"GET /search?page=", "POST /api/v1/ledger/" };
static const char *const statuses[] = { "200", "200", "200", "200", "200",
	"200", "200", "200", "200", "304", "200", "200", "201", "200", "404",
	"500" };
static const char hex[] = "0123456789abcdef";

void
work_init(struct work *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->random = seed;
	w->time_ms = 1763667655123; /* 2025-11-20T19:40:55.123Z */
}

uint64_t
work_random(struct work *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Append a word, as far as there is room; returns the end of the text. */
static char *
put_text(char *at, const char *end, const char *word)
{
	size_t len = strlen(word), room = (size_t)(end - at);

	if (len > room)
		len = room;
	memcpy(at, word, len);
	return at + len;
}

/* Append a number in decimal, as far as there is room. */
static char *
put_number(char *at, const char *end, uint64_t number)
{
	char digits[24];
	size_t i = sizeof(digits);

	digits[--i] = '\0';
	do
		digits[--i] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return put_text(at, end, digits + i);
}

/* Append len random hexadecimal digits, as far as there is room. */
static char *
put_hex(char *at, const char *end, uint64_t bits, int len)
{
	for (; len > 0 && at < end; len--, bits >>= 4)
		*at++ = hex[bits & 15];
	return at;
}

/* Append the time, RFC 3339 in milliseconds; the second is made rarely. */
static char *
put_time(struct work *w, char *at, const char *end)
{
	unsigned ms = (unsigned)(w->time_ms % 1000);
	time_t second = (time_t)(w->time_ms / 1000);
	struct tm tm;

	if (w->second != (uint64_t)second) {
		w->second = (uint64_t)second;
		(void)gmtime_r(&second, &tm); /* the range is always good */
		(void)strftime(w->stamp, sizeof(w->stamp), "%Y-%m-%dT%H:%M:%S.",
		    &tm);
	}
	at = put_text(at, end, w->stamp);
	*at++ = (char)('0' + ms / 100);
	*at++ = (char)('0' + ms / 10 % 10);
	*at++ = (char)('0' + ms % 10);
	*at++ = 'Z';
	*at++ = ' ';
	return at;
}

/* One log line into out[0..len-1], blanks behind it, newline at the end. */
static void
put_line(struct work *w, char *out, size_t len)
{
	uint64_t r = work_random(w), s = work_random(w);
	const char *end = out + len - 1;
	char *at = put_time(w, out, end);

	w->time_ms += (r & 7) == 0;
	at = put_text(at, end, levels[r >> 3 & 15]);
	at = put_text(at, end, " ");
	at = put_text(at, end, hosts[r >> 7 & 7]);
	at = put_text(at, end, " ");
	at = put_text(at, end, services[r >> 7 & 7]);
	at = put_text(at, end, " req=");
	at = put_hex(at, end, r >> 16, 8);
	at = put_text(at, end, " ");
	at = put_text(at, end, paths[r >> 48 & 7]);
	at = put_number(at, end, 10000 + (s & 255) * 97);
	at = put_text(at, end, " ");
	at = put_text(at, end, statuses[s >> 8 & 15]);
	at = put_text(at, end, " ");
	at = put_number(at, end, 1 + (s >> 16) % 97);
	at = put_text(at, end, " ms");
	memset(at, ' ', (size_t)(end - at));
	out[len - 1] = '\n';
}

void
work_line(struct work *w, char out[static WORK_LINE])
{
	put_line(w, out, WORK_LINE);
}

void
work_1k(struct work *w, char out[static WORK_1K])
{
	const char *end = out + WORK_1K - 1;
	char *at = out + WORK_LINE - 1;

	put_line(w, out, WORK_LINE);
	while (at < end) {
		uint64_t r = work_random(w);

		at = put_text(at, end, " at ");
		at = put_text(at, end, services[r & 7]);
		at = put_text(at, end, ".handle(request.c:");
		at = put_number(at, end, r >> 8 & 1023);
		at = put_text(at, end, ") arg=0x");
		at = put_hex(at, end, r >> 24, 10);
	}
	out[WORK_1K - 1] = '\n';
}

void
work_40(struct work *w, uint64_t key_pos, char key[static WORK_KEY],
    char value[static WORK_VALUE])
{
	uint64_t r = work_random(w);
	char *end = value + WORK_VALUE, *at;

	for (int i = WORK_KEY; i-- > 0; key_pos /= 10)
		key[i] = (char)('0' + key_pos % 10);
	at = put_text(value, end, services[r & 7]);
	at = put_text(at, end, " ");
	at = put_hex(at, end, r >> 8, 14);
	while (at < end)
		*at++ = '.';
}
