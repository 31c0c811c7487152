/*
 * facts.c - the machine a result was found on.
 */
#include "bench/facts.h"

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <sblog.h>

enum { LINE_SIZE = 1024 };

/* The value of the first line "KEY ... : VALUE"; with key "" the first line. */
static void
line_of(const char *file, const char *key, char **field)
{
	char line[LINE_SIZE];
	FILE *f = fopen(file, "re");

	bench_set(field, "unknown");
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *value = line;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		if (key[0] != '\0') {
			value = strchr(line, ':');
			value = value == NULL ? "" : value + 1;
			value += strspn(value, " \t");
		}
		bench_set(field, value);
		break;
	}
	fclose(f);
}

/* The type of the mount that dir is on: the one with its device number. */
static void
filesystem_of(const char *dir, char **field)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	struct stat want, st;
	struct mntent *m;

	bench_set(field, "unknown");
	if (f == NULL)
		return;
	if (stat(dir, &want) == 0)
		while ((m = getmntent(f)) != NULL)
			if (stat(m->mnt_dir, &st) == 0 &&
			    st.st_dev == want.st_dev)
				bench_set(field, m->mnt_type);
	(void)endmntent(f);
}

void
facts_fill(struct bench_result *r, const char *dir)
{
	char text[3 * sizeof(((struct utsname *)0)->release)];
	struct sysinfo info;
	struct timespec now;
	struct utsname u;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	bench_set(&r->version, SBLOG_VERSION);
	bench_set(&r->compiler, __VERSION__);
	if (uname(&u) == 0) {
		(void)snprintf(text, sizeof(text), "%s %s %s", u.sysname,
		    u.release, u.machine);
		bench_set(&r->host, u.nodename);
		bench_set(&r->kernel, text);
	}
	line_of("/proc/cpuinfo", "model name", &r->cpu);
	line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "",
	    &r->governor);
	filesystem_of(dir, &r->filesystem);
	if (sysinfo(&info) == 0)
		r->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	r->cpus = cpus < 1 ? 0 : (unsigned)cpus;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	r->time_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
