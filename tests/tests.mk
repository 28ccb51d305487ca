# Everything around the program: end-to-end tests, fixtures, benchmark, checks of the tree.
#
#   make e2e [E2E=files]    end-to-end tests (bats) on Debian's kernels and on small made ones
#   make bench [RUNS=7]     the benchmark, one table
#   make peers              what other tools get wrong, and what pvkprep does, one table
#   make update-golden      rewrites tests/e2e/expected from what the program says now
#   make kernels payloads mini test-tools   what those need, one by one
#   make check-layers lint spelling

KERNELS  := $(abspath $(O))/kernels
PAYLOADS := $(KERNELS)/payloads
MINI     := $(abspath $(O))/tests/mini
E2E      ?= tests/e2e

TOOL_SRC := $(sort $(wildcard tests/tools/*.c tests/bench/*.c))
TOOL_BIN := $(TOOL_SRC:%.c=$(O)/%)
TOOL_LIB := $(foreach l,liblzma liblz4 libzstd,$(call pkg,--libs,$(l)))

$(TOOL_BIN): $(O)/%: $(O)/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(TOOL_LIB)

test-tools: $(TOOL_BIN)

kernels:
	$(Q)scripts/fetch-kernels $(KERNELS)

payloads: kernels $(O)/tests/tools/repack
	$(Q)scripts/make-payloads $(KERNELS) $(PAYLOADS) $(O)/tests/tools/repack

$(MINI)/vmlinuz: $(wildcard tests/fixtures/bzimage/*)
	$(call say,FIXTURE,$(@D))
	$(Q)tests/fixtures/bzimage/build.sh $(@D)

mini: $(MINI)/vmlinuz

# What the tests are told, by environment: they know no path of their own.
TEST_ENV = PVKPREP=$(abspath $(PROGRAM)) PVK_KERNELS=$(KERNELS) PVK_PAYLOADS=$(PAYLOADS) \
	PVK_MINI=$(MINI) PVK_TOOLS=$(abspath $(O))/tests/tools PVK_BENCH=$(abspath $(O))/tests/bench \
	PVK_SOURCE=$(CURDIR) TMPDIR=$(abspath $(O))/tmp
ifeq ($(SANITIZE),1)
# Leaks are looked for in the unit tests: the search does not work under strace, and the tools leak.
TEST_ENV += ASAN_OPTIONS=detect_leaks=0
# Not under sanitizers: what takes memory from the run, or looks at what is loaded before it.
E2E_FLAGS := --filter-tags '!unwatched'
endif

e2e: $(PROGRAM) test-tools payloads mini
	@mkdir -p $(O)/tmp
	$(Q)$(TEST_ENV) bats --tap $(E2E_FLAGS) $(E2E)

# What other tools get wrong, one line each, with pvkprep's result.
peers:
	$(Q)tests/e2e/peers-table $(MAKE) -s e2e O=$(O) E2E=tests/e2e/peers.bats

update-golden: $(PROGRAM) test-tools payloads mini
	@mkdir -p $(O)/tmp
	$(Q)$(TEST_ENV) UPDATE_GOLDEN=1 bats --tap tests/e2e/inspect.bats tests/e2e/usage.bats

bench: $(PROGRAM) test-tools kernels
	@mkdir -p $(O)/tmp
	$(Q)$(TEST_ENV) tests/bench/bench $(RUNS)

check-layers:
	$(Q)tests/check-layers.sh

# Words that codespell takes for others: a macro of mdoc(7), a partition table, a word cut on purpose.
CODESPELL_FLAGS ?= -L nd,msdos,bloc

# Shell scripts are known by their first line. SC2187: busybox is checked as dash; SC2016: text with
# dollars in it is often meant so (grub.cfg, awk).
lint:
	$(Q)git ls-files -co --exclude-standard | while read -r f; do \
	  head -c 64 "$$f" 2>/dev/null | head -n 1 | grep -qaE '^#!.*(/| )(sh|bash|bats)$$' && echo "$$f"; done | \
	  grep -v '\.bats$$' | xargs -r shellcheck -x -e SC2187,SC2016
	$(Q)shellcheck -x -s bats -e SC2154,SC2030,SC2031,SC2016 tests/e2e/*.bats # what bats itself sets
	$(Q)shellcheck -x -s bash tests/e2e/lib.bash

spelling:
	$(Q)git ls-files -co --exclude-standard | grep -vE '^COPYING$$|^tests/fuzz/corpus/|^tests/bootcfg/cases/real-' | \
	  xargs codespell $(CODESPELL_FLAGS)

-include $(TOOL_SRC:%.c=$(O)/%.d)
.PHONY: test-tools kernels payloads mini e2e peers update-golden bench check-layers lint spelling
-include tests/xen/xen.mk tests/native/native.mk
-include tests/mutate/mutate.mk
-include tests/analysis/analysis.mk tests/torture/torture.mk
