# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154,SC2016 # variables of lib.bash; formats of dpkg-query
#
# A life of a bookworm guest: every way in which a kernel comes, changes and goes. After each step
# the whole state is looked at (all_is_well).

is_elf() { [ "$(magic "$ROOT/boot/vmlinuz-$1")" = 7f454c46 ] || { echo "$1 is no ELF"; return 1; }; }
is_diverted() { grep -q "vmlinuz-$1 to /boot/pvkprep/packaged-$1 by pvkprep" <<<"$(inside dpkg-divert --list)"; }
packaged_is() { [ "$(magic_of_payload "$1")" = "$2" ] || { echo "packaged-$1 is $(magic_of_payload "$1")"; return 1; }; }
magic_of_payload() { inside pvkprep --inspect --json "/boot/pvkprep/packaged-$1" | jq -r '.[0].payload'; }
said() { grep -q -- "$1" "$LOG" || { echo "not said: $1"; tail -n 40 "$LOG"; return 1; }; }
did_not_say() { ! grep -- "$1" "$LOG"; }

# step NAME COMMAND…: a run of the package manager; its output is the LOG of the checks after it.
step() {
	local name=$1
	shift
	LOG=$WORK/log.$((number + 1))
	result "$name" logged "$@"
}
logged() {
	"$@" >"$LOG" 2>&1 || {
		tail -n 30 "$LOG"
		return 1
	}
}

