# mote: `make` builds build/mote and build/libmote.a; `make demo` and `make test` do the rest.
# CONTRIBUTING.md says what each target is for.

ifeq ($(origin CC),default)
CC      = gcc
endif
BUILD   ?= build
PREFIX  ?= /usr/local
# `make VARIANT=asan` and friends add these; see tests/
EXTRA   ?=

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wswitch-enum \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-qual -Wwrite-strings -Wundef \
	-Wformat=2 -Wdouble-promotion
ifdef CI
WARNINGS += -Werror
endif

# -ffp-contract=off: the same bits from every compiler; fused operations are written out.
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno \
	$(WARNINGS) $(CFLAGS) $(EXTRA) -Isrc -Iinclude -DMOTE_PREFIX='"$(PREFIX)"' -MMD -MP
LDLIBS  = -ljansson -lz -lpthread -lm

MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter x86_64%,$(MACHINE)),)
ISA_avx512 = -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma
ISA_avx2   = -mavx2 -mfma
endif

SOURCES := $(filter-out src/cli/% src/sim/%,$(wildcard src/*/*.c))
CLI     := $(wildcard src/cli/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
CLI_OBJECTS := $(CLI:%.c=$(BUILD)/%.o)
EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(wildcard examples/*/simulate.c))
COUNTERS := $(patsubst src/sim/%.c,$(BUILD)/mote-%,$(wildcard src/sim/count_*.c))
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all examples unit clean
.SECONDARY:

all: $(BUILD)/mote $(BUILD)/libmote.a $(COUNTERS) examples

examples: $(EXAMPLES)

$(BUILD)/mote: $(CLI_OBJECTS) $(BUILD)/inside.a
	$(CC) $(CFLAGS) $(EXTRA) -o $@ $(CLI_OBJECTS) $(BUILD)/inside.a $(LDLIBS)

# Everything but the command line, for mote itself and the tests.
$(BUILD)/inside.a: $(OBJECTS)
	rm -f $@ && $(AR) rcs $@ $(OBJECTS)

# What others link: one object in which only include/mote.h's functions are visible.
$(BUILD)/libmote.a: $(OBJECTS)
	$(LD) -r -o $(BUILD)/libmote.o $(OBJECTS)
	objcopy --wildcard --keep-global-symbol='mote_*' $(BUILD)/libmote.o
	rm -f $@ && $(AR) rcs $@ $(BUILD)/libmote.o

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(if $(filter src/train/%,$<),-O3) \
		$(if $(filter %_avx512.c,$<),$(ISA_avx512)) $(if $(filter %_avx2.c,$<),$(ISA_avx2)) -c -o $@ $<

# Counting programs: one emulator library each.
$(BUILD)/mote-count_%: $(BUILD)/src/sim/count_%.o $(filter-out $(BUILD)/src/sim/count_%.o,$(patsubst %.c,$(BUILD)/%.o,$(filter-out src/sim/count_%.c,$(wildcard src/sim/*.c)))) $(BUILD)/inside.a
	$(CC) $(CFLAGS) $(EXTRA) -o $@ $^ -lunicorn -lm

$(BUILD)/examples/%: examples/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 $(WARNINGS) -ffp-contract=off -o $@ $< -lm

unit: $(UNIT)

# tests/support holds what tests share (random nets, temporary files ...).
SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(SUPPORT) $(BUILD)/inside.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(EXTRA) -o $@ $(filter %.o,$^) $(BUILD)/inside.a $(LDLIBS) -lcmocka

$(BUILD)/tests/unit/test_sim_thumb: $(BUILD)/src/sim/thumb.o

$(BUILD)/tests/%.o: ALL_CFLAGS += -Itests

clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/src/*/*.d $(BUILD)/tests/*/*.d)
