/*
 * scenarios.c - the table of scenarios.
 */
#include "bench/scenario.h"

#include "bench/overhead.h"
#include "bench/sc_cli.h"
#include "bench/sc_crash.h"
#include "bench/sc_e2e.h"
#include "bench/sc_load.h"

#define EXPECTED "expected, not measured; nothing was persisted"
#define STOPS "expected, not measured; the script stops before it"
#define SLEEPS "their load test sleeps 1 ms where it says it sends"
#define TARGET "a target, not a measurement"

const struct bench_scenario bench_scenarios[] = {
	{ "tool", "tool", "", "", "not subtracted from anything",
	    "what measuring itself costs: an empty operation, the clock, the "
	    "histogram",
	    overhead_run, NULL, true },

	/* One process for each operation. */
	{ "cli/append", "cli", "55", "8 ms", EXPECTED,
	    "100 processes, one after the other, append a record each, durably",
	    cli_append, NULL, true },
	{ "cli/append-none", "cli", "55", "8 ms", EXPECTED,
	    "the same, not synced", cli_append, "none", false },
	{ "cli/parallel", "cli", "56", "~150 rec/s", EXPECTED,
	    "1,000 processes, 50 at a time, append a record each, durably",
	    cli_append_parallel, NULL, false },
	{ "cli/parallel-none", "cli", "56", "~150 rec/s", EXPECTED,
	    "the same, not synced", cli_append_parallel, "none", false },
	{ "cli/batches", "cli", "56,60", "~150 rec/s, later ~5,000", EXPECTED,
	    "10 processes append 100 records each, durably", cli_append_batches,
	    NULL, false },
	{ "cli/batches-none", "cli", "56,60", "~150 rec/s, later ~5,000",
	    EXPECTED, "the same, not synced", cli_append_batches, "none",
	    false },
	{ "cli/read", "cli", "57,60", "~2,000 rec/s, later ~10,000", STOPS,
	    "a process reads 1,000 records", cli_read, NULL, true },
	{ "cli/commit", "cli", "58", "4 ms", STOPS,
	    "100 processes commit an offset of a group each, durably",
	    cli_commit, NULL, true },
	{ "cli/commit-none", "cli", "58", "4 ms", STOPS, "the same, not synced",
	    cli_commit, "none", false },
	{ "cli/get", "cli", "58", "2 ms", STOPS,
	    "100 processes ask for the offset of a group", cli_get, NULL,
	    true },

	/* From a process that appends to one that follows. */
	{ "e2e/durable", "e2e", "32", "p50 < 5 ms, p99.9 < 100 ms", TARGET,
	    "1,000 messages a second, durable before they are seen",
	    e2e_latency, &e2e_durable, false },
	{ "e2e/published", "e2e", "1,22,26,42", "25.1 us; < 1 ms",
	    "acknowledged from a buffer in memory",
	    "1,000 messages a second, seen when they are published",
	    e2e_latency, &e2e_published, true },
	{ "e2e/pipe", "e2e", "", "", "",
	    "1,000 lines a second through sblog append and sblog read -F",
	    e2e_pipe, NULL, false },
	{ "e2e/producers", "e2e", "", "", "",
	    "1 to 16 producers, a durable message in each append",
	    e2e_producers, &e2e_durable, false },
	{ "e2e/producers-batch", "e2e", "33", "> 10,000 msg/s", TARGET,
	    "1 to 16 producers, 100 messages in each durable append",
	    e2e_producers, &e2e_batches, false },
	{ "e2e/producers-none", "e2e", "", "", "",
	    "1 to 16 producers, a message in each append, not synced",
	    e2e_producers, &e2e_published, false },
	{ "e2e/consumers", "e2e", "", "", "",
	    "1 to 16 followers, a durable message in each append",
	    e2e_consumers, &e2e_durable, false },
	{ "e2e/consumers-batch", "e2e", "33", "> 10,000 msg/s", TARGET,
	    "1 to 16 followers, 100 messages in each durable append",
	    e2e_consumers, &e2e_batches, false },
	{ "e2e/consumers-none", "e2e", "", "", "",
	    "1 to 16 followers, a message in each append, not synced",
	    e2e_consumers, &e2e_published, false },

	/* For some time, at a rate. */
	{ "load/one", "load", "34", "10,000/s", TARGET,
	    "what 10,000 messages a second cost, 1 producer, 1 follower",
	    load_run, &load_one, true },
	{ "load/latency", "load", "32", "10,000/s", SLEEPS,
	    "10,000 small messages a second, 5 producers, 5 followers",
	    load_run, &load_latency, false },
	{ "load/throughput", "load", "35", "10,000/s for 30 min", SLEEPS,
	    "10,000 messages a second, 10 producers, 10 followers", load_run,
	    &load_throughput, false },
	{ "load/stress", "load", "36", "50,000/s for 10 min", SLEEPS,
	    "50,000 messages a second, 20 producers, 20 followers", load_run,
	    &load_stress, false },
	{ "load/soak", "load", "37", "5,000/s for 24 h", SLEEPS,
	    "5,000 messages a second, sealed and trimmed meanwhile", load_run,
	    &load_soak, false },
	{ "load/spike", "load", "38", "1,000/s, 30 s at 10,000/s", SLEEPS,
	    "1,000 messages a second, and ten times that for a tenth of it",
	    load_run, &load_spike, false },
	{ "load/burst", "load", "", "10,000/s", SLEEPS,
	    "bursts at 40,000 messages a second, three quarters of it idle",
	    load_run, &load_burst, false },
	{ "load/mixed", "load", "", "50,000/s", SLEEPS,
	    "the load of stress, sealed, trimmed, committed and read again",
	    load_run, &load_mixed, false },
	{ "load/sustained", "load", "", "10,000/s for 1 h", SLEEPS,
	    "10,000 messages a second, 5 producers, 5 followers, longer",
	    load_run, &load_sustained, false },
	{ "load/small", "load", "39", "5,000/s", "expected of 2 cores, 4 GB",
	    "5,000 messages a second; a target from 2 processors on", load_run,
	    &load_small, false },
	{ "load/medium", "load", "40", "20,000/s", "expected of 4 cores, 8 GB",
	    "20,000 messages a second; a target from 4 processors on", load_run,
	    &load_medium, false },
	{ "load/large", "load", "41", "100,000/s", "expected of 8 cores, 16 GB",
	    "100,000 messages a second; a target from 8 processors on",
	    load_run, &load_large, false },
	{ "load/most", "load", "33", "> 100,000/s",
	    "a target for three brokers",
	    "as fast as it goes, 4 producers, a follower", load_run, &load_most,
	    false },

	/* Killed. */
	{ "crash/library", "crash", "", "", "",
	    "4 writers are killed again and again: what was acknowledged is "
	    "there",
	    crash_library, NULL, false },
	{ "crash/command", "crash", "", "", "",
	    "sblog append is killed again and again: what it printed is there",
	    crash_command, NULL, true },
	{ .name = NULL },
};
