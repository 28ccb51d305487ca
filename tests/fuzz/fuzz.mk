# Fuzzing.
#
#   make fuzz-replay             every target over its corpus, with the ordinary compiler
#   make fuzz T=image [SECS=60]  libFuzzer (clang) with address and undefined behaviour sanitizers;
#                                new inputs go to build/fuzz/T, findings to build/fuzz/T-*

FUZZ_SRC    := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_NAMES  := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=%)
FUZZ_REPLAY := $(FUZZ_NAMES:%=$(O)/tests/fuzz/replay_%)
SECS        ?= 60

$(FUZZ_REPLAY): $(O)/tests/fuzz/replay_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/replay.o $(ARCHIVE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

fuzz-replay: $(FUZZ_REPLAY)
	$(Q)for t in $(FUZZ_NAMES); do echo "$$t: $$($(O)/tests/fuzz/replay_$$t tests/fuzz/corpus/$$t/*)" || exit 1; done

fuzz:
	@test -n "$(T)" || { echo "make fuzz T=TARGET, one of: $(FUZZ_NAMES)"; exit 2; }
	@mkdir -p $(O)/fuzz/$(T)
	clang -std=gnu11 -g -O1 -D_GNU_SOURCE -DPVK_VERSION='"fuzz"' -DPVK_SANITIZE=1 $(LIB_CFLAGS) \
	  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $(O)/fuzz/fuzz_$(T) \
	  tests/fuzz/fuzz_$(T).c $(filter-out src/cli/%,$(LIB_SRC)) $(LIB_LIBS)
	$(O)/fuzz/fuzz_$(T) -max_total_time=$(SECS) -artifact_prefix=$(O)/fuzz/$(T)- -rss_limit_mb=4096 \
	  $(O)/fuzz/$(T) tests/fuzz/corpus/$(T)

-include $(FUZZ_SRC:%.c=$(O)/%.d)
.PHONY: fuzz fuzz-replay
