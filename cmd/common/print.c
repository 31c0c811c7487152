/*
 * print.c - records to standard output.
 */
#include "common/print.h"

static enum print_result
state(const struct print *p)
{
	if (p->out->error != 0)
		return PRINT_OUT;
	return p->records_left == 0 ? PRINT_FULL : PRINT_MORE;
}

/* Whether it has been taken is known when the output is. */
static void
done(struct print *p, const struct record_context *c, uint64_t next)
{
	if (p->done != NULL && p->out->error == 0)
		p->done(p->arg, c, next, p->out->total);
}

enum print_result
print_record(struct print *p, const struct record_context *c,
    const struct sblog_record *rec)
{
	struct record_context here = *c;
	uint64_t before = p->out->total, bytes;
	bool limited = p->bytes_left != UINT64_MAX;

	if (p->records_left == 0)
		return PRINT_FULL;
	if (p->wanted != NULL && !p->wanted(p->arg, rec)) {
		done(p, c, rec->offset + 1);
		return state(p);
	}
	here.index = p->printed;
	/* The first record is printed however long it is. */
	if (limited && p->printed > 0)
		out_begin(p->out, p->bytes_left);
	format_out_record(p->format, &here, rec, p->out);
	if (limited && p->printed > 0 && !out_end(p->out))
		return PRINT_FULL;
	bytes = p->out->total - before;
	if (limited)
		p->bytes_left -= bytes < p->bytes_left ? bytes : p->bytes_left;
	if (p->records_left != UINT64_MAX)
		p->records_left--;
	p->printed++;
	done(p, c, rec->offset + 1);
	return state(p);
}

enum print_result
print_next(struct print *p, const struct record_context *c,
    struct sblog_cursor *cur)
{
	struct sblog_record rec;
	int rc;

	if (p->records_left == 0)
		return PRINT_FULL;
	rc = sblog_cursor_next(cur, &rec, &p->err);
	if (rc == SBLOG_END)
		return PRINT_END;
	if (rc != 0)
		return print_failed(p, c, cur);
	return print_record(p, c, &rec);
}

/* The output failed somewhere in the run that began when begun bytes had been
 * taken: those records are done that were taken whole. */
static void
done_partly(struct print *p, const struct record_context *c,
    const struct sblog_batch *b, uint64_t begun)
{
	struct sblog_batch rest = *b;
	struct sblog_record rec;
	uint64_t end = begun, next = SBLOG_NO_OFFSET;

	while (sblog_batch_next(&rest, &rec) == 0) {
		if (end + rec.value.len + b->delim_len > p->out->taken)
			break;
		end += rec.value.len + b->delim_len;
		next = rec.offset + 1;
	}
	if (next != SBLOG_NO_OFFSET)
		p->done(p->arg, c, next, end);
}

/* The values of a batch as they are stored, delimiters and all. */
static enum print_result
print_run(struct print *p, const struct record_context *c,
    const struct sblog_batch *b)
{
	uint64_t begun;

	if (p->done != NULL && out_flush(p->out) < 0)
		return PRINT_OUT;
	begun = p->out->taken;
	if (b->fd >= 0)
		(void)out_file(p->out, b->fd, b->fd_pos, b->values.len,
		    b->values.data); /* the error sticks */
	else
		out_bytes(p->out, b->values.data, b->values.len);
	if (p->bytes_left != UINT64_MAX)
		p->bytes_left -= b->values.len;
	if (p->records_left != UINT64_MAX)
		p->records_left -= b->count;
	p->printed += b->count;
	done(p, c, b->next);
	if (p->done != NULL && p->out->error != 0)
		done_partly(p, c, b, begun);
	return state(p);
}

/* May a batch be printed as the run of bytes it is? */
static bool
fits_run(const struct print *p, const struct record_context *c,
    const struct sblog_batch *b)
{
	return (p->wanted == NULL || (p->only_shard && !b->keys)) &&
	    p->records_left >= b->count && p->bytes_left >= b->values.len &&
	    (p->done == NULL || b->values.len >= OUT_DIRECT) &&
	    format_out_is_run(p->format, c, b);
}

enum print_result
print_batch(struct print *p, const struct record_context *c,
    struct sblog_cursor *cur)
{
	enum print_result result = PRINT_MORE;
	struct sblog_record rec;
	struct sblog_batch b;
	int rc;

	if (p->records_left == 0)
		return PRINT_FULL;
	rc = sblog_cursor_batch(cur, &b, &p->err);
	if (rc == SBLOG_END) {
		/* Also with what belongs to other shards. */
		if (p->only_shard)
			done(p, c, sblog_cursor_offset(cur));
		return PRINT_END;
	}
	if (rc != 0)
		return print_failed(p, c, cur);
	if (fits_run(p, c, &b))
		return print_run(p, c, &b);
	while (result == PRINT_MORE && sblog_batch_next(&b, &rec) == 0)
		result = print_record(p, c, &rec);
	return result;
}

enum print_result
print_failed(struct print *p, const struct record_context *c,
    struct sblog_cursor *cur)
{
	struct sblog_err damage = p->err;

	if (damage.code == (enum sblog_code)SBLOG_GAP) {
		if (out_flush(p->out) < 0)
			return PRINT_OUT;
		p->gap(p->arg, c, &damage);
		p->skipped = true;
		done(p, c, damage.end);
		return PRINT_MORE;
	}
	if (damage.code != SBLOG_EDAMAGE || !p->skip_damaged)
		return PRINT_ERR;
	/* What was printed comes before what is said about the next. */
	if (out_flush(p->out) < 0)
		return PRINT_OUT;
	if (sblog_cursor_skip(cur, &p->err) < 0) {
		p->err = damage;
		return PRINT_ERR;
	}
	p->lost(p->arg, c, &damage);
	p->skipped = true;
	done(p, c, damage.end);
	return PRINT_MORE;
}
