# mote.  `make` builds build/mote and build/libmote.a and installs nothing; `make demo` and
# `make test` first install what they need (see apt-packages).  V=1 shows whole commands.
#
#   demo test bench fuzz           what it can do, whether it is right, how fast, what breaks it
#   check-format format tidy       style
#   test-all                       the same with every proof and seeded fault: hours
#   layers costs                   include order; kernels and golden table measured again
#   install uninstall clean        PREFIX=/usr/local, DESTDIR=
#
# Variables: BUILD (output folder), CC, CFLAGS, EXTRA (added to compiling and linking, for
# sanitizers), CI (warnings are errors).

ifeq ($(origin CC),default)
CC      = gcc
endif
BUILD   ?= build
PREFIX  ?= /usr/local
OBJCOPY ?= objcopy
EXTRA   ?=

ifneq ($(V),1)
Q := @
ifeq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @printf '  %-3s %s\n' '$(1)' '$(2)'
endif
endif

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wswitch-enum \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-qual -Wwrite-strings -Wundef \
	-Wformat=2 -Wdouble-promotion
ifneq ($(CI),)
WARNINGS += -Werror
endif

# -ffp-contract=off: the same bits from every compiler; fused operations are written out.
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -ffp-contract=off \
	-fno-math-errno $(WARNINGS) $(CFLAGS) $(EXTRA) -Isrc -Iinclude \
	-DMOTE_PREFIX='"$(PREFIX)"' -MMD -MP
LDLIBS  = -ljansson -lpng -lz -lpthread -lm

MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter x86_64%,$(MACHINE)),)
ISA_avx512 = -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma
ISA_avx2   = -mavx2 -mfma
endif

