# Postern. One Makefile, one build folder per mode: make [MODE=release|debug|asan|fuzz].
# A folder with a main.c is a daemon; commands/NAME.c or commands/NAME/ is a command.
# `make help` lists the targets.

MODE    ?= release
CC      ?= cc
PREFIX  ?= /usr
DESTDIR ?=
B       := build/$(MODE)
include mk/$(MODE).mk

DAEMONS   := $(patsubst %/main.c,%,$(wildcard */main.c))
COMMANDS  := $(patsubst commands/%.c,%,$(wildcard commands/*.c)) \
             $(patsubst commands/%/main.c,%,$(wildcard commands/*/main.c))

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wcast-qual -Wimplicit-fallthrough
CFLAGS   := -std=c11 $(WARNINGS) $(WERROR) -fno-common -fstack-protector-strong -fPIE $(MODE_CFLAGS)
CPPFLAGS := -I. -D_GNU_SOURCE
LDFLAGS  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(MODE_LDFLAGS)
LIBS     := -llmdb -lpcre2-8 -lresolv -lssl -lcrypto -lidn2 -lcrypt -lm

LIB_SRC  := $(wildcard lib/*/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$B/%.o)

.PHONY: all
all: $(DAEMONS:%=$B/libexec/%) $(COMMANDS:%=$B/bin/%) links

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# OpenSSL is loaded when first called: lib/tls/lazy.c.
$B/lib/tls/lazy_entries.o: mk/lazy-openssl $(patsubst %.c,$B/%.o,$(wildcard lib/tls/*.c))
	CC="$(CC)" mk/lazy-openssl $(@:.o=.S) $(filter %.o,$^)
	$(CC) -c -o $@ $(@:.o=.S)

$B/lib.a: $(LIB_OBJ) $B/lib/tls/lazy_entries.o
	@rm -f $@
	$(AR) rcs $@ $^

# A program folder's modules, without main.c, are an archive, so that tests link them.
define ARCHIVE
$B/$1.a: $(patsubst %.c,$B/%.o,$(filter-out $1/main.c,$(wildcard $1/*.c)))
	@mkdir -p $$(@D) && rm -f $$@
	$$(AR) rcs $$@ $$^
endef

define DAEMON
$B/libexec/$1: $B/$1/main.o $B/$1.a $B/lib.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef

# postconf knows the parameter tables of all daemons.
postconf_ARCHIVES := $(DAEMONS:%=$B/%.a)
define COMMAND
$B/bin/$1: $(if $(wildcard commands/$1/main.c),$B/commands/$1/main.o $B/commands/$1.a,$B/commands/$1.o) $$($1_ARCHIVES) $B/lib.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef

$(foreach p,$(DAEMONS),$(eval $(call ARCHIVE,$p)))
$(foreach p,$(DAEMONS),$(eval $(call DAEMON,$p)))
$(foreach p,$(patsubst commands/%/main.c,%,$(wildcard commands/*/main.c)),$(eval $(call ARCHIVE,commands/$p)))
$(foreach p,$(COMMANDS),$(eval $(call COMMAND,$p)))

# The build runs in place: build/bin and build/libexec are the release mode's.
.PHONY: links
links: $(DAEMONS:%=$B/libexec/%) $(COMMANDS:%=$B/bin/%)
	@mk/links $B

-include mk/targets.mk
-include $(shell test -d $B && find $B -name '*.d')
