/*
 * thread.c - worker threads, and a lock with one condition.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "sys/fault.h"
#include "sys/sys.h"

struct start {
	void (*run)(void *);
	void *arg;
};

struct sb_monitor {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
};

static void *
begin(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	s.run(s.arg);
	return NULL;
}

int
sb_sys_spawn(struct sb_thread *t, void (*run)(void *), void *arg)
{
	struct start *s;
	pthread_t thread;
	int rc;

	if ((rc = sb_fault_point("spawn", -1)) < 0)
		return rc;
	if ((s = malloc(sizeof(*s))) == NULL)
		return -ENOMEM;
	*s = (struct start){ run, arg };
	if ((rc = pthread_create(&thread, NULL, begin, s)) != 0) {
		free(s);
		return -rc;
	}
	t->handle = (unsigned long)thread;
	return 0;
}

void
sb_sys_join(struct sb_thread *t)
{
	(void)pthread_join((pthread_t)t->handle, NULL);
}

struct sb_monitor *
sb_monitor_new(void)
{
	struct sb_monitor *m = malloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	if (pthread_mutex_init(&m->mutex, NULL) != 0 ||
	    pthread_cond_init(&m->cond, NULL) != 0) {
		free(m);
		return NULL;
	}
	return m;
}

void
sb_monitor_free(struct sb_monitor *m)
{
	if (m == NULL)
		return;
	(void)pthread_cond_destroy(&m->cond);
	(void)pthread_mutex_destroy(&m->mutex);
	free(m);
}

void
sb_monitor_enter(struct sb_monitor *m)
{
	(void)pthread_mutex_lock(&m->mutex);
}

void
sb_monitor_leave(struct sb_monitor *m)
{
	(void)pthread_mutex_unlock(&m->mutex);
}

void
sb_monitor_await(struct sb_monitor *m)
{
	(void)pthread_cond_wait(&m->cond, &m->mutex);
}

void
sb_monitor_notify(struct sb_monitor *m)
{
	(void)pthread_cond_broadcast(&m->cond);
}
