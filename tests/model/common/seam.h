/*
 * seam.h - what the core is compiled with for the simulation: every atomic on
 * shared memory is a point at which another process may go on, and memory
 * belongs to the simulated process that asked for it.
 *
 * Included before each source file of libcore (-include), so that no place can
 * be forgotten.  System calls need nothing here: sys.c takes the place of
 * those of libcore/sys when the simulation is linked.
 */
#ifndef TESTS_MODEL_SEAM_H
#define TESTS_MODEL_SEAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* plain: of a group of words that others check as a whole. */
void sim_atomic(int plain);
void *sim_malloc(size_t len);
void *sim_calloc(size_t n, size_t len);
void *sim_realloc(void *old, size_t len);
void sim_free(void *p);

#define malloc(len) sim_malloc(len)
#define calloc(n, len) sim_calloc(n, len)
#define realloc(p, len) sim_realloc(p, len)
#define free(p) sim_free(p)

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_fetch_add
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_strong

/* Asking the processor about itself takes long in a virtual machine, and with
 * the same answer every run is the same. */
#if defined(__x86_64__)
#include <cpuid.h>
#define __get_cpuid(leaf, a, b, c, d) \
	((void)(a), (void)(b), (void)(c), (void)(d), 0)
#endif

#define SIM_PLAIN(order) ((order) == memory_order_relaxed)
#define atomic_load(p) (sim_atomic(0), __atomic_load_n((p), __ATOMIC_SEQ_CST))
#define atomic_load_explicit(p, order) \
	(sim_atomic(SIM_PLAIN(order)), __atomic_load_n((p), (order)))
#define atomic_store(p, v) \
	(sim_atomic(0), __atomic_store_n((p), (v), __ATOMIC_SEQ_CST))
#define atomic_store_explicit(p, v, order) \
	(sim_atomic(SIM_PLAIN(order)), __atomic_store_n((p), (v), (order)))
#define atomic_fetch_add(p, v) \
	(sim_atomic(0), __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_strong(p, seen, v)                             \
	(sim_atomic(0),                                                        \
	    __atomic_compare_exchange_n((p), (seen), (v), 0, __ATOMIC_SEQ_CST, \
		__ATOMIC_SEQ_CST))
#define atomic_compare_exchange_weak(p, seen, v) \
	atomic_compare_exchange_strong(p, seen, v)

#endif
