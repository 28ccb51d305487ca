# Makefile of pvkprep.
#
#   make                    build build/pvkprep
#   make check              unit tests (cmocka)
#   make V=1                show the commands
#   make WERROR=1           warnings are errors (CI, developers)
#   make SANITIZE=1         address and undefined behaviour sanitizers; use with O=build/sanitize
#   make install DESTDIR=…  GNU directory variables: prefix sbindir sysconfdir mandir datadir
#   make uninstall          the same variables again; an edited configuration stays
#   make dist               build/pvkprep-VERSION.tar.gz of the last commit
#   make check-docs         documents, man pages, completion, schemas against program and source
#   make check-install      installs into an empty directory and uninstalls again
#
# CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are the user's and come last on the line, so they win.

VERSION := 0.1.0

prefix      ?= /usr/local
exec_prefix ?= $(prefix)
sbindir     ?= $(exec_prefix)/sbin
datarootdir ?= $(prefix)/share
datadir     ?= $(datarootdir)
mandir      ?= $(datarootdir)/man
docdir      ?= $(datarootdir)/doc/pvkprep
# Always /etc, whatever the prefix: the program reads /etc/pvkprep.conf of the tree that it works on.
sysconfdir  ?= /etc
bashcompdir ?= $(datadir)/bash-completion/completions
schemadir   ?= $(datadir)/pvkprep/schema

INSTALL         ?= install
INSTALL_PROGRAM ?= $(INSTALL) -m 0755
INSTALL_DATA    ?= $(INSTALL) -m 0644
PKG_CONFIG      ?= pkg-config
CFLAGS          ?= -O2 -g

O ?= build
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(Q),@printf '  %-7s %s\n' $(1) $(2))

LIBS := libelf liblzma liblz4 zlib libzstd bzip2 lzo2 libseccomp json-c inih libmd libxxhash libdeflate mount blkid
# bzip2 and lzo2 have no .pc file in some releases: name the library where pkg-config cannot.
lib_flag_bzip2 := -lbz2
lib_flag_lzo2  := -llzo2
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null || echo "$(if $(filter --libs,$(1)),$(or $(lib_flag_$(2)),-l$(patsubst lib%,%,$(2))))")

LIB_CFLAGS := $(foreach l,$(LIBS),$(call pkg,--cflags,$(l)))
LIB_LIBS   := $(foreach l,$(LIBS),$(call pkg,--libs,$(l)))

WARNINGS := -Wall -Wextra -Wshadow -Wformat=2 -Wundef -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough -Wconversion \
	$(if $(filter 1,$(WERROR)),-Werror)

# -D_FORTIFY_SOURCE only where the user's flags do not choose one.
FORTIFY := $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
HARDEN  := -fstack-protector-strong -fno-strict-aliasing -fPIE \
	$(shell for f in -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero; do \
	  echo 'int x;' | $(CC) $$f -Werror -c -x c -o /dev/null - 2>/dev/null && echo $$f; done)
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed

ifeq ($(SANITIZE),1)
SANITIZE_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -DPVK_SANITIZE=1
FORTIFY :=
endif

