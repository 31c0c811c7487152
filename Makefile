# sblog - build, test, install.  GNU make; "make help" lists the targets.
#
# Settings (make VAR=value, or in config.mak, which is not tracked):
#   PREFIX BINDIR LIBEXECDIR LIBDIR INCDIR MANDIR DESTDIR   where to install
#   CC CFLAGS CPPFLAGS LDFLAGS                              as usual
#   SAN=address,undefined    sanitizers; their objects live in their own folder
#   FAULT=1                  system calls that tests can make fail
#   MODEL=1                  processes, files and clocks that are simulated
#   V=1                      show commands

-include config.mak

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/sblog
INCDIR     ?= $(PREFIX)/include
LIBDIR     ?= $(PREFIX)/lib
MANDIR     ?= $(PREFIX)/share/man
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
CFLAGS     ?= -O2 -g
SAN        ?=
FAULT      ?=
MODEL      ?=
VERSION    := 1.0.0

comma := ,
# One folder per variant.
VARIANT := $(or $(subst $(comma),-,$(SAN))$(if $(FAULT),fault)$(if $(MODEL),model),plain)
B     := build/$(VARIANT)
Q     := $(if $(V),,@)
say    = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')
cc-option = $(shell $(CC) -Werror $(1) -fsyntax-only -xc /dev/null 2>/dev/null && echo $(1))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings \
	-Wformat=2 $(call cc-option,-Wjump-misses-init)
BASE := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARN) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(if $(FAULT),-DSB_FAULT)

# Commands start three times faster with musl (sblog-internals(7), "Starting");
# sanitizers, clang and machines without musl-gcc use the ordinary libc.
MUSL := $(if $(SAN)$(FAULT)$(MODEL)$(filter-out cc gcc,$(notdir $(CC))),,$(shell command -v musl-gcc))
CMDCC := $(or $(MUSL),$(CC))
CMDLINK := $(if $(SAN)$(FAULT)$(MODEL),,-static)
archive = $(or $(wildcard $(shell $(CC) -print-file-name=lib$(1).a 2>/dev/null)),-l$(1))
LIBS := $(call archive,lz4) $(if $(MUSL),,-lpthread)
CMDLIBS = $(LIBS) $(call archive,jansson) $(call archive,md)
INCS := xxhash.h xxh3.h lz4.h jansson.h jansson_config.h md5.h

# -- what there is --------------------------------------------------------

