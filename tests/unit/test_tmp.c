/*
 * test_tmp.c - sys/tmp: a file appears complete, or not at all.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "sys/sys.h"
#include "sys/tmp.h"

static struct sb_tmp
make(int dir, const char *name, const char *text)
{
	const struct sblog_bytes bytes = { text, strlen(text) };
	struct sb_tmp t = SB_TMP_INIT;
	struct sblog_err err;

	CHECK(sb_tmp_create(&t, dir, name, &err) == 0);
	CHECK(sb_tmp_write(&t, bytes, 0, &err) == 0);
	return t;
}

static void
holds(int dir, const char *name, const char *text)
{
	char got[64] = "";
	int fd = sb_sys_open(dir, name, SB_OPEN_READ);

	CHECK(fd >= 0);
	CHECK(sb_sys_pread(fd, got, sizeof(got) - 1, 0) >= 0);
	CHECK_STR(got, text);
	CHECK(sb_sys_close(&fd) == 0);
}

static size_t
names(int dir)
{
	char *list = NULL;
	size_t len = 0, n = 0;

	CHECK(sb_sys_list(dir, &list, &len) == 0);
	for (size_t i = 0; i < len; i++)
		n += list[i] == '\0';
	free(list);
	return n;
}

static void
it_is_there_only_when_committed(void)
{
	int dir = sb_sys_opendir(-1, ".");
	struct sb_tmp t = make(dir, "x", "new");
	struct sblog_err err;

	CHECK(access("x", F_OK) < 0);
	CHECK(sb_tmp_is_name(t.tmp));
	CHECK(sb_tmp_commit(&t, SB_TMP_NEW, &err) == 0);
	holds(dir, "x", "new");
	CHECK_U64(names(dir), 1);
	CHECK(t.fd == -1);
	sb_tmp_discard(&t); /* no effect */
	holds(dir, "x", "new");
}

static void
what_was_there_is_replaced_or_kept(void)
{
	int dir = sb_sys_opendir(-1, "."), fd = -1;
	struct sb_tmp a = make(dir, "x", "old"), b = make(dir, "x", "new");
	struct sblog_err err;
	char got[4] = "";

	CHECK(sb_tmp_commit(&a, SB_TMP_NEW, &err) == 0);
	CHECK(sb_tmp_commit(&b, SB_TMP_NEW, &err) == SBLOG_ECOND);
	CHECK_STR(err.file, "x");
	holds(dir, "x", "old");
	/* It can still be committed another way. */
	CHECK(sb_tmp_commit_fd(&b, SB_TMP_REPLACE, &fd, &err) == 0);
	holds(dir, "x", "new");
	CHECK(fd >= 3 && sb_sys_pread(fd, got, 3, 0) == 3);
	CHECK_STR(got, "new");
	sb_tmp_discard(&a);
	sb_tmp_discard(&b);
	CHECK_U64(names(dir), 1);
}

static void
what_is_discarded_leaves_nothing(void)
{
	int dir = sb_sys_opendir(-1, ".");
	struct sb_tmp t = make(dir, "x", "text"), none = SB_TMP_INIT;

	sb_tmp_discard(&none);
	sb_tmp_discard(&t);
	sb_tmp_discard(&t);
	CHECK_U64(names(dir), 0);
}

static void
its_names_are_known(void)
{
	CHECK(sb_tmp_is_name("manifest.tmp.0123456789abcdef"));
	CHECK(sb_tmp_is_name(".tmp.0123456789abcdef"));
	CHECK(!sb_tmp_is_name("manifest.tmp.0123456789abcde"));
	CHECK(!sb_tmp_is_name("manifest.tmp.0123456789ABCDEF"));
	CHECK(!sb_tmp_is_name("manifest.tmp.0123456789abcdef0"));
	CHECK(!sb_tmp_is_name("manifest"));
	CHECK(!sb_tmp_is_name(""));
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "tmp: it is there only when committed",
		    it_is_there_only_when_committed },
		{ "tmp: what was there is replaced, or kept",
		    what_was_there_is_replaced_or_kept },
		{ "tmp: what is discarded leaves nothing",
		    what_is_discarded_leaves_nothing },
		{ "tmp: its names are known", its_names_are_known },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
