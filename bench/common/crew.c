/*
 * crew.c - several writers at once, as threads or as processes.
 *
 * The members meet at barriers in shared memory, which both kinds can use, so
 * that neither start-up nor opening is part of the time.
 */
#include "common/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/measure.h"

/* What all members see. */
struct meeting {
	pthread_barrier_t ready, done;
};

struct member {
	struct meeting *meeting;
	crew_fn prepare, work;
	void *arg;
	unsigned number;
};

static void *
run_member(void *arg)
{
	const struct member *m = arg;

	m->prepare(m->arg, m->number);
	(void)pthread_barrier_wait(&m->meeting->ready); /* cannot fail */
	m->work(m->arg, m->number);
	(void)pthread_barrier_wait(&m->meeting->done);
	return NULL;
}

/* A meeting of n members and the one who holds the clock. */
static struct meeting *
call_meeting(unsigned n)
{
	struct meeting *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attr;

	if (m == MAP_FAILED)
		measure_fail("cannot allocate", "crew");
	if ((errno = pthread_barrierattr_init(&attr)) != 0 ||
	    (errno = pthread_barrierattr_setpshared(&attr,
		 PTHREAD_PROCESS_SHARED)) != 0 ||
	    (errno = pthread_barrier_init(&m->ready, &attr, n + 1)) != 0 ||
	    (errno = pthread_barrier_init(&m->done, &attr, n + 1)) != 0)
		measure_fail("cannot make a barrier", "crew");
	return m;
}

double
crew_run(enum crew_kind kind, unsigned n, crew_fn prepare, crew_fn work,
    void *arg)
{
	struct meeting *meeting = call_meeting(n);
	struct member members[CREW_MAX];
	pthread_t threads[CREW_MAX];
	pid_t pids[CREW_MAX];
	double seconds;
	uint64_t start;

	(void)fflush(stdout); /* or the children would write it again */
	for (unsigned i = 0; i < n; i++) {
		members[i] = (struct member){ meeting, prepare, work, arg, i };
		if (kind == CREW_THREADS) {
			if ((errno = pthread_create(&threads[i], NULL,
				 run_member, &members[i])) != 0)
				measure_fail("cannot start a thread", "crew");
		} else if ((pids[i] = fork()) < 0) {
			measure_fail("cannot fork", "crew");
		} else if (pids[i] == 0) {
			(void)run_member(&members[i]);
			_exit(0);
		}
	}
	(void)pthread_barrier_wait(&meeting->ready);
	start = clock_ns();
	(void)pthread_barrier_wait(&meeting->done);
	seconds = clock_since(start);
	for (unsigned i = 0; i < n; i++) {
		if (kind == CREW_THREADS)
			(void)pthread_join(threads[i], NULL);
		else
			child_finish(pids[i], "crew", NULL);
	}
	(void)munmap(meeting, sizeof(*meeting));
	return seconds;
}
