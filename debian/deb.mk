# The Debian package.
#
#   make deb               build/deb/*.deb and the source package
#   make deb-check         lintian at its strictest, hardening, two builds with one checksum; slow
#   make check-debian      real upgrades in chroots: bookworm and trixie, about five minutes
#   make check-debian-full and bullseye, and failures of every kind in the midst; half an hour
#   make install-hooks     (for debian/rules) the hooks, always below /etc and /usr: only there do
#                          dpkg, apt and kernel packages look for them

DEB_DIR := $(abspath $(O))/deb

deb:
	$(Q)debian/build $(DEB_DIR)

deb-check: deb
	$(Q)debian/check $(DEB_DIR)

deb-lintian: deb
	$(Q)debian/check $(DEB_DIR) lintian

check-debian: deb $(O)/tests/tools/repack
	$(Q)tests/debian/run $(abspath $(O)) upgrades trixie

check-debian-full: deb $(O)/tests/tools/repack   # THOROUGH=1: every point of failure
	$(Q)tests/debian/run $(abspath $(O)) upgrades failures trixie bullseye

HOOK_PHASES := preinst postinst postrm

install-hooks:
	set -e; for phase in $(HOOK_PHASES); do \
	  $(INSTALL) -d $(DESTDIR)/etc/kernel/$$phase.d; \
	  $(INSTALL_PROGRAM) hooks/kernel-$$phase.d/05-pvkprep $(DESTDIR)/etc/kernel/$$phase.d/; \
	done
	$(INSTALL) -d $(DESTDIR)/etc/apt/apt.conf.d $(DESTDIR)/etc/update-motd.d \
	  $(DESTDIR)/usr/lib/kernel/install.d
	$(INSTALL_DATA) hooks/apt/05pvkprep $(DESTDIR)/etc/apt/apt.conf.d/
	$(INSTALL_PROGRAM) hooks/motd/92-pvkprep $(DESTDIR)/etc/update-motd.d/
	$(INSTALL_PROGRAM) hooks/kernel-install/25-pvkprep.install $(DESTDIR)/usr/lib/kernel/install.d/

.PHONY: deb deb-check deb-lintian check-debian check-debian-full install-hooks
