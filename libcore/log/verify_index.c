/*
 * verify_index.c - are the indexes of a segment what its batches say?
 */
#include "base/err.h"
#include "log/keys.h"
#include "log/verify.h"
#include "store/names.h"

/* Every batch must be in the index of its segment, and nothing else. */
static int
check_index(struct sb_verify *j, struct sb_source *s, struct sblog_err *err)
{
	struct sb_index ix = SB_INDEX_INIT;
	char name[SB_FILE_NAME_SIZE];
	struct sblog_err why;
	uint64_t pos = s->start, i = 0;
	struct sb_batch head;
	int rc;

	if (s->file.kind != SBLOG_FILE_SEGMENT)
		return 0;
	sb_name_format(name, SB_NAME_INDEX, s->file.base, s->file.revision);
	rc = sb_index_open(&ix, s->dirfd, &s->file, j->manifest.topic, &s->cpu,
	    &why);
	if (rc == SBLOG_ENOENT)
		sb_verify_tell(j, "index", name, false,
		    "missing; sblog index makes it");
	else if (rc == SBLOG_EDAMAGE)
		sb_verify_tell(j, "index", name, true, why.msg);
	else if (rc < 0)
		*err = why;
	if (rc < 0)
		return rc == SBLOG_ENOENT || rc == SBLOG_EDAMAGE ? 0 : rc;
	while ((rc = sb_source_head(s, pos, &head, err)) == 0) {
		struct sb_index_entry e = { 0 };

		if (i < ix.count)
			e = sb_index_at(&ix, i);
		if (i >= ix.count || e.pos != pos || e.offset != head.base ||
		    e.time != head.base_time)
			break;
		i++;
		pos += head.total_size;
	}
	if (rc == 0 || (rc == SBLOG_END && i != ix.count))
		sb_verify_tell(j, "index", name, true,
		    "does not agree with its segment");
	sb_index_close(&ix);
	return rc == SBLOG_EDAMAGE || rc >= 0 ? 0 : rc;
}

static int
check_keys(struct sb_verify *j, struct sb_source *s, struct sblog_err *err)
{
	char name[SB_FILE_NAME_SIZE];
	enum sb_keys_state state;
	int rc;

	if (s->file.kind != SBLOG_FILE_SEGMENT)
		return 0;
	sb_name_format(name, SB_NAME_KEYS, s->file.base, s->file.revision);
	rc = sb_keys_check(j->topic, s, &state, err);
	if (rc == 0 && state == SB_KEYS_MISSING)
		sb_verify_tell(j, "index", name, false,
		    "missing; sblog index makes it");
	else if (rc == 0 && state == SB_KEYS_STALE)
		sb_verify_tell(j, "index", name, true,
		    "does not agree with its segment");
	return rc == SBLOG_EDAMAGE ? 0 : rc;
}

int
sb_verify_indexes(struct sb_verify *j, struct sb_source *s,
    struct sblog_err *err)
{
	int rc = check_index(j, s, err);

	return rc < 0 ? rc : check_keys(j, s, err);
}
