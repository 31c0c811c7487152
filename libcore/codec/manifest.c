/*
 * manifest.c - the text that says which files make a topic.
 */
#include "codec/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/num.h"

#define FIRST_LINE "sblog-manifest 1\n"
#define FIRST_WORD "sblog-manifest "

enum { HASH_LINE = 5 + 16 + 1 }; /* "hash HEX16\n" */

void
sb_manifest_release(struct sb_manifest *m)
{
	free(m->files);
	free(m->lost);
	*m = SB_MANIFEST_INIT;
}

int
sb_manifest_insert(struct sb_manifest *m, size_t i, const struct sb_file *file)
{
	struct sb_file *grown;

	sb_assert(i <= m->file_count);
	grown = realloc(m->files, (m->file_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return SBLOG_ENOMEM;
	m->files = grown;
	memmove(grown + i + 1, grown + i, (m->file_count - i) * sizeof(*grown));
	grown[i] = *file;
	m->file_count++;
	return 0;
}

void
sb_manifest_remove(struct sb_manifest *m, size_t i)
{
	sb_assert(i < m->file_count);
	m->file_count--;
	memmove(m->files + i, m->files + i + 1,
	    (m->file_count - i) * sizeof(*m->files));
}

int
sb_manifest_add_lost(struct sb_manifest *m, uint64_t from, uint64_t to)
{
	struct sb_lost *grown =
	    realloc(m->lost, (m->lost_count + 1) * sizeof(*grown));

	if (grown == NULL)
		return SBLOG_ENOMEM;
	m->lost = grown;
	grown[m->lost_count++] = (struct sb_lost){ from, to };
	return 0;
}

int
sb_manifest_copy(struct sb_manifest *to, const struct sb_manifest *from)
{
	struct sb_manifest copy = *from;

	copy.files = malloc((from->file_count + 1) * sizeof(*copy.files));
	copy.lost = malloc((from->lost_count + 1) * sizeof(*copy.lost));
	if (copy.files == NULL || copy.lost == NULL) {
		free(copy.files);
		free(copy.lost);
		return SBLOG_ENOMEM;
	}
	if (from->file_count > 0)
		memcpy(copy.files, from->files,
		    from->file_count * sizeof(*copy.files));
	if (from->lost_count > 0)
		memcpy(copy.lost, from->lost,
		    from->lost_count * sizeof(*copy.lost));
	*to = copy;
	return 0;
}

struct sb_file *
sb_manifest_active(const struct sb_manifest *m)
{
	struct sb_file *last;

	if (m->file_count == 0)
		return NULL;
	last = &m->files[m->file_count - 1];
	return last->kind == SBLOG_FILE_WAL_ACTIVE ? last : NULL;
}

static int
encode_file(const struct sb_file *f, struct sb_buf *out)
{
	char salt[2 * SB_SALT_SIZE + 1], compacted[64] = "";

	if (f->clean_time != 0)
		(void)snprintf(compacted, sizeof(compacted),
		    " rev=%" PRIu32 " clean=%" PRId64, f->revision,
		    f->clean_time);
	sb_format_hex(f->salt, SB_SALT_SIZE, salt);
	if (f->kind == SBLOG_FILE_WAL_ACTIVE)
		return sb_buf_addf(out,
		    "active base=%" PRIu64 " salt=%s chain=%016" PRIx64 "\n",
		    f->base, salt, f->chain);
	return sb_buf_addf(out,
	    "%s base=%" PRIu64 " next=%" PRIu64 " count=%" PRIu64
	    " size=%" PRIu64 " raw=%" PRIu64 " salt=%s chain=%016" PRIx64
	    " end=%016" PRIx64 " first=%" PRId64 " last=%" PRId64 "%s\n",
	    f->kind == SBLOG_FILE_SEGMENT ? "segment" : "wal", f->base, f->next,
	    f->count, f->size, f->raw, salt, f->chain, f->end_chain,
	    f->first_time, f->last_time, compacted);
}

int
sb_manifest_encode(const struct sb_manifest *m, struct sb_buf *out)
{
	char topic[2 * SB_ID_SIZE + 1];
	size_t begin = out->len;

	sb_format_hex(m->topic, SB_ID_SIZE, topic);
	if (sb_buf_addf(out,
		FIRST_LINE "generation %" PRIu64 "\ntopic %s\ncreated %" PRId64
			   "\nstart %" PRIu64 "\n",
		m->generation, topic, m->created, m->start) < 0)
		return SBLOG_ENOMEM;
	for (size_t i = 0; i < m->file_count; i++)
		if (encode_file(&m->files[i], out) < 0)
			return SBLOG_ENOMEM;
	for (size_t i = 0; i < m->lost_count; i++)
		if (sb_buf_addf(out, "lost from=%" PRIu64 " to=%" PRIu64 "\n",
			m->lost[i].from, m->lost[i].to) < 0)
			return SBLOG_ENOMEM;
	return sb_buf_addf(out, "hash %016" PRIx64 "\n",
	    (uint64_t)XXH3_64bits(out->data + begin, out->len - begin));
}

/* What is left of a line. */
struct text {
	const char *at, *end;
};

static bool
word(struct text *t, const char *want)
{
	size_t len = strlen(want);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, want, len) != 0)
		return false;
	t->at += len;
	return true;
}

