# Real Xen: guests booted by real loaders under QEMU, beside what --check said. See tests/xen/README.md.
#
#   make check-xen          the promise, about five minutes
#   make check-xen-full     the whole matrix, an hour
#   make check-xen-story    a Debian guest that upgrades itself, again with a full /boot; as root
#   make check-pygrub       Xen's pygrub on the configurations' disk images; no Xen needed
#   make check-xen XEN='--only lz4'   some guests; all options: tests/xen/run --help

XEN_BUILD := $(abspath $(O))/xen

xen-parts:
	$(Q)tests/xen/fetch $(XEN_BUILD)/packages
	$(Q)tests/xen/build $(XEN_BUILD)

check-xen: $(PROGRAM) xen-parts
	$(Q)PVKPREP=$(abspath $(PROGRAM)) tests/xen/run quick --build $(XEN_BUILD) $(XEN)

check-xen-full: $(PROGRAM) xen-parts
	$(Q)PVKPREP=$(abspath $(PROGRAM)) tests/xen/run full --build $(XEN_BUILD) $(XEN)

check-xen-story: $(PROGRAM) deb $(O)/tests/tools/repack xen-parts
	$(Q)tests/xen/story/build $(abspath $(O))
	$(Q)tests/xen/story/run --build $(XEN_BUILD) $(XEN)

check-pygrub: $(PROGRAM) xen-parts
	$(Q)PVKPREP=$(abspath $(PROGRAM)) tests/xen/pygrub --build $(XEN_BUILD) $(XEN)

.PHONY: xen-parts check-xen check-xen-full check-xen-story check-pygrub
