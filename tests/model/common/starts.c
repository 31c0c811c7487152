/*
 * starts.c - topics to begin with, and what there must be in the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ops.h"
#include "common/ops_group.h"
#include "common/sched.h"

static const struct op *
named(const char *name)
{
	for (size_t i = 0; i < op_count; i++)
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	printf("Bail out! no operation \"%s\"\n", name);
	abort();
}

static void
run(const char *name)
{
	named(name)->run();
}

/* ---- to begin with ---- */

static void
make_empty(void)
{
	run("create");
}

static void
make_wal(void)
{
	make_empty();
	run("append-batch");
	run("append-none");
}

static void
make_segment(void)
{
	make_empty();
	run("append-batch");
	run("seal");
	run("append");
}

/* The next append has to begin a new WAL; a finished one waits. */
static void
make_full(void)
{
	make_empty();
	run("append-large");
	run("append-large");
	run("append-none");
}

const struct start starts[] = {
	{ "empty", make_empty },
	{ "wal", make_wal },
	{ "segment", make_segment },
	{ "full", make_full },
};
const size_t start_count = sizeof(starts) / sizeof(starts[0]);

/* ---- in the end ---- */

static void
check_settings(struct sblog_store *s, struct sblog_topic *t, bool store)
{
	static const char *const names[WORLD_SETTINGS] = {
		"max.message.bytes",
		"min.free.bytes",
		"compression.type",
	};
	enum sblog_setting_origin origin;
	struct sblog_setting setting;
	struct sblog_err err;

	for (size_t i = 0; sblog_setting_at(s, store ? NULL : t, i, &setting,
			       &origin, &err) == 0;
	     i++)
		for (size_t k = 0; k < WORLD_SETTINGS; k++)
			if (world.set[store][k] &&
			    strcmp(setting.name, names[k]) == 0 &&
			    origin !=
				(store ? SBLOG_FROM_STORE : SBLOG_FROM_TOPIC))
				world_bad("setting %s of the %s is lost",
				    names[k], store ? "store" : "topic");
}

static void
check_names(bool sealed)
{
	uint32_t store = fs_find(sim.fs, FS_ROOT, "store");
	uint32_t dir = store ? fs_find(sim.fs, store, "t") : 0;
	const struct fs_inode *d = &sim.fs->inodes[dir];

	for (uint32_t i = 0; dir != 0 && i < d->count; i++) {
		const char *name = d->names[i].text;

		if (strstr(name, ".tmp.") != NULL &&
		    (sealed || !world.disturbed))
			world_bad("%s is left over", name);
		if (strcmp(name, "lost+found") == 0 && !world.disturbed)
			world_bad("something was put into lost+found");
	}
}

/* The topic goes on: it takes records, and seals and verifies clean. */
static void
check_use(void)
{
	uint64_t end = world.seen_end;

	run("append");
	/* What somebody wrote who was killed may be taken, too. */
	if (world.disturbed ? world.acked_end <= end
			    : world.acked_end != end + 1)
		world_bad("the end is %llu, but the next append got %llu",
		    (unsigned long long)end,
		    (unsigned long long)world.acked_end - 1);
	run("read");
	run("verify");
	run("seal");
	check_names(true);
	run("read");
	run("get");
	run("verify");
}

void
ops_final(void *arg)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_WRITE };
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_err err;
	int rc;

	(void)arg;
	if (world.loose) {
		uint32_t store = fs_find(sim.fs, FS_ROOT, "store");

		if (world.gone && store != 0 &&
		    fs_find(sim.fs, store, "t") != 0)
			world_bad("the topic was removed, and is there");
		run("read");
		run("verify");
		run("append");
		run("remove");
		return;
	}
	check_names(false);
	run("read");
	run("verify");
	if ((rc = sblog_store_open(&s, "store", &opts, &err)) == 0 &&
	    (rc = sblog_topic_open(&t, s, "t", SBLOG_WRITE, &err)) == 0) {
		check_settings(s, t, false);
		check_settings(s, t, true);
		group_final(t);
	}
	world_result("open", rc, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
	check_use();
}
