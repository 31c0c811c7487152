/*
 * sweep.c - remove what sealing, compaction and retention leave behind.
 */
#include <stdlib.h>
#include <string.h>

#include "log/group.h"
#include "log/topic.h"
#include "store/names.h"
#include "sys/tmp.h"

/* The file of the manifest that holds this offset; NULL: none does. */
static const struct sb_file *
holder(const struct sb_manifest *m, uint64_t offset)
{
	for (size_t i = 0; i < m->file_count; i++) {
		const struct sb_file *f = &m->files[i];

		if (offset >= f->base &&
		    (f->kind == SBLOG_FILE_WAL_ACTIVE || offset < f->next ||
			offset == f->base))
			return f;
	}
	return NULL;
}

/*
 * Is it a file that was replaced or dropped?  Only what lies before the active
 * WAL can have been: a file that a newer manifest may name, where this one was
 * brought back from a copy, stays.
 */
static bool
left_over(const struct sb_manifest *m, enum sb_name_kind kind, uint64_t base,
    uint32_t revision)
{
	const struct sb_file *active = sb_manifest_active(m), *f;
	bool of_wal = kind == SB_NAME_WAL || kind == SB_NAME_WINDEX ||
	    kind == SB_NAME_KEYTAB;

	if (active == NULL || base >= active->base)
		return false;
	if (base < m->files[0].base)
		return true; /* retention */
	f = holder(m, base);
	if (f == NULL)
		return false;
	if (f->kind != SBLOG_FILE_SEGMENT)
		return false; /* of a WAL that is not sealed yet */
	if (of_wal)
		return true;
	/* Rewritten together with those before it, or by itself. */
	return f->base != base || revision < f->revision;
}

void
sb_topic_sweep(struct sblog_topic *t)
{
	char *names = NULL;
	size_t len = 0;

	if (sb_sys_list(t->dirfd, &names, &len) < 0)
		return;
	for (char *n = names; n < names + len; n += strlen(n) + 1) {
		enum sb_name_kind kind;
		uint32_t revision;
		uint64_t base;
		bool gone = sb_tmp_is_name(n) ||
		    (sb_name_parse(n, &kind, &base, &revision) &&
			left_over(&t->manifest, kind, base, revision));

		/* What cannot be removed now is there the next time. */
		if (gone && sb_sys_unlink(t->dirfd, n) < 0)
			continue;
	}
	free(names);
	sb_groups_tidy(t);
}

void
sb_topic_unlink(struct sblog_topic *t, const struct sb_file *f)
{
	static const enum sb_name_kind of_segment[] = { SB_NAME_SEGMENT,
		SB_NAME_INDEX, SB_NAME_KEYS };
	static const enum sb_name_kind of_wal[] = { SB_NAME_WAL, SB_NAME_WINDEX,
		SB_NAME_KEYTAB };
	char name[SB_FILE_NAME_SIZE];

	for (size_t i = 0; i < 3; i++) {
		sb_name_format(name,
		    f->kind == SBLOG_FILE_SEGMENT ? of_segment[i] : of_wal[i],
		    f->base, f->revision);
		/* One that stays is swept later. */
		if (sb_sys_unlink(t->dirfd, name) < 0)
			continue;
	}
}