CORE_SRC := $(sort $(wildcard libcore/*/*.c))
CMD_SRC  := $(sort $(wildcard cmd/common/*.c cmd/torture/*.c) $(if $(MUSL),cmd/musl/fortify.c))
BENCH_SRC := $(sort $(wildcard cmd/bench/*.c))
CMD      := $(patsubst cmd/%.c,%,$(sort $(wildcard cmd/*.c)))
UNIT     := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ     := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
MODELS   := $(patsubst tests/model/%.c,%,$(sort $(wildcard tests/model/*.c)))
DRIVERS  := $(patsubst tests/fault/%.c,%,$(sort $(wildcard tests/fault/*.c)))
MAN      := $(sort $(wildcard man/*.[1357]))

LIB     := $(B)/libsblog.a
SHARED  := $(B)/libsblog.so.0
CMDLIB  := $(B)/static/libcommands.a
FRONT   := $(B)/front/sblog.o $(B)/front/sblog-append.o $(B)/front/sblog-read.o

all: $(CMD:%=$(B)/bin/%) $(LIB) $(SHARED) $(if $(filter plain,$(VARIANT)),build/bin) ## build everything

build/bin:
	$(Q)mkdir -p build && ln -sfn plain/bin build/bin

# -- objects: obj/ with $(CC) for the libraries and tests, static/ with musl --

ISO := -isystem $(B)/inc
# Commands see the public header and cmd/common, the core sees itself.  A
# command that includes a core-internal header does not compile.
CORE_INC := -Ilibcore -Ilibcore/include $(if $(MODEL),-include tests/model/common/seam.h)
CMD_INC  := -Icmd -Ilibcore/include
$(B)/obj/libcore/%.o $(B)/static/libcore/%.o: INC := $(CORE_INC)
$(B)/static/cmd/%.o $(B)/front/%.o: INC := $(CMD_INC)
# sblog bench also measures the rooms of the core one by one; nothing of it is
# linked into another command.
$(B)/static/cmd/bench/%.o: INC := $(CMD_INC) -Ilibcore
$(B)/obj/cmd/%.o: INC := $(CMD_INC)
$(B)/static/cmd/%.o $(B)/front/%.o: HARD := -fstack-protector-strong -DSBLOG_LIBEXECDIR='"$(LIBEXECDIR)"'
$(B)/obj/tests/%.o:   INC := -Itests/unit -Itests/fault -Icmd -Ilibcore -Ilibcore/include
$(B)/obj/tests/unit/test_bench_%.o: INC := -Itests/unit $(CMD_INC)
$(B)/obj/tests/model/%.o: INC := -Itests/model -Ilibcore -Ilibcore/include
# The processor is asked at run time whether these may be used.
ifeq ($(shell uname -m),x86_64)
%_avx2.o: HARD := -mavx2 -mbmi -mbmi2
endif

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(INC) $(CPPFLAGS) $(CFLAGS) $(HARD) -fPIC -MMD -MP -c -o $@ $<

$(B)/static/%.o: %.c $(B)/flags $(B)/inc/stamp
	$(call say,CC,$< (static))
	$(Q)mkdir -p $(@D)
	$(Q)$(CMDCC) $(BASE) $(INC) $(if $(MUSL),$(ISO)) $(CPPFLAGS) $(CFLAGS) $(HARD) -MMD -MP -c -o $@ $<

# The front runs append and read itself: the same sources, other names for main.
$(B)/front/%.o: cmd/%.c $(B)/flags $(B)/inc/stamp
	$(call say,CC,$< (front))
	$(Q)mkdir -p $(@D)
	$(Q)$(CMDCC) $(BASE) -DSBLOG_IN_FRONT $(INC) $(if $(MUSL),$(ISO)) $(CPPFLAGS) $(CFLAGS) $(HARD) -MMD -MP -c -o $@ $<

# musl has no /usr/include: give it the few headers it may see.
$(B)/inc/stamp:
	$(Q)mkdir -p $(@D)
	$(Q)for h in $(INCS); do \
	    p=$$(echo "#include <$$h>" | $(CC) -E -xc - | sed -n 's/^# 1 "\(.*\/'$$h'\)".*/\1/p' | head -n 1); \
	    [ -n "$$p" ] && ln -sf "$$p" $(@D)/$$h || echo "missing $$h: run make deps"; done
	$(Q)touch $@

$(LIB): $(CORE_SRC:%.c=$(B)/obj/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(SHARED): $(CORE_SRC:%.c=$(B)/obj/%.o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(@F) -o $@ $^ -llz4 -lpthread

$(CMDLIB): $(CORE_SRC:%.c=$(B)/static/%.o) $(CMD_SRC:%.c=$(B)/static/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

link-cmd = $(Q)mkdir -p $(@D) && $(CMDCC) $(BASE) $(CFLAGS) $(LDFLAGS) $(CMDLINK) -o $@ $(filter %.o,$^) $(CMDLIB) $(CMDLIBS) $(CMDLIB)

$(B)/bin/sblog: $(FRONT) $(CMDLIB)
	$(call say,LINK,$@)
	$(link-cmd)

$(B)/bin/sblog-%: $(B)/static/cmd/sblog-%.o $(CMDLIB)
	$(call say,LINK,$@)
	$(link-cmd)

# Its own allocations are counted, nobody else's.
$(B)/bin/sblog-bench: $(B)/static/cmd/sblog-bench.o $(BENCH_SRC:%.c=$(B)/static/%.o) $(CMDLIB)
	$(call say,LINK,$@)
	$(link-cmd) -lm -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(B)/obj/libcommon.a: $(patsubst %.c,$(B)/obj/%.o,$(filter-out cmd/musl/%,$(CMD_SRC)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The parts that compute, write and read are tested without the scenarios.
BENCH_TOOL := $(filter-out cmd/bench/micro.c cmd/bench/alloc.c cmd/bench/cold.c $(addprefix cmd/bench/,scenario% run% overhead% plan% print% proc% work% \
	sc_% traffic%),$(BENCH_SRC))
$(patsubst %,$(B)/tests/%,$(filter test_bench_%,$(UNIT))): $(B)/tests/%: $(B)/obj/tests/unit/%.o $(B)/obj/tests/unit/check.o \
		$(BENCH_TOOL:%.c=$(B)/obj/%.o) $(B)/obj/libcommon.a $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson $(LIBS) -lpthread -lm

$(B)/tests/%: $(B)/obj/tests/unit/%.o $(B)/obj/tests/unit/check.o $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lpthread

$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/driver.o $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lpthread

FAULT_COMMON := $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard tests/fault/common/*.c)) \
	cmd/torture/ledger.c cmd/torture/loopdisk.c)
$(B)/fault/%: $(B)/obj/tests/fault/%.o $(FAULT_COMMON) $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lpthread

# What the model has of libcore/sys is linked in the place of the real one.
MODEL_COMMON := $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard tests/model/common/*.c)))
$(B)/model/%: $(B)/obj/tests/model/%.o $(MODEL_COMMON) $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/bench/%.o: bench/%.c $(B)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(INC) $(CPPFLAGS) $(CFLAGS) $(HARD) -MMD -MP -c -o $@ $<
-include bench/rules.mk

-include $(wildcard $(B)/*/*/*.d $(B)/*/*/*/*.d $(B)/*/*/*/*/*.d $(B)/front/*.d)

# Changes when a setting changes, so that everything is rebuilt.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CMDCC) $(BASE) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' | \
	cmp -s - $@ || echo '$(CC) $(CMDCC) $(BASE) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' > $@

# -- set-up, demonstration, tests -------------------------------------------

deps: ## install what is missing (apt-get, as root or with sudo)
	$(Q)tests/deps

demo: deps ## the main job on real text of this machine
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo build/bin

check: deps ## everything that must pass before a commit, under five minutes
	$(Q)tests/run

check-all: deps ## the same, and what takes longer
	$(Q)CHECK_ALL=1 STRESS_SECONDS=60 tests/run

unit: $(UNIT:%=$(B)/tests/%) $(FUZZ:%=$(B)/fuzz/%)
drivers: $(DRIVERS:%=$(B)/fault/%)
models: $(MODELS:%=$(B)/model/%)

lint: all ## layers, symbols, signs, sizes, manual pages, shell scripts
	$(Q)tests/lint/run $(B)

fmt: ## format the C sources
	$(Q)git ls-files '*.[ch]' | xargs clang-format -i
fmt-check: ## fail if "make fmt" would change something
	$(Q)git ls-files '*.[ch]' | xargs clang-format --dry-run -Werror

hooks: ## run lint and fmt-check before each commit
	$(Q)git config core.hooksPath .githooks

FUZZ_SECONDS ?= 60
fuzz: ## libFuzzer on every decoder, FUZZ_SECONDS each
	$(Q)tests/fuzz/run $(FUZZ_SECONDS)

STRESS_SECONDS ?= 60
stress: ## many processes at once, STRESS_SECONDS, with a checker
	$(Q)$(MAKE) --no-print-directory FAULT=1 drivers
	$(Q)STRESS_SECONDS=$(STRESS_SECONDS) build/fault/fault/stress

COMMIT = $(shell git rev-parse --short HEAD 2>/dev/null)
model-build:
	$(Q)$(MAKE) --no-print-directory MODEL=1 models
N ?=
sim: model-build ## simulated processes: N=schedules SEED=first PAIRS=interruptions
	$(Q)COMMIT=$(COMMIT) build/model/model/sim --runs $(or $(N),1000000) \
	    --seed $(or $(SEED),1) --pairs $(or $(PAIRS),1)
powercut: model-build ## states after power cuts: N=how many, up to 5000000
	$(Q)COMMIT=$(COMMIT) build/model/model/powercut --count $(or $(N),500000) \
	    --seed $(or $(SEED),1) --limit $(or $(LIMIT),48)
mutants: ## changes to the core that the tests must notice; ONLY=pattern
	$(Q)COMMIT=$(COMMIT) tests/mutants/run -k '$(or $(ONLY),.)'
POWER_CUTS ?= 10000
powercuts: ## POWER_CUTS shutdowns of ext4 and XFS on loop devices, as root
	$(Q)$(MAKE) --no-print-directory FAULT=1 drivers
	$(Q)COMMIT=$$(git rev-parse --short HEAD) build/fault/fault/shutdown $(POWER_CUTS)
MESSAGEDB_OPERATIONS ?= 5000
messagedb: all ## random operations here and in PostgreSQL, the same answers
	$(Q)tests/messagedb/run $(B) 1 $(MESSAGEDB_OPERATIONS)

completions: all ## regenerate completions/ from the option tables
	$(Q)completions/generate $(B)/bin
readme: ## regenerate the table of commands in README.md
	$(Q)tests/readme

# -- install --------------------------------------------------------------

D := $(DESTDIR)
install: all ## install below DESTDIR and PREFIX
	install -d $(addprefix $(D),$(BINDIR) $(LIBEXECDIR) $(INCDIR) $(LIBDIR)/pkgconfig \
	    $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(foreach s,1 3 5 7,$(MANDIR)/man$(s)))
	install -m 755 $(B)/bin/sblog $(D)$(BINDIR)
	install -m 755 $(filter-out %/sblog,$(CMD:%=$(B)/bin/%)) $(D)$(LIBEXECDIR)
	install -m 644 libcore/include/sblog.h $(D)$(INCDIR)
	install -m 644 $(LIB) $(SHARED) $(D)$(LIBDIR)
	ln -sf libsblog.so.0 $(D)$(LIBDIR)/libsblog.so
	printf 'prefix=%s\nName: sblog\nDescription: The log that needs no server\nVersion: %s\nCflags: -I%s\nLibs: -L%s -lsblog\nLibs.private: -llz4 -lpthread\n' \
	    '$(PREFIX)' '$(VERSION)' '$(INCDIR)' '$(LIBDIR)' > $(D)$(LIBDIR)/pkgconfig/sblog.pc
	install -m 644 completions/sblog.bash $(D)$(BASHDIR)/sblog
	install -m 644 completions/_sblog $(D)$(ZSHDIR)
	install -m 644 completions/sblog.fish $(D)$(FISHDIR)
	for m in $(MAN); do install -m 644 $$m $(D)$(MANDIR)/man$${m##*.} || exit 1; done

uninstall: ## remove what install put there
	rm -f $(D)$(BINDIR)/sblog $(D)$(INCDIR)/sblog.h $(D)$(LIBDIR)/libsblog.* \
	    $(D)$(LIBDIR)/pkgconfig/sblog.pc $(D)$(BASHDIR)/sblog \
	    $(D)$(ZSHDIR)/_sblog $(D)$(FISHDIR)/sblog.fish
	rm -f $(CMD:%=$(D)$(LIBEXECDIR)/%)
	for m in $(notdir $(MAN)); do rm -f $(D)$(MANDIR)/man$${m##*.}/$$m; done
	-rmdir -p --ignore-fail-on-non-empty $(addprefix $(D),$(LIBEXECDIR) $(BINDIR) $(INCDIR) \
	    $(LIBDIR)/pkgconfig $(BASHDIR) $(ZSHDIR) $(FISHDIR) \
	    $(foreach s,1 3 5 7,$(MANDIR)/man$(s))) 2>/dev/null

clean: ## remove everything built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile bench/rules.mk | sort | expand -t 16

FORCE:
.PHONY: all deps demo check check-all unit drivers models lint fmt fmt-check hooks \
	fuzz stress model-build sim powercut powercuts mutants messagedb completions readme \
	install uninstall clean \
	help FORCE build/bin
.DELETE_ON_ERROR:
.SECONDARY:
