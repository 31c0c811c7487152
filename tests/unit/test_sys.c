/*
 * test_sys.c - sys/sys: files, names, locks, maps, sleeping, threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sys/sys.h"

static int
here(void)
{
	int fd = sb_sys_opendir(-1, ".");

	CHECK(fd >= 3);
	return fd;
}

static int
file(int dir, const char *name)
{
	int fd = sb_sys_open(dir, name, SB_OPEN_CREATE);

	CHECK(fd >= 3);
	return fd;
}

static void
only_regular_files_are_opened(void)
{
	int dir = here();

	CHECK(mkfifo("fifo", 0666) == 0);
	CHECK(mkdir("dir", 0777) == 0);
	CHECK(close(file(dir, "plain")) == 0);
	CHECK(symlink("plain", "link") == 0);
	CHECK(symlink(".", "dirlink") == 0);
	CHECK(sb_sys_open(dir, "fifo", SB_OPEN_READ) == -EINVAL);
	CHECK(sb_sys_open(dir, "fifo", SB_OPEN_WRITE) == -EINVAL);
	CHECK(sb_sys_open(dir, "dir", SB_OPEN_READ) == -EINVAL);
	CHECK(sb_sys_open(dir, "link", SB_OPEN_READ) == -ELOOP);
	CHECK(sb_sys_open(dir, "absent", SB_OPEN_WRITE) == -ENOENT);
	CHECK(sb_sys_open(dir, "plain", SB_OPEN_NEW) == -EEXIST);
	CHECK(sb_sys_opendir(dir, "dirlink") < 0);
	CHECK(sb_sys_opendir(dir, "plain") == -ENOTDIR);
	CHECK(sb_sys_opendir(-1, "dirlink") >= 3);
}

static void
descriptors_stay_away_from_the_standard_ones(void)
{
	int dir = here(), fd;

	CHECK(close(0) == 0);
	fd = file(dir, "x");
	CHECK(fd >= 3);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(0, F_GETFD) < 0 && errno == EBADF);
	fd = sb_sys_opendir(-1, ".");
	CHECK(fd >= 3 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
	CHECK(sb_sys_close(&fd) == 0 && fd == -1);
	CHECK(sb_sys_close(&fd) == 0);
}

static void
transfers_are_whole(void)
{
	char a[] = "abc", b[] = "", c[] = "defgh", got[16] = "";
	struct iovec iov[] = { { a, 3 }, { b, 0 }, { c, 5 } };
	int fd = file(here(), "x");
	struct sb_stat st;

	CHECK(sb_sys_pwritev(fd, iov, 3, 2) == 0);
	CHECK(sb_sys_pwrite(fd, "YZ", 2, 0) == 0);
	CHECK_U64(sb_sys_pread(fd, got, sizeof(got), 0), 10);
	CHECK_STR(got, "YZabcdefgh");
	CHECK_U64(sb_sys_pread(fd, got, sizeof(got), 8), 2);
	CHECK_U64(sb_sys_pread(fd, got, sizeof(got), 100), 0);
	CHECK(sb_sys_truncate(fd, 4) == 0);
	CHECK(sb_sys_fstat(fd, &st) == 0 && st.size == 4 && st.regular);
	CHECK(sb_sys_pread(-1, got, 1, 0) == -EBADF);
}

static void
names_are_made_moved_and_listed(void)
{
	int dir = here(), fd = file(dir, "one");
	char *names = NULL;
	size_t len = 0;
	struct sb_stat st;

	CHECK(sb_sys_mkdir(dir, "sub") == 0);
	CHECK(sb_sys_mkdir(dir, "sub") == -EEXIST);
	CHECK(sb_sys_close(&fd) == 0);
	fd = file(dir, "two");
	CHECK(sb_sys_rename_new(dir, "one", dir, "two") == -EEXIST);
	CHECK(sb_sys_rename_new(dir, "one", dir, "sub") == -EEXIST);
	CHECK(sb_sys_rename_new(dir, "one", dir, "new") == 0);
	CHECK(sb_sys_rename_new(dir, "sub", dir, "other") == 0);
	CHECK(sb_sys_stat(dir, "one", &st) == -ENOENT);
	CHECK(sb_sys_rename(dir, "new", "two") == 0);
	CHECK(sb_sys_stat(dir, "other", &st) == 0 && st.directory);
	CHECK(sb_sys_unlink(dir, "other") < 0);
	CHECK(sb_sys_rmdir(dir, "other") == 0);
	/* Twice: the position in the directory is not shared. */
	for (int i = 0; i < 2; i++) {
		CHECK(sb_sys_list(dir, &names, &len) == 0);
		CHECK_U64(len, 4);
		CHECK_STR(names, "two");
		free(names);
	}
}

