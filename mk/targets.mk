# Everything but the build itself: tests, lint, fuzzing, installation. Included by Makefile.

# ---- unit tests: each folder tests/unit/.../ with a main.c is one Check program -------------
UNIT_DIRS := $(patsubst %/main.c,%,$(shell find tests/unit -name main.c 2>/dev/null | sort))
UNIT_BINS := $(UNIT_DIRS:%=$B/%/run)

# tests/unit/smtpd links smtpd.a; tests/unit/commands/x links commands/x.a when there is one.
unit_archives = $(addprefix $B/,$(addsuffix .a,$(filter $(DAEMONS) $(patsubst %/main.c,%,$(wildcard commands/*/main.c)),$(1:tests/unit/%=%))))

define UNIT
$B/$1/run: $(patsubst %.c,$B/%.o,$(wildcard $1/*.c)) $(call unit_archives,$1) $$($(notdir $1)_ARCHIVES) $B/lib.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcheck -lsubunit -lrt -lm -lpthread $$(LIBS)
endef
$(foreach d,$(UNIT_DIRS),$(eval $(call UNIT,$d)))

# Helper programs that system and dialogue tests use: tests/<kind>/helpers/NAME.c
HELPERS := $(patsubst %.c,$B/%,$(wildcard tests/*/helpers/*.c))
$(HELPERS): $B/%: $B/%.o $B/lib.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# The queue's fault test has the library of faults linked in.
FAULT_RUN := $B/tests/fault/queue/run
$(FAULT_RUN): $(patsubst %.c,$B/%.o,$(wildcard tests/fault/queue/*.c)) $B/tests/fault/preload/disk.o $B/lib.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$B/tests/fault/preload/disk.o: CFLAGS += -U_FORTIFY_SOURCE

# Preloaded libraries for fault tests: tests/fault/preload/NAME.c
PRELOADS := $(patsubst tests/fault/preload/%.c,$B/tests/fault/preload/%.so,$(wildcard tests/fault/preload/*.c))
$B/tests/fault/preload/%.so: tests/fault/preload/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -fPIC -shared -o $@ $<

# ---- fuzz targets: replayed by a small driver in the normal modes, hunted with MODE=fuzz -----
FUZZ_NAMES  := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_REPLAY := $(FUZZ_NAMES:%=$B/tests/fuzz/replay_%)
fuzz_archives = $(addprefix $B/,$(addsuffix .a,$(filter $(DAEMONS),$(shell sed -n 's/^.. fuzz-links: *//p' tests/fuzz/fuzz_$1.c))))
# A target's comment names the programs whose modules it needs (fuzz-links), and a folder beside it
# (fuzz-parts) with sources of its own and, in "wraps", functions that these stand before.
fuzz_parts   = $(shell sed -n 's/^.. fuzz-parts: *\([^ ]*\).*/\1/p' tests/fuzz/fuzz_$1.c)
fuzz_objects = $(foreach p,$(fuzz_parts),$(patsubst %.c,$B/%.o,$(wildcard tests/fuzz/$p/*.c)))
fuzz_wraps   = $(foreach p,$(fuzz_parts),$(patsubst %,-Wl$(comma)--wrap=%,$(shell cat tests/fuzz/$p/wraps)))
comma       := ,
define FUZZ
$B/tests/fuzz/replay_$1: $B/tests/fuzz/fuzz_$1.o $B/tests/fuzz/replay.o $(call fuzz_objects,$1) $(call fuzz_archives,$1) $B/lib.a
	$$(CC) $$(LDFLAGS) $(call fuzz_wraps,$1) -o $$@ $$^ $$(LIBS)
$B/tests/fuzz/hunt_$1: $B/tests/fuzz/fuzz_$1.o $(call fuzz_objects,$1) $(call fuzz_archives,$1) $B/lib.a
	$$(CC) $$(LDFLAGS) -fsanitize=fuzzer $(call fuzz_wraps,$1) -o $$@ $$^ $$(LIBS)
.PHONY: fuzz-$1
fuzz-$1:
	$$(MAKE) MODE=fuzz build/fuzz/tests/fuzz/hunt_$1
	mkdir -p build/fuzz/found/$1
	build/fuzz/tests/fuzz/hunt_$1 -max_total_time=$$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096 build/fuzz/found/$1 tests/fuzz/corpus/$1
endef
FUZZ_SECONDS ?= 60
$(foreach n,$(FUZZ_NAMES),$(eval $(call FUZZ,$n)))

.PHONY: tests check check-unit check-asan check-system lint format help demo bench install clean
tests: all $(UNIT_BINS) $(FUZZ_REPLAY) $(HELPERS) $(PRELOADS) $(FAULT_RUN)

# The needed packages are looked for (and, by root on Debian, installed) before anything is built.
check: ; @mk/packages check && $(MAKE) --no-print-directory tests && tests/run $B
check-unit: $(UNIT_BINS) ; @tests/run $B unit
check-asan: ; @mk/packages check && $(MAKE) --no-print-directory MODE=asan tests && tests/run build/asan
demo: ; @mk/packages demo && $(MAKE) --no-print-directory all && tests/demo
bench: ; @mk/packages bench && $(MAKE) --no-print-directory all && tests/bench/run
lint: ; @tests/lint/run
format: ; clang-format -i $$(git ls-files '*.[ch]')
clean: ; rm -rf build

# ---- installation: the folders are those that main.cf's defaults name -----------------------
SBIN    := $(PREFIX)/sbin
BIN     := $(PREFIX)/bin
LIBEXEC := $(PREFIX)/libexec/postern
MAN     := $(PREFIX)/share/man
ETC     := $(if $(filter /usr,$(PREFIX)),,$(PREFIX))/etc/postfix
install: all
	@mk/install "$B" "$(DESTDIR)" "$(SBIN)" "$(BIN)" "$(LIBEXEC)" "$(MAN)" "$(ETC)"

help:
	@echo "make [MODE=release|debug|asan|fuzz]   build into build/MODE (release also as build/bin, build/libexec)"
	@echo "make check | check-asan | check-unit  tests; the last line is 'N passed, M failed'"
	@echo "make demo                             a private instance, real mail, then a clean stop"
	@echo "make bench                            side by side with Debian's Postfix"
	@echo "make fuzz-NAME                        hunt: $(FUZZ_NAMES)"
	@echo "make lint | format | install | clean"
