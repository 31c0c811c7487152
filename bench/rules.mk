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
	$(call bench-lacks,peers_rocksdb,rocksdb/c.h)
BENCH_PROG   := $(filter-out $(BENCH_ABSENT),\
	$(patsubst bench/%.c,%,$(sort $(wildcard bench/*.c))))

$(B)/bench/%.o: INC := -Ibench -Ilibcore/include

$(B)/bench/bin/peers_lmdb:    BENCH_LIBS := -llmdb
$(B)/bench/bin/peers_sqlite:  BENCH_LIBS := -lsqlite3
$(B)/bench/bin/keys_sqlite:   BENCH_LIBS := -lsqlite3
$(B)/bench/bin/peers_leveldb: BENCH_LIBS := -lleveldb
$(B)/bench/bin/peers_rocksdb: BENCH_LIBS := -lrocksdb

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

.PHONY: bench bench-programs bench-deps
