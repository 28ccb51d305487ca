# Fuzzing. tests/fuzz/fuzz_T.c is target T, tests/fuzz/corpus/T its inputs, tests/fuzz/T.dict its
# words (optional); every other C file there is what the targets share.
#
#   make fuzz-replay             every target over its corpus, with the ordinary compiler
#   make fuzz T=inspect [SECS=60]   libFuzzer (clang) with the sanitizers; new inputs go to
#                                build/fuzz/T, findings to build/fuzz/T-*
#   make fuzz-short              the same for every target, FUZZ_SHORT=20 seconds each
#   make fuzz-campaign SECS=1200 [JOBS=2]   every target until it has had so many processor seconds,
#                                over as many runs as it takes; a table of all that was ever run
#   make fuzz-merge T=inspect    adds to the corpus the fewest inputs of build/fuzz/T that reach what
#                                it does not
#   make fuzz-coverage           lines and branches of the parsers that the corpus reaches (llvm-cov)
#   make fuzz-seeds              the seeds that are cut from real files, anew (needs `make kernels`)

FUZZ_DIR    := tests/fuzz
FUZZ_SRC    := $(sort $(wildcard $(FUZZ_DIR)/fuzz_*.c))
FUZZ_NAMES  := $(FUZZ_SRC:$(FUZZ_DIR)/fuzz_%.c=%)
FUZZ_SHARED := $(filter-out $(FUZZ_SRC) $(FUZZ_DIR)/replay.c,$(wildcard $(FUZZ_DIR)/*.c))
FUZZ_REPLAY := $(FUZZ_NAMES:%=$(O)/$(FUZZ_DIR)/replay_%)
FUZZ_LIB    := $(O)/$(FUZZ_DIR)/libfuzz.a
SECS        ?= 60
FUZZ_SHORT  ?= 20
JOBS        ?= 1

# The targets in which this process plays the worker (noworker.c, or their own): ld --wrap puts it in
# place of the real one.
FUZZ_WRAP   := inspect answer check entries
fuzz_wrap    = $(if $(filter $(1),$(FUZZ_WRAP)),-Wl$(comma)--wrap=worker_run$(comma)-u$(comma)__wrap_worker_run)

$(FUZZ_LIB): $(FUZZ_SHARED:%.c=$(O)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZ_REPLAY): $(O)/$(FUZZ_DIR)/replay_%: $(O)/$(FUZZ_DIR)/fuzz_%.o $(O)/$(FUZZ_DIR)/replay.o \
		$(FUZZ_LIB) $(ARCHIVE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(call fuzz_wrap,$*) -o $@ $^ $(ALL_LIBS)

fuzz-replay: $(FUZZ_REPLAY)
	$(Q)for t in $(FUZZ_NAMES); do \
	  printf '%s: ' $$t; \
	  TMPDIR=$(FUZZ_TMP) $(O)/$(FUZZ_DIR)/replay_$$t $(FUZZ_DIR)/corpus/$$t/* || exit 1; done

# --- with clang: once for fuzzing, once for coverage; objects of their own ---
FUZZ_CC       ?= clang
# Of "integer" without what narrows: that is what -Wconversion is for.
FUZZ_SANITIZE := address,undefined,unsigned-integer-overflow,unsigned-shift-base
FUZZ_CFLAGS   := -std=gnu11 -g -O1 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-DPVK_VERSION='"fuzz"' -DPVK_SANITIZE=1 $(LIB_CFLAGS)
FUZZ_FLAGS_fuzz := -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -fno-sanitize-recover=all \
	-fsanitize-ignorelist=$(FUZZ_DIR)/wraps.txt -DGRUB_STEPS_MAX=2000
FUZZ_FLAGS_cov  := -fprofile-instr-generate -fcoverage-mapping
FUZZ_PARTS      := $(filter-out src/cli/%,$(LIB_SRC)) $(FUZZ_SHARED)

$(O)/fuzz/obj-fuzz/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,FUZZ-CC,$<)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FLAGS_fuzz) -MMD -MP -c -o $@ $<

$(O)/fuzz/obj-cov/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,COV-CC,$<)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FLAGS_cov) -MMD -MP -c -o $@ $<

$(O)/fuzz/parts-fuzz.a: $(FUZZ_PARTS:%.c=$(O)/fuzz/obj-fuzz/%.o)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(O)/fuzz/parts-cov.a: $(FUZZ_PARTS:%.c=$(O)/fuzz/obj-cov/%.o)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZ_NAMES:%=$(O)/fuzz/fuzz_%): $(O)/fuzz/fuzz_%: $(O)/fuzz/obj-fuzz/$(FUZZ_DIR)/fuzz_%.o $(O)/fuzz/parts-fuzz.a
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,$(FUZZ_SANITIZE) $(call fuzz_wrap,$*) -o $@ $^ $(LIB_LIBS)

$(FUZZ_NAMES:%=$(O)/fuzz/cov_%): $(O)/fuzz/cov_%: $(O)/fuzz/obj-cov/$(FUZZ_DIR)/fuzz_%.o \
		$(O)/fuzz/obj-cov/$(FUZZ_DIR)/replay.o $(O)/fuzz/parts-cov.a
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS_cov) $(call fuzz_wrap,$*) -o $@ $^ $(LIB_LIBS)

# What an input may cost: seconds, and MiB.
FUZZ_LIMITS := -timeout=10 -rss_limit_mb=2048
FUZZ_RUN = $(FUZZ_LIMITS) -artifact_prefix=$(O)/fuzz/$(1)- \
	$(addprefix -dict=,$(wildcard $(FUZZ_DIR)/$(1).dict))
FUZZ_TMP := $(firstword $(wildcard /dev/shm) /tmp)

ifneq ($(T),)
fuzz: $(O)/fuzz/fuzz_$(T)
	@mkdir -p $(O)/fuzz/$(T)
	TMPDIR=$(FUZZ_TMP) $(O)/fuzz/fuzz_$(T) -max_total_time=$(SECS) -print_final_stats=1 $(call FUZZ_RUN,$(T)) \
	  $(O)/fuzz/$(T) $(FUZZ_DIR)/corpus/$(T)

fuzz-merge: $(O)/fuzz/fuzz_$(T)
	@mkdir -p $(O)/fuzz/$(T)
	TMPDIR=$(FUZZ_TMP) $(O)/fuzz/fuzz_$(T) -set_cover_merge=1 -use_counters=0 $(call FUZZ_RUN,$(T)) \
	  $(FUZZ_DIR)/corpus/$(T) $(O)/fuzz/$(T)
else
fuzz fuzz-merge:
	@echo "make $@ T=TARGET, one of: $(FUZZ_NAMES)"; exit 2
endif

# A finding ends libFuzzer with an error; what it says is its last lines.
fuzz-short: $(FUZZ_NAMES:%=$(O)/fuzz/fuzz_%)
	$(Q)for t in $(FUZZ_NAMES); do \
	  $(MAKE) -s fuzz O=$(O) T=$$t SECS=$(FUZZ_SHORT) >$(O)/fuzz/$$t.log 2>&1 || { tail -n 40 $(O)/fuzz/$$t.log; exit 1; }; \
	  awk -v t=$$t '/number_of_executed_units/ { n = $$2 } / cov: / { c = $$4 } \
	    END { print t ": " n " executions, " c " edges, no finding" }' $(O)/fuzz/$$t.log; done

# Every target SECS processor seconds in all, however many runs that takes; SECS=0 prints the table.
fuzz-campaign: $(FUZZ_NAMES:%=$(O)/fuzz/fuzz_%)
	$(Q)TMPDIR=$(FUZZ_TMP) $(FUZZ_DIR)/campaign --secs $(SECS) --jobs $(JOBS) --dir $(O)/fuzz \
	  --corpus $(FUZZ_DIR)/corpus --dicts $(FUZZ_DIR) --limits "$(FUZZ_LIMITS)" $(FUZZ_NAMES)

# The parsers: everything that a target is about. What only the running system can reach is not.
FUZZ_PARSERS = src/base/udiff.c src/formats/*.c src/bootcfg/*.c src/policy/boot[cfimpw]*.c \
	src/policy/config.c src/policy/entries_facts.c src/policy/entries_scan.c src/policy/guestfs.c \
	src/policy/jobs.c src/policy/record.c src/system/divert.c src/system/dpkgdb.c \
	src/system/mounts_tree.c

fuzz-coverage: $(FUZZ_NAMES:%=$(O)/fuzz/cov_%)
	$(Q)rm -f $(O)/fuzz/*.profraw
	$(Q)for t in $(FUZZ_NAMES); do LLVM_PROFILE_FILE=$(O)/fuzz/$$t.profraw TMPDIR=$(FUZZ_TMP) \
	  $(O)/fuzz/cov_$$t $(FUZZ_DIR)/corpus/$$t/* >/dev/null || exit 1; done
	$(Q)llvm-profdata merge -sparse -o $(O)/fuzz/all.profdata $(O)/fuzz/*.profraw
	$(Q)llvm-cov report -instr-profile=$(O)/fuzz/all.profdata \
	  $(firstword $(FUZZ_NAMES:%=$(O)/fuzz/cov_%)) \
	  $(patsubst %,-object %,$(wordlist 2,99,$(FUZZ_NAMES:%=$(O)/fuzz/cov_%))) $(FUZZ_PARSERS) | \
	  awk 'NF >= 13 && ($$1 ~ /\.c$$/ || $$1 == "TOTAL") { \
	    printf "%-36s lines %8s  branches %8s\n", $$1, $$10, $$13 }'

fuzz-seeds: kernels mini
	$(FUZZ_DIR)/make-seeds $(KERNELS) $(MINI) $(FUZZ_DIR)/corpus

-include $(FUZZ_SRC:%.c=$(O)/%.d) $(FUZZ_SHARED:%.c=$(O)/%.d)
-include $(patsubst %.c,$(O)/fuzz/obj-fuzz/%.d,$(FUZZ_PARTS) $(FUZZ_SRC))
-include $(patsubst %.c,$(O)/fuzz/obj-cov/%.d,$(FUZZ_PARTS) $(FUZZ_SRC) $(FUZZ_DIR)/replay.c)
.PHONY: fuzz fuzz-replay fuzz-short fuzz-campaign fuzz-merge fuzz-coverage fuzz-seeds
