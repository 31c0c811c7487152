/*
 * human.c - sizes, durations and times: text to numbers and back.
 */
#include "common/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)

/* Digits at *sp; false if there are none or too many. */
static bool
digits(const char **sp, uint64_t *np)
{
	const char *s = *sp;
	uint64_t n = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return false;
	*sp = s;
	*np = n;
	return true;
}

bool
human_number(const char *text, uint64_t *np)
{
	return digits(&text, np) && *text == '\0';
}

bool
human_size(const char *text, uint64_t *bytesp)
{
	static const char units[] = "KMGTP";
	const char *unit;
	uint64_t n;

	if (!digits(&text, &n))
		return false;
	if (*text != '\0') {
		if ((unit = strchr(units, *text & ~0x20)) == NULL ||
		    *unit == '\0')
			return false;
		for (const char *u = units; u <= unit; u++)
			if (__builtin_mul_overflow(n, 1024, &n))
				return false;
		text++;
		if (strcmp(text, "iB") == 0)
			text += 2;
	}
	if (*text != '\0')
		return false;
	*bytesp = n;
	return true;
}

static bool
unit_of(const char **sp, uint64_t *usp)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {
		{ "ms", 1000 },
		{ "us", 1 },
		{ "s", 1000000 },
		{ "m", UINT64_C(60000000) },
		{ "h", UINT64_C(3600000000) },
		{ "d", UINT64_C(86400000000) },
		{ "w", UINT64_C(604800000000) },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*sp, units[i].name, len) == 0) {
			*sp += len;
			*usp = units[i].us;
			return true;
		}
	}
	return false;
}

bool
human_duration(const char *text, uint64_t *usp)
{
	uint64_t sum = 0, n, unit;

	if (strcmp(text, "0") == 0) {
		*usp = 0;
		return true;
	}
	do {
		if (!digits(&text, &n) || !unit_of(&text, &unit) ||
		    __builtin_mul_overflow(n, unit, &n) ||
		    __builtin_add_overflow(sum, n, &sum))
			return false;
	} while (*text != '\0');
	*usp = sum;
	return true;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar (H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", days_from_civil). */
static int64_t
days_from_civil(int64_t y, int64_t m, int64_t d)
{
	int64_t era, year_of_era, day_of_year;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	year_of_era = y - era * 400;
	day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - 719468;
}

static void
civil_from_days(int64_t z, int *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

/* Exactly n digits. */
static bool
fixed(const char **sp, int n, int64_t *out)
{
	*out = 0;
	for (; n > 0; n--, (*sp)++) {
		if (**sp < '0' || **sp > '9')
			return false;
		*out = *out * 10 + (**sp - '0');
	}
	return true;
}

static bool
literal(const char **sp, char c)
{
	if (**sp != c)
		return false;
	(*sp)++;
	return true;
}

/* ".123456" behind the seconds; more digits than six are dropped. */
static int64_t
fraction(const char **sp)
{
	int64_t us = 0, unit = SECOND / 10;

	if (!literal(sp, '.'))
		return 0;
	for (; **sp >= '0' && **sp <= '9'; (*sp)++) {
		us += unit * (**sp - '0');
		unit /= 10;
	}
	return us;
}

static bool
zone(const char **sp, int64_t *secondsp)
{
	int64_t h, m;
	int sign;

	*secondsp = 0;
	if (**sp == 'Z' || **sp == 'z') {
		(*sp)++;
		return true;
	}
	if (**sp != '+' && **sp != '-')
		return false;
	sign = *(*sp)++ == '-' ? -1 : 1;
	if (!fixed(sp, 2, &h) || !literal(sp, ':') || !fixed(sp, 2, &m) ||
	    h > 23 || m > 59)
		return false;
	*secondsp = sign * (h * 3600 + m * 60);
	return true;
}

static bool
days_in_month_ok(int64_t y, int64_t m, int64_t d)
{
	static const int8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] &&
	    (m != 2 || d < 29 || leap);
}

static bool
calendar(const char *s, int64_t *usp)
{
	int64_t y, mo, d, h = 0, mi = 0, sec = 0, us = 0, off = 0;

	if (!fixed(&s, 4, &y) || !literal(&s, '-') || !fixed(&s, 2, &mo) ||
	    !literal(&s, '-') || !fixed(&s, 2, &d) ||
	    !days_in_month_ok(y, mo, d))
		return false;
	if (*s != '\0') {
		if (*s != 'T' && *s != 't' && *s != ' ')
			return false;
		s++;
		if (!fixed(&s, 2, &h) || !literal(&s, ':') ||
		    !fixed(&s, 2, &mi) || !literal(&s, ':') ||
		    !fixed(&s, 2, &sec) || h > 23 || mi > 59 || sec > 60)
			return false;
		us = fraction(&s);
		if (!zone(&s, &off) || *s != '\0')
			return false;
	}
	*usp = (days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec -
		   off) *
		SECOND +
	    us;
	return true;
}

static int64_t
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

/* Up to 11 digits are seconds (to the year 5138), up to 14 milliseconds. */
static bool
epoch(const char *text, int64_t *usp)
{
	size_t len = strlen(text);
	uint64_t n;

	if (!human_number(text, &n) || n > INT64_MAX)
		return false;
	if (len <= 11)
		*usp = (int64_t)n * SECOND;
	else if (len <= 14)
		*usp = (int64_t)n * 1000;
	else
		*usp = (int64_t)n;
	return true;
}

bool
human_time(const char *text, int64_t *usp)
{
	uint64_t ago;

	if (strcmp(text, "now") == 0) {
		*usp = now_us();
		return true;
	}
	if (text[0] == '-') {
		if (!human_duration(text + 1, &ago) || ago > INT64_MAX)
			return false;
		*usp = now_us() - (int64_t)ago;
		return true;
	}
	return epoch(text, usp) || calendar(text, usp);
}

size_t
human_format_time(int64_t us, char out[HUMAN_TIME_SIZE])
{
	int64_t seconds = us / SECOND, rest = us % SECOND, days, in_day;
	int y, m, d;

	if (rest < 0) {
		rest += SECOND;
		seconds--;
	}
	days = seconds / 86400;
	in_day = seconds % 86400;
	if (in_day < 0) {
		in_day += 86400;
		days--;
	}
	civil_from_days(days, &y, &m, &d);
	return (size_t)snprintf(out, HUMAN_TIME_SIZE,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", y, m, d,
	    (int)(in_day / 3600), (int)(in_day / 60 % 60), (int)(in_day % 60),
	    (int)rest);
}

void
human_format_size(uint64_t bytes, char out[16])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB",
		"PB" };
	double n = (double)bytes;
	size_t u = 0;

	while (n >= 999.5 && u < sizeof(units) / sizeof(units[0]) - 1) {
		n /= 1000;
		u++;
	}
	(void)snprintf(out, 16, u == 0 || n >= 99.5 ? "%.0f %s" : "%.1f %s", n,
	    units[u]);
}