ALL_CPPFLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -DPVK_VERSION='"$(VERSION)"' $(FORTIFY) $(LIB_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   := -std=gnu11 $(WARNINGS) $(HARDEN) $(SANITIZE_FLAGS) $(CFLAGS)
ALL_LDFLAGS  := $(HARDEN_LD) $(SANITIZE_FLAGS) $(LDFLAGS)
ALL_LIBS     := $(LIB_LIBS) $(LDLIBS)

# --- the program: everything but main.c is an archive, which the tests link too ---
SRC      := $(sort $(wildcard src/*/*.c))
LIB_SRC  := $(filter-out src/cli/main.c,$(SRC))
LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o)
PROGRAM  := $(O)/pvkprep
ARCHIVE  := $(O)/libpvkprep.a

all: $(PROGRAM)

$(PROGRAM): $(O)/src/cli/main.o $(ARCHIVE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(ARCHIVE): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.o: %.c $(O)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Rewritten only when the flags change, so that changed flags rebuild everything.
$(O)/flags: FORCE
	@mkdir -p $(O)
	@echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' > $@

# --- unit tests: tests/unit/test_*.c, one program each, linked with the archive ---
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN  := $(UNIT_SRC:%.c=$(O)/%)
UNIT_HELP := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
UNIT_LIB  := $(O)/tests/unit/libunit.a

$(UNIT_LIB): $(UNIT_HELP:%.c=$(O)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The C library's functions that a test replaces, to make them fail on demand (ld --wrap); those
# with 64 are the names that _FILE_OFFSET_BITS=64 gives them on machines of 64 bits.
comma := ,
$(O)/tests/unit/test_outfile: private WRAP := openat openat64 fallocate fallocate64 \
	posix_fallocate posix_fallocate64 mmap mmap64 fchown fchmod fsetxattr fsync close renameat getrandom
$(O)/tests/unit/test_apply: private WRAP := fallocate fallocate64 linkat renameat fsync fork
$(O)/tests/unit/test_stash: private WRAP := linkat renameat fsync
$(O)/tests/unit/test_disk: private WRAP := fstatvfs fstatvfs64
$(O)/tests/unit/test_jobs: private WRAP := worker_run
$(O)/tests/unit/test_withhold: private WRAP := fork
$(O)/tests/unit/test_unfiltered: private WRAP := prctl seccomp_load setresuid setrlimit setrlimit64

$(UNIT_BIN): $(O)/%: $(O)/%.o $(UNIT_LIB) $(ARCHIVE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(WRAP)) -o $@ $^ \
	  $(ALL_LIBS) -lcmocka

unit-tests: $(UNIT_BIN)

check: unit-tests
	$(Q)scripts/run-unit-tests $(UNIT_BIN)

# --- installation ---
DOCS := README.md SECURITY.md NEWS.md

install: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(mandir)/man5 \
	  $(DESTDIR)$(bashcompdir) $(DESTDIR)$(schemadir) $(DESTDIR)$(docdir) $(DESTDIR)$(sysconfdir)
	$(INSTALL_PROGRAM) $(PROGRAM) $(DESTDIR)$(sbindir)/pvkprep
	$(INSTALL_DATA) man/pvkprep.8 $(DESTDIR)$(mandir)/man8/
	$(INSTALL_DATA) man/pvkprep.conf.5 $(DESTDIR)$(mandir)/man5/
	$(INSTALL_DATA) completion/bash/pvkprep $(DESTDIR)$(bashcompdir)/
	$(INSTALL_DATA) schema/inspect.json schema/check.json schema/kernels.json $(DESTDIR)$(schemadir)/
	$(INSTALL_DATA) $(DOCS) $(DESTDIR)$(docdir)/
	@if [ -e $(DESTDIR)$(sysconfdir)/pvkprep.conf ]; then \
	  echo '$(sysconfdir)/pvkprep.conf is there already and stays as it is'; \
	else set -x; $(INSTALL_DATA) etc/pvkprep.conf $(DESTDIR)$(sysconfdir)/; fi

# Prepared kernels stay: a guest that boots must go on booting.
uninstall:
	rm -f $(DESTDIR)$(sbindir)/pvkprep $(DESTDIR)$(mandir)/man8/pvkprep.8 \
	  $(DESTDIR)$(mandir)/man5/pvkprep.conf.5 $(DESTDIR)$(bashcompdir)/pvkprep \
	  $(addprefix $(DESTDIR)$(schemadir)/,inspect.json check.json kernels.json) \
	  $(addprefix $(DESTDIR)$(docdir)/,$(DOCS))
	-rmdir $(DESTDIR)$(schemadir) $(DESTDIR)$(datadir)/pvkprep $(DESTDIR)$(docdir) 2>/dev/null || true
	@if cmp -s etc/pvkprep.conf $(DESTDIR)$(sysconfdir)/pvkprep.conf; then \
	  set -x; rm -f $(DESTDIR)$(sysconfdir)/pvkprep.conf; \
	elif [ -e $(DESTDIR)$(sysconfdir)/pvkprep.conf ]; then \
	  echo '$(sysconfdir)/pvkprep.conf was edited and stays'; fi

dist:
	@mkdir -p $(O)
	git archive --prefix=pvkprep-$(VERSION)/ HEAD | gzip -n9 > $(O)/pvkprep-$(VERSION).tar.gz

check-install: all
	$(Q)tests/check-install.sh $(abspath $(O))

check-docs: all
	$(Q)PVKPREP=$(abspath $(PROGRAM)) PVK_KERNELS=$(abspath $(O))/kernels tests/check-docs.sh

include tests/tests.mk tests/fuzz/fuzz.mk tests/bootcfg/bootcfg.mk debian/deb.mk

clean:
	rm -rf $(O)

FORCE:
.PHONY: all check unit-tests clean install uninstall dist check-install check-docs FORCE
.DELETE_ON_ERROR:
-include $(patsubst %.c,$(O)/%.d,$(SRC) $(UNIT_SRC) $(UNIT_HELP))
