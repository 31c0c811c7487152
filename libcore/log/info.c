/*
 * info.c - how a topic stands, and which files it has.
 */
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/topic.h"
#include "store/index.h"
#include "store/names.h"

const char *
sblog_topic_name(const struct sblog_topic *t)
{
	return t->name;
}

static uint64_t
size_of(struct sblog_topic *t, enum sb_name_kind kind, const struct sb_file *f)
{
	char name[SB_FILE_NAME_SIZE];
	struct sb_stat st;

	sb_name_format(name, kind, f->base, f->revision);
	return sb_sys_stat(t->dirfd, name, &st) == 0 ? st.size : 0;
}

static void
add_file(struct sblog_topic *t, const struct sb_published *p,
    const struct sb_file *f, struct sblog_info *info)
{
	bool active = f->kind == SBLOG_FILE_WAL_ACTIVE;
	int64_t first = active ? p->wal_time : f->first_time;
	int64_t last = active ? p->last_time : f->last_time;
	uint64_t count = active ? p->wal_count : f->count;
	uint64_t bytes;

	info->records += count;
	info->bytes_raw += active ? p->wal_raw : f->raw;
	if (count > 0) {
		if (info->first_time_us == 0)
			info->first_time_us = first;
		info->last_time_us = last;
	}
	if (f->kind == SBLOG_FILE_SEGMENT) {
		info->segments++;
		info->bytes_stored += size_of(t, SB_NAME_SEGMENT, f);
		return;
	}
	info->wals++;
	bytes = size_of(t, SB_NAME_WAL, f);
	info->bytes_stored += bytes;
	info->bytes_unsealed += active ? p->pos : bytes;
}

uint64_t
sb_topic_durable(struct sblog_topic *t, const struct sb_published *p)
{
	const struct sb_file *active = sb_manifest_active(&t->manifest);

	return sb_min_u64(p->end,
	    sb_max_u64(sb_state_durable(&t->state, t->manifest.topic),
		active ? active->base : 0));
}

int
sblog_topic_info(struct sblog_topic *t, struct sblog_info *info,
    struct sblog_err *err)
{
	struct sb_published p;
	int rc;

	if ((rc = sb_topic_peek(t, &p, err)) < 0)
		return rc;
	*info = (struct sblog_info){
		.start = t->manifest.start,
		.end = p.end,
		.generation = t->manifest.generation,
		.chain = p.chain,
		.lost_ranges = (uint32_t)t->manifest.lost_count,
		.volatile_fs = t->store->volatile_fs,
		.readonly = t->config.readonly != 0,
	};
	sb_format_hex(t->manifest.topic, SB_ID_SIZE, info->id);
	for (size_t i = 0; i < t->manifest.file_count; i++)
		add_file(t, &p, &t->manifest.files[i], info);
	info->durable_end = sb_topic_durable(t, &p);
	return 0;
}

static bool
indexed(struct sblog_topic *t, const struct sb_file *f)
{
	struct sb_index ix = SB_INDEX_INIT;
	struct sblog_err ignored;

	if (f->kind != SBLOG_FILE_SEGMENT)
		return size_of(t, SB_NAME_WINDEX, f) > 0;
	if (sb_index_open(&ix, t->dirfd, f, t->manifest.topic, &t->cpu,
		&ignored) < 0)
		return false;
	sb_index_close(&ix);
	return true;
}

int
sblog_topic_file(struct sblog_topic *t, size_t i, struct sblog_file *file,
    struct sblog_err *err)
{
	const struct sb_file *f;
	struct sb_published p;
	bool active;
	int rc;

	if ((rc = sb_topic_peek(t, &p, err)) < 0)
		return rc;
	if (i >= t->manifest.file_count)
		return SBLOG_END;
	f = &t->manifest.files[i];
	active = f->kind == SBLOG_FILE_WAL_ACTIVE;
	*file = (struct sblog_file){
		.kind = f->kind,
		.first = f->base,
		.next = active ? p.end : f->next,
		.records = active ? p.wal_count : f->count,
		.bytes = active ? p.pos : f->size,
		.bytes_raw = active ? p.wal_raw : f->raw,
		.first_time_us = active ? p.wal_time : f->first_time,
		.last_time_us = active && p.wal_count == 0 ? 0
		    : active                               ? p.last_time
							   : f->last_time,
		.indexed = indexed(t, f),
	};
	sb_name_format(file->name,
	    f->kind == SBLOG_FILE_SEGMENT ? SB_NAME_SEGMENT : SB_NAME_WAL,
	    f->base, f->revision);
	return 0;
}
