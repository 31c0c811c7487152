# rules.mk - how the programs of bench/ are linked; included by the Makefile.
#
# A program is bench/NAME.c with bench/common/*.c.  A peer whose library is not
# installed ("make bench-deps") is left out, and bench/run says so.

BENCH_COMMON := $(sort $(wildcard bench/common/*.c))
bench-lacks   = $(if $(wildcard /usr/include/$(2) /usr/local/include/$(2)),,$(1))
BENCH_ABSENT := $(call bench-lacks,peers_lmdb,lmdb.h) \
	$(call bench-lacks,peers_sqlite,sqlite3.h) \
	$(call bench-lacks,keys_sqlite,sqlite3.h) \
	$(call bench-lacks,peers_leveldb,leveldb/c.h) \
	$(call bench-lacks,peers_rocksdb,rocksdb/c.h) \
	$(call bench-lacks,peers_redis,hiredis/hiredis.h)
BENCH_PROG   := $(filter-out $(BENCH_ABSENT),\
	$(patsubst bench/%.c,%,$(sort $(wildcard bench/*.c))))

$(B)/bench/%.o: INC := -Ibench -Ilibcore/include

$(B)/bench/bin/peers_lmdb:    BENCH_LIBS := -llmdb
$(B)/bench/bin/peers_sqlite:  BENCH_LIBS := -lsqlite3
$(B)/bench/bin/keys_sqlite:   BENCH_LIBS := -lsqlite3
$(B)/bench/bin/peers_leveldb: BENCH_LIBS := -lleveldb
$(B)/bench/bin/peers_rocksdb: BENCH_LIBS := -lrocksdb
$(B)/bench/bin/peers_redis:   BENCH_LIBS := -lhiredis

$(B)/bench/bin/%: $(B)/bench/%.o $(BENCH_COMMON:%.c=$(B)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS) $(LIBS) -lpthread

-include $(wildcard $(B)/bench/*.d)

bench-programs: $(BENCH_PROG:%=$(B)/bench/bin/%)

bench: all bench-programs ## compare with the machine, usual commands and peers
	$(Q)bench/run --build $(B)

bench-deps: ## install what "make bench" compares with (apt-get)
	$(Q)bench/deps

# -- sblog bench, kept in build/bench ----------------------------------------

R := build/bench
SBLOG_BENCH = mkdir -p $(R) && $(B)/bin/sblog bench
PROTOCOL := 'micro/encode*' 'micro/decode*' 'micro/frame*' 'micro/hash*' 'micro/lz4*'
BASELINE ?= micro readpath streams
RUNS ?= 10

benchmark: all ## all scenarios of sblog bench, small
	$(Q)$(SBLOG_BENCH) run --quick --output $(R)/quick.json
benchmark-storage: all ## one operation, reading in bulk, a message store
	$(Q)$(SBLOG_BENCH) run --output $(R)/storage.json micro readpath streams
benchmark-protocol: all ## encoding, hashes, compression
	$(Q)$(SBLOG_BENCH) run --output $(R)/protocol.json $(PROTOCOL)
benchmark-client: all ## processes that append and read, end to end
	$(Q)$(SBLOG_BENCH) run --output $(R)/client.json cli e2e
benchmark-full: all ## all scenarios, about a quarter of an hour
	$(Q)$(SBLOG_BENCH) run --output $(R)/full.json
benchmark-report: all ## build/bench/report.html of what was measured last
	$(Q)last=$$(ls -t $(R)/*.json 2>/dev/null | head -n 1); \
	[ -n "$$last" ] || { echo 'nothing was measured: make benchmark' >&2; exit 1; }; \
	$(SBLOG_BENCH) report --html $(R)/report.html "$$last" && echo "$(R)/report.html of $$last"
benchmark-baseline: all ## keep BASELINE='GROUP...', RUNS times, to compare with
	$(Q)$(SBLOG_BENCH) run --quick --interleave --runs $(RUNS) --output $(R)/baseline.json $(BASELINE)
benchmark-compare: all ## measure that again; fails if something got worse
	$(Q)[ -f $(R)/baseline.json ] || { echo 'no baseline: make benchmark-baseline' >&2; exit 1; }
	$(Q)$(SBLOG_BENCH) run --quick --interleave --runs $(RUNS) --output $(R)/now.json $(BASELINE)
	$(Q)$(SBLOG_BENCH) compare --fail $(R)/baseline.json $(R)/now.json
PROFILE ?= micro/append-bulk
profile: all ## where the time of PROFILE=SCENARIO goes, with perf
	$(Q)bench/profile $(B) $(R) '$(PROFILE)'

.PHONY: benchmark benchmark-storage benchmark-protocol benchmark-client benchmark-full \
	benchmark-report benchmark-baseline benchmark-compare profile
.PHONY: bench bench-programs bench-deps