/* Up to the next space or the end of the line. */
static struct text
token(struct text *t)
{
	struct text got = { t->at, t->at };

	while (got.end < t->end && *got.end != ' ')
		got.end++;
	t->at = got.end;
	return got;
}

static bool
number(struct text *t, const char *name, uint64_t *np)
{
	struct text v;
	size_t len;

	if (!word(t, name))
		return false;
	v = token(t);
	len = (size_t)(v.end - v.at);
	/* Exactly what encode writes: no leading zero. */
	return sb_parse_u64(v.at, len, np) && (len == 1 || v.at[0] != '0');
}

static bool
time_of(struct text *t, const char *name, int64_t *np)
{
	uint64_t n;

	if (!number(t, name, &n) || n > INT64_MAX)
		return false;
	*np = (int64_t)n;
	return true;
}

static bool
hex(struct text *t, const char *name, uint8_t *out, size_t n)
{
	struct text v;

	if (!word(t, name))
		return false;
	v = token(t);
	return sb_parse_hex(v.at, (size_t)(v.end - v.at), out, n);
}

static bool
hash(struct text *t, const char *name, uint64_t *np)
{
	uint8_t bytes[8];

	if (!hex(t, name, bytes, sizeof(bytes)))
		return false;
	*np = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*np = *np << 8 | bytes[i];
	return true;
}

/* What only a segment that was compacted has. */
static bool
parse_compacted(struct text *t, enum sblog_file_kind kind, struct sb_file *f)
{
	uint64_t revision;

	if (t->at == t->end)
		return true;
	if (kind != SBLOG_FILE_SEGMENT || !number(t, " rev=", &revision) ||
	    revision > UINT32_MAX || !time_of(t, " clean=", &f->clean_time) ||
	    f->clean_time == 0)
		return false;
	f->revision = (uint32_t)revision;
	return t->at == t->end;
}

static bool
parse_file(struct text *t, enum sblog_file_kind kind, struct sb_file *f)
{
	*f = (struct sb_file){ .kind = kind };
	if (kind == SBLOG_FILE_WAL_ACTIVE)
		return number(t, " base=", &f->base) &&
		    hex(t, " salt=", f->salt, SB_SALT_SIZE) &&
		    hash(t, " chain=", &f->chain) && t->at == t->end;
	return number(t, " base=", &f->base) && number(t, " next=", &f->next) &&
	    number(t, " count=", &f->count) && number(t, " size=", &f->size) &&
	    number(t, " raw=", &f->raw) &&
	    hex(t, " salt=", f->salt, SB_SALT_SIZE) &&
	    hash(t, " chain=", &f->chain) && hash(t, " end=", &f->end_chain) &&
	    time_of(t, " first=", &f->first_time) &&
	    time_of(t, " last=", &f->last_time) &&
	    parse_compacted(t, kind, f) && f->base <= f->next &&
	    f->next <= (UINT64_MAX >> 1) &&
	    (kind != SBLOG_FILE_SEGMENT || f->size >= 256);
}

enum stage { IN_HEAD, IN_SEGMENTS, IN_WALS, IN_LOST };