# readme_shows LOG FIRST: README.md has a block, four blanks in front, whose first line begins so; all
# its lines are in LOG, but for the numbers. `cat LOG` reprints it.
readme_shows() {
	local log=$1 first=$2 line numbers='s/[0-9]+([.][0-9]+)*/N/g' lines=0
	while IFS= read -r line; do
		lines=$((lines + 1))
		sed -E "$numbers" "$log" | grep -qxF -- "$(sed -E "$numbers" <<<"${line#    }")" ||
			{ echo "README has, $log has not: $line"; return 1; }
	done < <(awk -v first="    $first" 'index($0, first) == 1 { on = 1 } on && !/^    ./ { exit } on' "$HERE/../../README.md")
	[ "$lines" -gt 2 ] || { echo "README has no block that begins with $first"; return 1; }
}

upgrade_setup() {
	local abi=$LITE repo=$CACHE/repo
	mkdir -p "$repo"
	rm -f "$repo"/*.deb
	make_kernel "$abi" 6.1.900-1 "$(repacked lz4)" "$repo"
	make_kernel "$abi" 6.1.900-2 "$(repacked zstd)" "$repo"
	make_kernel "$abi" 6.1.900-3 "$(repacked gzip)" "$repo"
	make_kernel "$abi" 6.1.900-4 "$(repacked xz)" "$repo"
	make_kernel "$abi" 6.1.900-5 "$(repacked lz4)" "$repo"
	make_kernel "$abi" 6.1.900-6 "$(repacked zstd)" "$repo"
	make_kernel "$abi" 6.1.900-7 "$(repacked broken)" "$repo"
	make_kernel "$abi" 6.1.900-8 "$(repacked lz4)" "$repo"
	make_kernel "$LITE2" 6.1.901-1 "$(repacked broken)" "$repo"
	make_kernel "$LITE2" 6.1.901-2 "$(repacked zstd)" "$repo"
}

LITE=6.1.0-900-cloud-amd64 LITE2=6.1.0-901-cloud-amd64
DEB=
lite() { echo "$CACHE/repo/linux-image-${2:-$LITE}_6.1.$1_amd64.deb"; }

copy_in() { cp "$@" "$ROOT/root/" && inside true; }
dpkg_i() {
	cp "$1" "$ROOT/root/k.deb"
	inside eatmydata dpkg -i /root/k.deb
}

configure_pvkprep() { printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"; }

# The same package with a higher version, for the upgrade of pvkprep itself.
next_pvkprep() {
	local tree=$CACHE/next
	rm -rf "$tree"
	dpkg-deb -R "$DEB" "$tree"
	sed -i 's/^Version:.*/Version: 99/' "$tree/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone -b "$tree" "$CACHE/pvkprep-next.deb" >/dev/null
	rm -rf "$tree"
}

# A kernel package whose scripts know nothing of hooks.
without_hooks() {
	local tree=$CACHE/hookless
	rm -rf "$tree"
	dpkg-deb -R "$1" "$tree"
	rm -f "$tree"/DEBIAN/{preinst,postinst,prerm,postrm}
	dpkg-deb --root-owner-group -Znone -b "$tree" "$2" >/dev/null
	rm -rf "$tree"
}

upgrade_tests() {
	local old new
	old=$(kernel_abi lz4) new=$(kernel_abi new)
	upgrade_setup
	next_pvkprep
	without_hooks "$(lite 900-2)" "$CACHE/hookless-2.deb"
	open_chroot bookworm "$CACHE/bookworm.tar"
	configure_pvkprep

	step "off PV the package is installed and changes nothing" off_pv
	step "a kernel of the archive is installed before pvkprep" install_first "$CACHE/kernels/lz4.deb"
	step "pvkprep is installed" apt -o Dpkg::Options::=--force-confold install /repo/pvkprep.deb
	result "... the kernel that was there is prepared" is_elf "$old"
	result "... and its original diverted" is_diverted "$old"
	result "... with a line of what was done" said "$old: lz4 kernel of .* unpacked to .* and checked in"
	result "... and all is well" all_is_well

	step "a new kernel of the archive: apt install" apt install /repo/new.deb
	result "... is prepared" is_elf "$new"
	result "... and diverted" is_diverted "$new"
	result "... and all is well" all_is_well
	result "... with its initrd" test -s "$ROOT/boot/initrd.img-$new"

	INITRD=No
	step "a small kernel, LZ4" apt install "linux-image-$LITE=6.1.900-1"
	result "... is prepared" is_elf "$LITE"
	step "the same ABI: LZ4 to zstd" apt install "linux-image-$LITE=6.1.900-2"
	cp "$LOG" "$CACHE/same-abi.log"
	result "... as README.md shows it" readme_shows "$CACHE/same-abi.log" "Unpacking linux-image"
	result "... is prepared right after unpacking" said "$LITE: zstd kernel of"
	result "... from zstd" packaged_is "$LITE" zstd
	result "... and all is well" all_is_well
	step "the same ABI: zstd to gzip" apt install "linux-image-$LITE=6.1.900-3"
	result "... is left as it is" said "$LITE: ready for the next boot as it is"
	result "... and in place" cmp "$ROOT/boot/vmlinuz-$LITE" "$ROOT/boot/pvkprep/packaged-$LITE"
	result "... and all is well" all_is_well
	step "the same ABI: gzip to XZ" apt install "linux-image-$LITE=6.1.900-4"
	result "... is prepared" is_elf "$LITE"
	result "... from XZ" packaged_is "$LITE" xz
	result "... and all is well" all_is_well
	step "dpkg -i without apt: XZ to LZ4" dpkg_i "$(lite 900-5)"
	result "... is prepared" is_elf "$LITE"
	result "... and all is well" all_is_well
	step "unattended-upgrades: LZ4 to zstd" unattended 900-6
	result "... is prepared from zstd" packaged_is "$LITE" zstd
	result "... and all is well" all_is_well
	result "the back-stop costs less than 50 ms" backstop_is_cheap
	echo "# the back-stop: $(cat "$WORK/cost") ms, the best of 20, with $(versions | wc -l) prepared kernels"

	before=$(sha256sum "$ROOT/boot/vmlinuz-$LITE")
	step "the same ABI: a damaged image" apt install "linux-image-$LITE=6.1.900-7"
	result "... leaves the earlier one in place" test "$before" = "$(sha256sum "$ROOT/boot/vmlinuz-$LITE")"
	result "... and says so" said "The update of kernel $LITE IS NOT IN USE YET"
	result "... and leaves a notice" grep -q "$LITE" "$ROOT/run/pvkprep/notice"
	result "... which the login shows" inside sh -c '/etc/update-motd.d/92-pvkprep | grep -q pvkprep'
	result "... all loadable" all_loadable
	result "... dpkg sane" dpkg_is_sane
	step "the same ABI: a good one again" apt install "linux-image-$LITE=6.1.900-8"
	result "... and all is well" all_is_well
	result "... the notice is gone" test ! -e "$ROOT/run/pvkprep/notice"

	step "a new ABI: a damaged image" apt install "linux-image-$LITE2=6.1.901-1"
	result "... is withheld" test ! -e "$ROOT/boot/vmlinuz-$LITE2"
	result "... and says so" said "KERNEL $LITE2 CANNOT BE STARTED and is not used"
	result "... naming what boots" said "next boot  $LITE instead"
	result "... and so does --list" withheld_is_listed
	result "... it is in no menu" not_in_menus "$LITE2"
	result "... the default boots" is_loadable "$(default_kernel)"
	result "... dpkg sane" dpkg_is_sane
	step "... another apt run says it in a line" apt install --reinstall "linux-image-$LITE"
	result "... and no block" did_not_say '^\*\*\*'
	step "... its update is good" apt install "linux-image-$LITE2=6.1.901-2"
	result "... prepared" is_elf "$LITE2"
	result "... and all is well" all_is_well
	step "a kernel is purged" apt purge "linux-image-$LITE2"
	result "... nothing of it is left" nothing_of "$LITE2"
	result "... and all is well" all_is_well

	step "a kernel package without hooks, same ABI: the trigger of dpkg" dpkg_i "$CACHE/hookless-2.deb"
	result "... prepared" is_elf "$LITE"
	result "... from zstd" packaged_is "$LITE" zstd
	result "... and all is well" all_is_well
	step "dpkg-reconfigure of a kernel" inside dpkg-reconfigure "linux-image-$old"
	result "... and all is well" all_is_well
	step "a kernel is removed and installed again" remove_and_install "linux-image-$LITE"
	result "... and all is well" all_is_well

	before=$(boot_listing)
	step "an upgrade of pvkprep itself" dpkg_i "$CACHE/pvkprep-next.deb"
	result "... leaves images and diversions alone" same_boot "$before"
	step "--restore puts all packaged images back" inside pvkprep --restore
	result "... and leaves no diversion" no_diversions
	result "... dpkg sane" dpkg_is_sane
	result "... nothing kept" test ! -e "$ROOT/boot/pvkprep"
	step "--prepare prepares them again" inside pvkprep --prepare
	result "... and all is well" all_is_well

	step "pvkprep is removed" apt remove pvkprep
	result "... prepared images stay" is_elf "$old"
	result "... and it says what that means" said "FROM NOW ON KERNEL UPGRADES ARE NOT PREPARED"
	result "... no diversion stays" no_diversions
	result "... its hooks are quiet" apt install --reinstall "linux-image-$LITE"
	step "... a kernel that is reinstalled is the packaged one again" apt install --reinstall "linux-image-$old"
	result "... dpkg --verify of it is clean" verify_of "linux-image-$old"
	step "pvkprep is purged" apt purge pvkprep
	result "... no file of it is left" nothing_of_pvkprep
	step "pvkprep is installed again" install_again
	# Kernels that stayed prepared and were not reinstalled differ from their package, as announced.
	result "... and all boots" eval "all_loadable && menus_are_right && is_idempotent && no_strays"
	step "off PV a removal puts the packaged images back" remove_off_pv
	result "... the packaged image is in place" verify_of "linux-image-$old"
	result "... no diversion stays" no_diversions
	step "everything purged" apt purge pvkprep
	result "... no file of it is left" nothing_of_pvkprep
	INITRD=''
	close_chroot
}

# As apt calls it, with nothing to do. The best of some: the machine may be busy with other things.
backstop_is_cheap() {
	local best=1000000 start took
	for _ in {1..20}; do
		start=${EPOCHREALTIME/./}
		chroot "$ROOT" /usr/sbin/pvkprep --hook apt </dev/null || return 1
		took=$((${EPOCHREALTIME/./} - start))
		[ $took -ge $best ] || best=$took
	done
	printf '%d.%d' $((best / 1000)) $((best % 1000 / 100)) >"$WORK/cost"
	[ $best -lt 50000 ] || { echo "$best us"; return 1; }
}
off_pv() {
	printf '' >"$ROOT/etc/pvkprep.conf"
	cp "$DEB" "$ROOT/root/p.deb"
	inside eatmydata dpkg -i --force-confold /root/p.deb
	inside pvkprep --hook kernel-preinst 1-test
	inside pvkprep --hook apt
	no_diversions && test ! -e "$ROOT/boot/pvkprep"
	inside dpkg -P pvkprep
	configure_pvkprep
}
install_first() {
	cp "$1" "$ROOT/root/old.deb"
	mkdir -p "$ROOT/repo"
	cp "$DEB" "$ROOT/repo/pvkprep.deb"
	cp "$CACHE/kernels/new.deb" "$ROOT/repo/new.deb"
	cp "$1" "$ROOT/repo/old.deb"
	offer "$CACHE"/repo/*.deb
	apt install /root/old.deb
}
unattended() {
	rm -f "$ROOT"/repo/linux-image-"${LITE2}"*.deb
	for deb in "$ROOT"/repo/linux-image-"$LITE"_*.deb; do
		[ "$deb" = "$ROOT/repo/$(basename "$(lite "$1")")" ] || rm "$deb"
	done
	offer
	printf 'Unattended-Upgrade::Origins-Pattern { "origin=pvkprep-tests"; };\n' >"$ROOT/etc/apt/apt.conf.d/99-tests"
	inside eatmydata unattended-upgrade -v
	[ "$(inside dpkg-query -W -f '${Version}' "linux-image-$LITE")" = "6.1.$1" ] || return 1
	rm "$ROOT/etc/apt/apt.conf.d/99-tests"
	offer "$CACHE"/repo/*.deb
}
not_in_menus() { ! grep -r "vmlinuz-$1" "$ROOT/boot/grub/grub.cfg" "$ROOT/boot/grub/menu.lst"; }
withheld_is_listed() { grep -q "$LITE2 .*withheld" <<<"$(inside pvkprep --list)"; }
nothing_of() {
	local found
	found=$(find "$ROOT/boot" -name "*$1*")
	[ -z "$found" ] || { echo "left: $found"; return 1; }
	! inside dpkg-divert --list | grep "$1" || return 1
	not_in_menus "$1"
}
no_diversions() { ! inside dpkg-divert --list | grep pvkprep; }
same_boot() { diff <(echo "$1") <(boot_listing) && is_diverted "$LITE"; }
remove_and_install() {
	local version
	version=$(inside dpkg-query -W -f '${Version}' "$1")
	apt remove "$1" && nothing_of "${1#linux-image-}" && apt install "$1=$version"
}
verify_of() {
	local out
	out=$(inside dpkg --verify "$1")
	[ -z "$out" ] || { echo "$out"; return 1; }
}
nothing_of_pvkprep() {
	local found
	found=$(find "$ROOT/etc" "$ROOT/usr" "$ROOT/boot" "$ROOT/var/lib/dpkg/info" "$ROOT/run" -name '*pvkprep*')
	[ -z "$found" ] || { echo "left: $found"; return 1; }
	no_diversions
}
install_again() {
	configure_pvkprep
	apt -o Dpkg::Options::=--force-confold install /repo/pvkprep.deb
}
remove_off_pv() {
	printf '' >"$ROOT/etc/pvkprep.conf"
	apt remove pvkprep
}
