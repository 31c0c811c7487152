/*
 * sched.c - processes in one address space, and who of them goes on.
 */
#include "common/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/seam.h"
#undef malloc
#undef calloc
#undef realloc
#undef free

enum {
	STACK = 512 << 10,
	MEMORY = 64 << 20,
	GUARD = 4096,
	POINTS_MAX = 400000, /* more of them: it does not come to an end */
	SPINS = 256,         /* atomics in a row that are looked at */
	HEAD = 16,           /* of a block: its length */
};

struct sim sim;
static ucontext_t home;

uint64_t
sim_random(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static _Noreturn void
bail(const char *what)
{
	printf("Bail out! scheduler: %s\n", what);
	(void)fflush(stdout);
	abort();
}

static void *
reserve(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		bail("no memory");
	return p;
}

void
sim_init(void)
{
	for (int i = 0; i < SIM_PROCS; i++) {
		sim.procs[i].stack = reserve(STACK);
		if (mprotect(sim.procs[i].stack, GUARD, PROT_NONE) != 0)
			bail("no guard page");
		sim.procs[i].memory = reserve(MEMORY);
	}
}

/* ---- memory ---- */

void *
sim_malloc(size_t len)
{
	struct sim_proc *p = sim.cur;
	size_t need = ((len + 15) & ~(size_t)15) + HEAD;
	uint8_t *at = p->memory + p->used;

	if (need > MEMORY - p->used)
		return NULL;
	p->used += need;
	p->blocks++;
	memcpy(at, &len, sizeof(len));
	return at + HEAD;
}

void *
sim_calloc(size_t n, size_t len)
{
	void *p = sim_malloc(n * len);

	if (p != NULL)
		memset(p, 0, n * len);
	return p;
}

static size_t
length_of(const void *block)
{
	size_t len;

	memcpy(&len, (const uint8_t *)block - HEAD, sizeof(len));
	return len;
}

void
sim_free(void *block)
{
	struct sim_proc *p = sim.cur;
	size_t at;

	if (block == NULL)
		return;
	p->blocks--;
	at = (size_t)((uint8_t *)block - p->memory) - HEAD;
	/* The newest block makes room; others wait for the process's end. */
	if (at + HEAD + ((length_of(block) + 15) & ~(size_t)15) == p->used)
		p->used = at;
}

void *
sim_realloc(void *old, size_t len)
{
	void *p;

	if (old != NULL && length_of(old) >= len)
		return old;
	if ((p = sim_malloc(len)) == NULL || old == NULL)
		return p;
	memcpy(p, old, length_of(old));
	sim.cur->blocks--;
	return p;
}

/* ---- coming and going ---- */

void
sim_close(struct sim_proc *p, struct sim_fd *fd)
{
	struct fs_inode *n = &sim.fs->inodes[fd->ino];

	(void)p;
	if (n->holder == fd->id) {
		n->holder = 0;
		sim_unlocked(fd->ino);
	}
	fd->ino = 0;
}

static void
bury(struct sim_proc *p, enum sim_state state)
{
	p->state = state;
	for (int i = 0; i < SIM_FDS; i++)
		if (p->fds[i].ino != 0)
			sim_close(p, &p->fds[i]);
}

size_t
sim_leaks(const struct sim_proc *p)
{
	size_t n = p->blocks;

	for (int i = 0; i < SIM_FDS; i++)
		n += p->fds[i].ino != 0;
	return n;
}

static void
reset(struct sim_proc *p)
{
	p->state = SIM_UNUSED;
	p->used = p->blocks = 0;
	memset(p->fds, 0, sizeof(p->fds));
	p->lock = 0;
	p->word = NULL;
	p->timed_out = false;
}

void
sim_boot(struct fs *f, uint64_t seed)
{
	sim.fs = f;
	for (int i = 0; i < SIM_PROCS; i++)
		reset(&sim.procs[i]);
	for (uint32_t i = FS_ROOT; i < f->count; i++)
		f->inodes[i].holder = 0;
	sim.cur = NULL;
	sim.direct = false;
	sim.plan = (struct sim_plan){ 0 };
	sim.now = 1000000;
	sim.random = seed;
	sim.boot = seed * 2 + 1;
	sim.points = sim.countdown = sim.switches = sim.kills = 0;
	sim.next_id = 1;
	sim.cut = sim.stuck = false;
	sim.hook = NULL;
}

static _Noreturn void go_on(void);

static void
begin(void)
{
	sim.cur->run(sim.cur->arg);
	bury(sim.cur, SIM_DONE);
	if (sim.first_end == 0)
		sim.first_end = sim.points;
	go_on();
}

struct sim_proc *
sim_spawn(void (*run)(void *arg), void *arg)
{
	size_t i = 0;
	struct sim_proc *p;

	while (sim.procs[i].state != SIM_UNUSED)
		if (++i == SIM_PROCS)
			bail("too many processes");
	p = &sim.procs[i];
	p->run = run;
	p->arg = arg;
	p->state = SIM_READY;
	if (getcontext(&p->context) != 0)
		bail("no context");
	p->context.uc_stack.ss_sp = (uint8_t *)p->stack + GUARD;
	p->context.uc_stack.ss_size = STACK - GUARD;
	p->context.uc_link = NULL;
	makecontext(&p->context, begin, 0);
	return p;
}

/* ---- who is next ---- */

/* The next ready one behind the current one, or one at random; NULL: none. */
static struct sim_proc *
next_ready(bool others_only)
{
	struct sim_proc *ready[SIM_PROCS];
	size_t first = sim.cur ? (size_t)(sim.cur - sim.procs) + 1 : 0;
	size_t n = 0;

	for (size_t i = 0; i < SIM_PROCS; i++) {
		struct sim_proc *p = &sim.procs[(first + i) % SIM_PROCS];

		if (p->state == SIM_READY && !(others_only && p == sim.cur))
			ready[n++] = p;
	}
	if (n == 0)
		return NULL;
	if (sim.plan.seed == 0)
		return ready[0];
	return ready[sim_random(&sim.plan.seed) % n];
}

/* Nobody is ready: time passes for who sleeps.  Locks do not time out: whoever
 * waits for one that nobody will ever let go waits for ever. */
static struct sim_proc *
next_sleeper(void)
{
	struct sim_proc *best = NULL;

	for (int i = 0; i < SIM_PROCS; i++) {
		struct sim_proc *p = &sim.procs[i];

		if (p->state == SIM_SLEEP &&
		    (best == NULL || p->until < best->until))
			best = p;
	}
	if (best == NULL)
		return NULL;
	if (best->until > sim.now)
		sim.now = best->until;
	best->state = SIM_READY;
	best->timed_out = true;
	return best;
}

static struct sim_proc *
next(void)
{
	struct sim_proc *p = next_ready(false);

	return p ? p : next_sleeper();
}

static _Noreturn void
go_home(void)
{
	(void)setcontext(&home);
	bail("cannot go home");
}

static _Noreturn void
go_on(void)
{
	struct sim_proc *p = sim.cut || sim.stuck ? NULL : next();

	sim.cur = p;
	if (p == NULL)
		go_home();
	(void)setcontext(&p->context);
	bail("cannot go on");
}

static void
change_to(struct sim_proc *p)
{
	struct sim_proc *me = sim.cur;

	if (p == me)
		return;
	sim.cur = p;
	if (p == NULL)
		go_home();
	if (swapcontext(&me->context, &p->context) != 0)
		bail("cannot change");
}

bool
sim_run(const struct sim_plan *plan)
{
	struct sim_proc *p;
	bool ok = true;

	sim.plan = *plan;
	sim.points = sim.first_end = 0;
	sim.countdown = plan->seed && plan->one_in
	    ? 1 + sim_random(&sim.plan.seed) % (2 * plan->one_in)
	    : 0;
	sim.cur = NULL;
	if ((p = next()) != NULL) {
		sim.cur = p;
		if (swapcontext(&home, &p->context) != 0)
			bail("cannot begin");
	}
	for (int i = 0; i < SIM_PROCS && !sim.cut; i++)
		ok = ok &&
		    (sim.procs[i].state == SIM_UNUSED ||
			sim.procs[i].state == SIM_DONE ||
			sim.procs[i].state == SIM_KILLED);
	sim.cur = NULL;
	return ok && !sim.stuck;
}

void
sim_call(void (*run)(void *arg), void *arg)
{
	struct sim_proc *before = sim.cur;
	struct sim_proc *p = sim.procs + SIM_PROCS - 1 - sim.depth++;
	bool direct = sim.direct;

	reset(p);
	p->state = SIM_READY;
	sim.cur = p;
	sim.direct = true;
	run(arg);
	bury(p, SIM_UNUSED);
	sim.depth--;
	sim.cur = before;
	sim.direct = direct;
}

/* ---- points ---- */

static void
jump(void)
{
	uint64_t r = sim_random(&sim.plan.seed);

	if (r % 64 != 0)
		return;
	sim.now += r / 64 % 400000; /* all were stopped for a while */
	if (r % 128 == 0)
		sim.wall += (int64_t)(r / 1024 % 7200000000) - 3600000000;
	for (int i = 0; i < SIM_PROCS; i++) {
		struct sim_proc *p = &sim.procs[i];

		if (p->state == SIM_SLEEP && p->until <= sim.now) {
			p->state = SIM_READY;
			p->timed_out = true;
		}
	}
}

static void
interrupt(void)
{
	const struct sim_plan *plan = &sim.plan;
	bool change = false;

	if (sim.points == plan->cut_at) {
		sim.cut = true;
		go_home();
	}
	if (sim.points == plan->kill_at || sim.points == plan->kill_again) {
		if (sim.trace)
			printf("# %td is killed\n", sim.cur - sim.procs);
		sim.kills++;
		bury(sim.cur, SIM_KILLED);
		go_on();
	}
	if (sim.points > POINTS_MAX) {
		sim.stuck = true;
		go_home();
	}
	for (int i = 0; i < SIM_SWITCHES; i++)
		change = change || plan->switch_at[i] == sim.points;
	if (sim.countdown > 0 && --sim.countdown == 0) {
		change = true;
		sim.countdown = 1 +
		    sim_random(&sim.plan.seed) % (2 * (uint64_t)plan->one_in);
		if (plan->clock)
			jump();
	}
	if (change) {
		struct sim_proc *p = next_ready(true);

		if (p == NULL)
			return;
		sim.switches++;
		change_to(p);
	}
}

void
sim_point(const char *name, int fd, uint64_t pos, uint64_t len)
{
	sim.points++;
	sim.now++;
	if (fd >= 0 || len > 0)
		sim.cur->spins = 0;
	if (sim.trace) {
		printf("# %llu: %td %s", (unsigned long long)sim.points,
		    sim.cur - sim.procs, name);
		if (fd >= 0)
			printf(" fd %d", fd);
		if (pos != 0 || len != 0)
			printf(" pos %llu len %llu", (unsigned long long)pos,
			    (unsigned long long)len);
		printf("\n");
	}
	if (sim.direct) {
		if (sim.hook != NULL)
			sim.hook(name);
		return;
	}
	interrupt();
}

void
sim_atomic(int plain)
{
	if (sim.direct || (plain && !sim.plan.words))
		return;
	/* It waits for a word in a loop: let others go on now and then. */
	if (++sim.cur->spins > SPINS && sim.cur->spins % SPINS != 0)
		return;
	sim_point(plain ? "word" : "atomic", -1, 0, 0);
}

void
sim_wait_lock(uint32_t ino)
{
	if (sim.direct)
		bail("a lock is held by nobody");
	sim.cur->state = SIM_LOCK;
	sim.cur->lock = ino;
	change_to(next());
}

bool
sim_wait_word(const uint32_t *word, uint64_t us)
{
	struct sim_proc *p = sim.cur;

	if (sim.direct) {
		sim.now += us;
		return false;
	}
	p->state = SIM_SLEEP;
	p->word = word;
	p->until = sim.now + us;
	p->timed_out = false;
	change_to(next());
	return !p->timed_out;
}

void
sim_unlocked(uint32_t ino)
{
	for (int i = 0; i < SIM_PROCS; i++)
		if (sim.procs[i].state == SIM_LOCK && sim.procs[i].lock == ino)
			sim.procs[i].state = SIM_READY;
}

void
sim_woken(const uint32_t *word)
{
	for (int i = 0; i < SIM_PROCS; i++)
		if (sim.procs[i].state == SIM_SLEEP &&
		    sim.procs[i].word == word)
			sim.procs[i].state = SIM_READY;
}