static bool
parse_tail_line(struct sb_manifest *m, struct text t, enum stage *stage,
    bool *nomemp)
{
	struct sb_file f;
	struct sb_lost l;
	size_t n = m->file_count;
	bool ok;

	if (word(&t, "lost")) {
		*stage = IN_LOST;
		ok = number(&t, " from=", &l.from) &&
		    number(&t, " to=", &l.to) && t.at == t.end && l.from < l.to;
		if (ok && sb_manifest_add_lost(m, l.from, l.to) < 0)
			*nomemp = true;
		return ok;
	}
	if (word(&t, "segment"))
		ok = *stage <= IN_SEGMENTS &&
		    parse_file(&t, SBLOG_FILE_SEGMENT, &f);
	else if (word(&t, "wal"))
		ok = *stage <= IN_WALS && parse_file(&t, SBLOG_FILE_WAL, &f);
	else if (word(&t, "active"))
		ok = *stage <= IN_WALS &&
		    parse_file(&t, SBLOG_FILE_WAL_ACTIVE, &f);
	else
		return false;
	if (!ok || (n > 0 && f.base != m->files[n - 1].next))
		return false;
	*stage = f.kind == SBLOG_FILE_SEGMENT ? IN_SEGMENTS
	    : f.kind == SBLOG_FILE_WAL        ? IN_WALS
					      : IN_LOST;
	if (sb_manifest_insert(m, n, &f) < 0)
		*nomemp = true;
	return true;
}

static bool
parse_head_line(struct sb_manifest *m, struct text t, size_t line)
{
	switch (line) {
	case 1:
		return number(&t, "generation ", &m->generation) &&
		    t.at == t.end;
	case 2:
		return hex(&t, "topic ", m->topic, SB_ID_SIZE) && t.at == t.end;
	case 3:
		return time_of(&t, "created ", &m->created) && t.at == t.end;
	default:
		return number(&t, "start ", &m->start) && t.at == t.end;
	}
}

/* All lines but the last; the hash has been verified. */
static int
parse(struct sb_manifest *m, const char *text, size_t len, uint64_t *posp)
{
	enum stage stage = IN_HEAD;
	const char *at = text, *end = text + len;
	bool nomem = false;
	size_t line = 0;

	for (; at < end; line++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct text t = { at, stop };
		bool ok;

		*posp = (uint64_t)(at - text);
		if (stop == NULL)
			return SBLOG_EDAMAGE;
		if (line == 0)
			ok = true; /* compared before */
		else if (line <= 4)
			ok = parse_head_line(m, t, line);
		else
			ok = parse_tail_line(m, t, &stage, &nomem);
		if (nomem)
			return SBLOG_ENOMEM;
		if (!ok)
			return SBLOG_EDAMAGE;
		at = stop + 1;
	}
	return line > 4 ? 0 : SBLOG_EDAMAGE;
}

/* Is the first line that of another version? */
static bool
other_version(const uint8_t *text, size_t len)
{
	size_t word_len = strlen(FIRST_WORD);

	return len > word_len && memcmp(text, FIRST_WORD, word_len) == 0 &&
	    text[word_len] >= '0' && text[word_len] <= '9' &&
	    (len < strlen(FIRST_LINE) ||
		memcmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0);
}

static bool
hash_fits(const uint8_t *text, size_t len)
{
	struct text t = { (const char *)text + len - HASH_LINE,
		(const char *)text + len - 1 };
	uint64_t want;

	return text[len - 1] == '\n' && hash(&t, "hash ", &want) &&
	    t.at == t.end && want == XXH3_64bits(text, len - HASH_LINE);
}

int
sb_manifest_decode(struct sb_manifest *m, const uint8_t *text, size_t len,
    const char **whyp, uint64_t *posp)
{
	struct sb_manifest got = SB_MANIFEST_INIT;
	bool whole = len > HASH_LINE + strlen(FIRST_LINE);
	int rc;

	*posp = 0;
	*whyp = NULL;
	if (whole && hash_fits(text, len)) {
		if (other_version(text, len)) {
			*whyp = "written by a newer version of sblog";
			return SBLOG_EFORMAT;
		}
		if (memcmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0) {
			*whyp = "not a manifest";
			return SBLOG_EDAMAGE;
		}
		rc = parse(&got, (const char *)text, len - HASH_LINE, posp);
		if (rc < 0) {
			sb_manifest_release(&got);
			*whyp = "manifest line is not as it is written";
			return rc;
		}
		*m = got;
		return 0;
	}
	*posp = len;
	*whyp = "manifest checksum differs";
	return SBLOG_EDAMAGE;
}