SOURCES  := $(filter-out src/cli/% src/sim/%,$(wildcard src/*/*.c))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
CLI      := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/cli/*.c))
EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(wildcard examples/*/*.c))
COUNTERS := $(patsubst src/sim/%.c,$(BUILD)/mote-%,$(wildcard src/sim/count_*.c))
UNIT     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
PROOF    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/proof/*.c))
FUZZ     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c tests/bench/fit_*.c))
# What tests share: random nets, temporary files ...
SUPPORT  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
# What counting programs link besides their main(): by their emulator.
AVR      := $(addprefix $(BUILD)/src/sim/,counter.o machine_avr.o avr8.o)
UNICORN  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/sim/count_% src/sim/machine_avr.c \
	src/sim/avr8.c,$(wildcard src/sim/*.c)))
PROGRAM  := $(if $(CLI),$(BUILD)/mote)

.PHONY: all examples unit fuzzers faults benches proofs demo test test-all bench fuzz check-format format tidy \
	layers costs install uninstall clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:

all: $(PROGRAM) $(BUILD)/libmote.a $(COUNTERS) examples

examples: $(EXAMPLES)
unit: $(UNIT)
fuzzers: $(FUZZ)
benches: $(BENCH)
proofs: $(PROOF)
faults: $(BUILD)/tests/faults/faults.so

# ---- building ----

$(BUILD)/mote: $(CLI) $(BUILD)/inside.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) $(LDFLAGS) -o $@ $(CLI) $(BUILD)/inside.a $(LDLIBS)

# Rewritten where the list of objects has changed, so that archives notice a file that is gone.
$(BUILD)/objects: FORCE
	@mkdir -p $(@D)
	@echo '$(OBJECTS)' | cmp -s - $@ || echo '$(OBJECTS)' >$@

# Everything but the command line, for mote itself and the tests.
$(BUILD)/inside.a: $(OBJECTS) $(BUILD)/objects
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(OBJECTS)

# What others link: one object in which only include/mote.h's functions are visible.
$(BUILD)/libmote.a: $(OBJECTS) $(BUILD)/objects
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $(BUILD)/libmote.o $(OBJECTS)
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='mote_*' $(BUILD)/libmote.o
	$(Q)rm -f $@ && $(AR) rcs $@ $(BUILD)/libmote.o

# Training kernels earn -O3; a file named for an instruction set is compiled for it.
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter src/train/% src/vision/% src/quant/% src/base/cholesky% \
		src/data/augment% src/data/resize%,$<),-O3) \
		$(if $(filter %_avx512.c,$<),$(ISA_avx512)) \
		$(if $(filter %_avx2.c,$<),$(ISA_avx2)) -c -o $@ $<

# Counting programs link an emulator library, which nothing else does.
$(BUILD)/mote-count_avr: $(BUILD)/src/sim/count_avr.o $(AVR) $(BUILD)/inside.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) $(LDFLAGS) -o $@ $^ -lsimavr $(LDLIBS)

$(BUILD)/mote-count_%: $(BUILD)/src/sim/count_%.o $(UNICORN) $(BUILD)/inside.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) $(LDFLAGS) -o $@ $^ -lunicorn $(LDLIBS)

# Examples are plain C programs that know nothing of mote.
$(BUILD)/examples/%: examples/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=c11 -D_POSIX_C_SOURCE=200809L -O2 $(WARNINGS) -ffp-contract=off -o $@ $< -lm

$(BUILD)/tests/%.o: ALL_CFLAGS += -Itests

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(SUPPORT) $(BUILD)/inside.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $(filter %.o,$^) $(BUILD)/inside.a $(LDLIBS) -lcmocka

# Counting programs are no part of the library; their tests want a piece, or the programs.
$(BUILD)/tests/unit/test_sim_thumb: $(BUILD)/src/sim/thumb.o
$(BUILD)/tests/unit/test_sim_thumb2: $(BUILD)/src/sim/thumb2.o $(BUILD)/src/sim/thumb.o
$(BUILD)/tests/unit/test_sim_avr8: $(BUILD)/src/sim/avr8.o
$(BUILD)/tests/unit/test_sim_rv32: $(BUILD)/src/sim/rv32.o
$(BUILD)/tests/unit/test_measure_net $(BUILD)/tests/unit/test_measure_targets \
	$(BUILD)/tests/unit/test_emit_thumb: | $(COUNTERS)

$(BUILD)/tests/proof/%: $(BUILD)/tests/proof/%.o $(SUPPORT) $(BUILD)/inside.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $(filter %.o,$^) $(BUILD)/inside.a $(LDLIBS) -lcmocka

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/inside.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $< $(BUILD)/inside.a $(LDLIBS)

# Only with CC=clang and scripts/fuzz's EXTRA, which instruments the library.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/inside.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -fsanitize=fuzzer -o $@ $< $(BUILD)/inside.a $(LDLIBS)

# Preloaded into mote by the fault tests: makes the N-th allocation or file operation fail.
$(BUILD)/tests/faults/faults.so: tests/faults/faults.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARNINGS) -shared -fPIC -o $@ $< -ldl

# ---- showing and checking ----

demo:
	@scripts/packages build demo
	@$(MAKE) --no-print-directory -s -j2 all
	@BUILD=$(BUILD) examples/pose/run.sh

test:
	@scripts/packages build demo test
	@BUILD=$(BUILD) tests/run

test-all:
	@scripts/packages build demo test
	@PROOF=all BUILD=$(BUILD) tests/run

bench:
	@$(MAKE) --no-print-directory -s -j2 all benches
	@BUILD=$(BUILD) scripts/bench

fuzz:
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-600} FUZZ_JOBS=2 BUILD=$(BUILD) scripts/fuzz

check-format:
	@scripts/format --check

format:
	@scripts/format

tidy:
	@scripts/tidy

layers:
	@scripts/layers

costs: all benches
	@for file in targets/*.costs; do \
		PATH=$(BUILD):$$PATH MOTE_TARGETS=targets $(BUILD)/tests/bench/fit_costs \
			$$(basename $$file .costs) || exit 1; \
	done
	@$(MAKE) --no-print-directory -s all
	@BUILD=$(BUILD) scripts/costs --update

# ---- installing ----

BIN   = $(DESTDIR)$(PREFIX)/bin
LIB   = $(DESTDIR)$(PREFIX)/lib
SHARE = $(DESTDIR)$(PREFIX)/share

install: all
	install -d $(BIN) $(LIB) $(DESTDIR)$(PREFIX)/include $(SHARE)/mote/targets \
		$(SHARE)/man/man1 $(SHARE)/bash-completion/completions
	install $(BUILD)/mote $(COUNTERS) $(BIN)
	install -m 644 $(BUILD)/libmote.a $(LIB)
	install -m 644 include/mote.h $(DESTDIR)$(PREFIX)/include
	install -m 644 targets/* $(SHARE)/mote/targets
	install -m 644 man/*.1 $(SHARE)/man/man1
	install -m 644 completion/mote.bash $(SHARE)/bash-completion/completions/mote

uninstall:
	rm -f $(BIN)/mote $(COUNTERS:$(BUILD)/%=$(BIN)/%) $(LIB)/libmote.a
	rm -f $(DESTDIR)$(PREFIX)/include/mote.h \
		$(patsubst man/%,$(SHARE)/man/man1/%,$(wildcard man/*.1))
	rm -f $(SHARE)/bash-completion/completions/mote
	rm -rf $(SHARE)/mote

clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/src/*/*.d $(BUILD)/tests/*/*.d)
