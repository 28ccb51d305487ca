# Boot configurations, ours against GRUB's own: see README.md here.

BOOTCFG_EVAL := $(O)/tests/bootcfg/eval

$(BOOTCFG_EVAL): $(O)/tests/bootcfg/eval.o $(ARCHIVE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

check-grub-grammar: $(BOOTCFG_EVAL)
	$(Q)python3 tests/bootcfg/oracle.py --eval $(BOOTCFG_EVAL) --script-check

check-bootcfg: $(BOOTCFG_EVAL)
	$(Q)python3 tests/bootcfg/oracle.py --eval $(BOOTCFG_EVAL) --grub --jobs 2

-include $(O)/tests/bootcfg/eval.d
.PHONY: check-bootcfg check-grub-grammar
