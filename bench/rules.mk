# rules.mk - how the programs of bench/ are built; included by the Makefile.
#
# A program is bench/NAME.c with bench/common/*.c; one whose library is not
# installed ("make bench-deps") is left out and bench/run says so.

BENCH_COMMON := $(sort $(wildcard bench/common/*.c))
BENCH_PROG   := $(patsubst bench/%.c,%,$(sort $(wildcard bench/*.c)))

# Header a program cannot do without, and the libraries of each.
bench-needs  = $(if $(wildcard /usr/include/$(2) /usr/local/include/$(2)),,$(1))
BENCH_ABSENT := $(call bench-needs,peers_lmdb,lmdb.h) \
	$(call bench-needs,peers_sqlite,sqlite3.h) \
	$(call bench-needs,peers_leveldb,leveldb/c.h) \
	$(call bench-needs,peers_rocksdb,rocksdb/c.h)
BENCH_BUILT  := $(filter-out $(BENCH_ABSENT),$(BENCH_PROG))

$(B)/bench/%.o: INC := -Ibench -Ilibcore/include
$(B)/bench/common/memory.o: CFLAGS += \
	$(if $(filter x86_64,$(shell uname -m)),-mavx2)

$(B)/bench/bin/peers_lmdb:    BENCH_LIBS := -llmdb
$(B)/bench/bin/peers_sqlite:  BENCH_LIBS := -lsqlite3
$(B)/bench/bin/peers_leveldb: BENCH_LIBS := -lleveldb
$(B)/bench/bin/peers_rocksdb: BENCH_LIBS := -lrocksdb

$(B)/bench/bin/%: $(B)/bench/%.o $(BENCH_COMMON:%.c=$(B)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS) \
	    -llz4 -lpthread

.PHONY: bench bench-build bench-deps

bench-build: all $(BENCH_BUILT:%=$(B)/bench/bin/%)

bench: bench-build ## compare with the machine, the usual commands and peers
	$(Q)bench/run --build $(B)

bench-deps: ## install what "make bench" compares with (apt-get)
	$(Q)bench/deps