static void
a_lock_excludes_and_dies_with_its_owner(void)
{
	int dir = here(), mine = file(dir, "lock"), status;
	uint64_t begun;
	pid_t pid;

	if ((pid = fork()) == 0) {
		int theirs = file(dir, "lock");

		if (sb_sys_lock(theirs, 0) == 0)
			(void)raise(SIGSTOP);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	begun = sb_sys_monotonic_us();
	CHECK(sb_sys_lock(mine, 0) == -EWOULDBLOCK);
	CHECK(sb_sys_lock(mine, 30) == -EWOULDBLOCK);
	CHECK(sb_sys_monotonic_us() - begun >= 30000);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(sb_sys_lock(mine, 10000) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	sb_sys_unlock(mine);
	CHECK(sb_sys_lock(file(dir, "lock"), 0) == 0);
}

static void
a_lock_is_not_kept_by_a_program_that_was_started(void)
{
	int dir = here(), mine = file(dir, "lock"), status;
	pid_t pid;

	CHECK(sb_sys_lock(mine, 0) == 0);
	if ((pid = fork()) == 0) {
		(void)execlp("sleep", "sleep", "5", (char *)NULL);
		_exit(1);
	}
	CHECK(sb_sys_close(&mine) == 0);
	CHECK(sb_sys_lock(file(dir, "lock"), 4000) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void
a_word_in_a_shared_file_wakes_other_processes(void)
{
	static const uint32_t zero[1024];
	int fd = file(here(), "page"), status;
	uint32_t *word;
	uint64_t begun;
	void *map;
	pid_t pid;

	CHECK(sb_sys_pwrite(fd, zero, sizeof(zero), 0) == 0);
	CHECK(sb_sys_map(fd, sizeof(zero), true, &map) == 0);
	word = map;
	begun = sb_sys_monotonic_us();
	CHECK(sb_sys_wait(word, 0, 20000) == -ETIMEDOUT);
	CHECK(sb_sys_monotonic_us() - begun >= 20000);
	CHECK(sb_sys_wait(word, 7, 1000000) == -EAGAIN);
	if ((pid = fork()) == 0) {
		int rc = sb_sys_wait(word, 0, 10000000);

		_exit(rc == 0 || rc == -EAGAIN ? 0 : 1);
	}
	sb_sys_sleep(20000);
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	sb_sys_wake(word);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	sb_sys_unmap(map, sizeof(zero));
}

static void
machine_and_clock_answer(void)
{
	uint8_t a[16], b[16], zero[16] = { 0 };
	enum sb_fs fs;
	uint64_t room = 0, begun = sb_sys_monotonic_us();
	int dir = here();

	sb_sys_boot_id(a);
	sb_sys_boot_id(b);
	CHECK(memcmp(a, b, 16) == 0);
	if (access("/proc/sys/kernel/random/boot_id", R_OK) == 0)
		CHECK(memcmp(a, zero, 16) != 0);
	CHECK(sb_sys_random(a, 16) == 0 && sb_sys_random(b, 16) == 0);
	CHECK(memcmp(a, b, 16) != 0);
	CHECK(sb_sys_time_us() > INT64_C(1600000000) * 1000000);
	sb_sys_sleep(2000);
	CHECK(sb_sys_monotonic_us() - begun >= 2000);
	CHECK(sb_sys_processors() >= 1);
	CHECK(sb_sys_fs(dir, &fs, &room) == 0 && room > 0);
	if ((dir = sb_sys_opendir(-1, "/dev/shm")) >= 0)
		CHECK(sb_sys_fs(dir, &fs, &room) == 0 && fs != SB_FS_NETWORK);
}

struct counter {
	struct sb_monitor *monitor;
	int turn;
};

static void
count(void *arg)
{
	struct counter *c = arg;

	sb_monitor_enter(c->monitor);
	for (int i = 0; i < 100; i++) {
		while (c->turn % 2 == 0)
			sb_monitor_await(c->monitor);
		c->turn++;
		sb_monitor_notify(c->monitor);
	}
	sb_monitor_leave(c->monitor);
}

static void
threads_take_turns(void)
{
	struct counter c = { .monitor = sb_monitor_new() };
	struct sb_thread t;

	CHECK(c.monitor != NULL);
	CHECK(sb_sys_spawn(&t, count, &c) == 0);
	sb_monitor_enter(c.monitor);
	for (int i = 0; i < 100; i++) {
		while (c.turn % 2 == 1)
			sb_monitor_await(c.monitor);
		c.turn++;
		sb_monitor_notify(c.monitor);
	}
	sb_monitor_leave(c.monitor);
	sb_sys_join(&t);
	CHECK_U64(c.turn, 200);
	sb_monitor_free(c.monitor);
	sb_monitor_free(NULL);
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "sys: only regular files are opened",
		    only_regular_files_are_opened },
		{ "sys: descriptors stay away from the standard ones",
		    descriptors_stay_away_from_the_standard_ones },
		{ "sys: transfers are whole", transfers_are_whole },
		{ "sys: names are made, moved and listed",
		    names_are_made_moved_and_listed },
		{ "sys: a lock excludes, and dies with its owner",
		    a_lock_excludes_and_dies_with_its_owner },
		{ "sys: a lock is not kept by a program that was started",
		    a_lock_is_not_kept_by_a_program_that_was_started },
		{ "sys: a word in a shared file wakes other processes",
		    a_word_in_a_shared_file_wakes_other_processes },
		{ "sys: machine and clock answer", machine_and_clock_answer },
		{ "sys: threads take turns", threads_take_turns },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
