# Tests that hurt: faults at every system call, power cuts, hostile trees, many runs at once.
#
#   make torture-faults     every system call, every allocation; FAULTS='--every 4' for a part
#   make torture-powercut   power cuts on ext4, xfs and btrfs; POWERCUT='--subsets 8' for more
#   make torture-parallel   fifty runs at a time for a minute
#   make torture-races      names that are swapped while it runs
#   make check-faults       a sample of the faults, for ./test (TAP)
#   make check-parallel     five seconds of it, for ./test (TAP)

TORTURE_DIR := tests/torture
TORTURE_LIB := $(abspath $(O))/tests/torture/failmalloc.so
FAULTS_EVERY ?= 127
# Where nothing has to reach a disk, if there is such a place: the runs are many.
TORTURE_MEM := $(if $(wildcard /dev/shm/.),/dev/shm/pvkprep-torture.$(shell id -u),$(abspath $(O))/tmp/torture)

$(O)/tests/torture/faults: $(addprefix $(O)/tests/torture/,faults.o scenario.o tracer.o tree.o world.o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lseccomp

$(TORTURE_LIB): $(TORTURE_DIR)/failmalloc.c $(TORTURE_DIR)/failmalloc.h
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fPIC -shared -o $@ $<

$(O)/tests/torture/blocklog: $(TORTURE_DIR)/blocklog.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(call pkg,--cflags,fuse3) $(ALL_LDFLAGS) -o $@ $< \
	  $(call pkg,--libs,fuse3)

# The small kernel once more, with another payload: what an upgrade brings.
$(MINI)/vmlinuz.zstd: $(MINI)/vmlinuz $(O)/tests/tools/repack
	$(Q)zstd -q -19 -f $(MINI)/vmlinux -o $@.stream
	$(Q)$(O)/tests/tools/repack replace $< $@.stream $@ $$(stat -c %s $(MINI)/vmlinux)
	$(Q)rm $@.stream

torture-build: $(PROGRAM) $(O)/tests/torture/faults $(TORTURE_LIB) $(MINI)/vmlinuz.zstd

# scratch NAME COMMAND: with an empty directory, which is gone afterwards.
scratch = rm -rf $(TORTURE_MEM).$(1) && mkdir -p $(TORTURE_MEM).$(1) && { $(2); }; status=$$?; \
	rm -rf $(TORTURE_MEM).$(1); exit $$status
faults_in = $(abspath $(PROGRAM)) $(TORTURE_MEM).$(1) $(MINI)/vmlinuz $(MINI)/vmlinuz.zstd $(TORTURE_LIB)

# On tmpfs everything; on xfs, which has to be frozen, and on ext4 what their own calls add; and a
# part with a real kernel.
torture-faults: torture-build kernels
	$(Q)$(call scratch,faults,$(O)/tests/torture/faults $(FAULTS) $(call faults_in,faults))
	$(Q)for fs in xfs ext4; do for run in prepare restore; do \
	  echo "# on $$fs" && ($(call scratch,disk,$(TORTURE_DIR)/on-disk $$fs $(TORTURE_MEM).disk \
	    $(O)/tests/torture/faults $(FAULTS) --only $$run $(call faults_in,disk))) || exit 1; \
	done; done
	$(Q)echo "# Debian's LZ4 kernel" && lz4=$$(readlink -f $(KERNELS)/lz4) && \
	  $(call scratch,real,$(O)/tests/torture/faults --every 151 --only prepare $(abspath $(PROGRAM)) \
	  $(TORTURE_MEM).real $$lz4 $$lz4 $(TORTURE_LIB))

# Mounted in a namespace of its own: in a copy that somebody else makes of this one an xfs would stay
# mounted, and none with its UUID could be.
powercut_of = $(call scratch,power,unshare --mount --propagation private $(TORTURE_DIR)/powercut $(3) $(POWERCUT) $(abspath $(PROGRAM)) \
	  $(abspath $(O))/tests/torture/blocklog $(1) $(2) $(TORTURE_MEM).power)

# A small kernel everywhere; Debian's, an upgrade from LZ4 to zstd, at every 16th of the writes that
# are nothing but file data.
torture-powercut: torture-build $(O)/tests/torture/blocklog kernels
	$(Q)($(call powercut_of,$(MINI)/vmlinuz,$(MINI)/vmlinuz.zstd))
	$(Q)echo "# Debian's kernels" && ($(call powercut_of,$(KERNELS)/lz4,$(KERNELS)/zstd,--every 16 \
	  --layout root --scenario upgrade))

torture-parallel: torture-build
	$(Q)$(call scratch,parallel,$(TORTURE_DIR)/parallel $(PARALLEL) $(abspath $(PROGRAM)) $(MINI) \
	  $(TORTURE_MEM).parallel)

# The races of tests/e2e/paths.bats, for longer.
torture-races: $(PROGRAM) test-tools payloads mini
	@mkdir -p $(O)/tmp
	$(Q)$(TEST_ENV) RACE_ROUNDS=2000 bats --tap -f races tests/e2e/paths.bats

check-faults: torture-build
	$(Q)$(call scratch,sample,$(O)/tests/torture/faults --every $(FAULTS_EVERY) $(call faults_in,sample))

check-parallel: torture-build
	$(Q)$(call scratch,short,$(TORTURE_DIR)/parallel --seconds 5 $(abspath $(PROGRAM)) $(MINI) \
	  $(TORTURE_MEM).short)

TORTURE_TARGETS += torture-faults torture-powercut torture-parallel torture-races

-include $(addprefix $(O)/tests/torture/,$(addsuffix .d,faults scenario tracer tree world))
.PHONY: torture-build torture-faults torture-powercut torture-parallel torture-races check-faults check-parallel
