# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables of lib.bash
#
# What goes wrong during upgrades. Each case starts from the same guest with two prepared kernels
# (an overlay over one chroot, /boot a file system of its own), does an upgrade under bad
# conditions, and then asks what a reboot at that moment would find: everything that was loadable
# before is loadable, and the default of the menu is. Then the cause is taken away, dpkg and the
# back-stop run once more, and all must be well. One line a case, and a table of them at the end.

OLD=6.1.0-899-cloud-amd64 CUR=6.1.0-900-cloud-amd64 NEW=6.1.0-901-cloud-amd64
TABLE=$WORK/table

failure_setup() {
	local repo=$CACHE/failures
	mkdir -p "$repo"
	rm -f "$repo"/*.deb
	make_kernel $OLD 1 "$(repacked lz4)" "$repo"
	make_kernel $CUR 1 "$(repacked lz4)" "$repo"
	make_kernel $CUR 2 "$(repacked zstd)" "$repo"
	make_kernel $CUR 3 "$(repacked broken)" "$repo"
	make_kernel $NEW 1 "$(repacked zstd)" "$repo"
	make_kernel $NEW 2 "$(repacked broken)" "$repo"
	make_kernel $NEW 3 "$(repacked not-pv)" "$repo"
	BASE=$WORK/ready
	open_chroot ready "$CACHE/bookworm.tar"
	configure_pvkprep
	cp "$DEB" "$ROOT/root/p.deb"
	mkdir -p "$ROOT/k"
	cp "$repo"/*.deb "$ROOT/k/"
	INITRD=No FAST=1
	# Menus of Linux kernels only: update-grub runs three times a case.
	chmod -x "$ROOT"/etc/grub.d/{05_debian_theme,20_linux_xen,30_*,4*} 2>/dev/null
	# Where nothing is cut off at random, nobody needs to wait for the disk.
	inside eatmydata dpkg -i --force-confold /root/p.deb >/dev/null 2>&1 || die "pvkprep does not install"
	inside eatmydata dpkg -i "/k/linux-image-${OLD}_1_amd64.deb" "/k/linux-image-${CUR}_1_amd64.deb" >"$WORK/ready.log" 2>&1 ||
		die "the kernels do not install: $(tail -n 3 "$WORK/ready.log")"
	umount_all "$ROOT"
	tar -c -C "$ROOT/boot" . >"$WORK/boot.tar"
	mkdir -p "$WORK/layers"
}

kernel() { echo "/k/linux-image-$1_$2_amd64.deb"; }

# --- one case ---

open_case() {
	ROOT=$WORK/case
	mkdir -p "$ROOT"
	mount -t tmpfs -o mode=755 tmpfs "$WORK/layers"
	mkdir "$WORK/layers/upper" "$WORK/layers/work"
	mount -t overlay -o "lowerdir=$BASE,upperdir=$WORK/layers/upper,workdir=$WORK/layers/work" overlay "$ROOT"
	mount_system
	if [ -n "${LOOP:-}" ]; then
		truncate -s 400M "$WORK/layers/boot.img"
		mkfs.ext4 -q -F "$WORK/layers/boot.img"
		mount -o loop "$WORK/layers/boot.img" "$ROOT/boot"
	else
		mount -t tmpfs -o mode=755 tmpfs "$ROOT/boot"
	fi
	tar -x -C "$ROOT/boot" -f "$WORK/boot.tar"
	inside pvkprep --prepare --quiet || return 1 # the copies have other inodes
	BEFORE=$(versions)
}

close_case() {
	umount_all "$WORK/case"
	umount_all "$WORK/layers"
	umount -l "$WORK/layers"
}

leave_free() { # leave_free MEGABYTES: so much room is in /boot
	local used
	if [ -n "${LOOP:-}" ]; then
		used=$(df -B1M --output=avail "$ROOT/boot" | tail -n 1)
		fallocate -l "$((used - $1))M" "$ROOT/boot/ballast"
	else
		used=$(df -B1K --output=used "$ROOT/boot" | tail -n 1)
		mount -o "remount,size=$((used + $1 * 1024))k" "$ROOT/boot"
	fi
}

make_room() {
	rm -f "$ROOT/boot/ballast"
	[ -n "${LOOP:-}" ] || mount -o remount,rw,size=600M "$ROOT/boot"
}

# What a reboot would find now. Sets STATE_DEFAULT; says what is wrong.
reboot_is_safe() {
	local version
	for version in $BEFORE; do
		[ -e "$ROOT/boot/vmlinuz-$version" ] || { echo "$version is gone"; return 1; }
		is_loadable "$version" || return 1
	done
	STATE_DEFAULT=$(default_kernel)
	[ -e "$ROOT/boot/vmlinuz-$STATE_DEFAULT" ] || { echo "default $STATE_DEFAULT is not there"; return 1; }
	is_loadable "$STATE_DEFAULT" || { echo "the default $STATE_DEFAULT is not loadable"; return 1; }
	# And if the menus were written anew now, by anybody:
	version=$(versions | sort -V | tail -n 1)
	is_loadable "$version" || { echo "the newest, $version, is not loadable"; return 1; }
}

# The cause is gone: dpkg finishes what it began, the kernel is installed once more, and all is well.
recovers() {
	local deb=$1
	make_room
	rm -f "$ROOT/kill"
	# A package that was cut off in its unpack cannot be configured, as ever: it is unpacked again.
	inside dpkg --configure -a || echo "(dpkg wants it reinstalled)"
	inside dpkg -i "$deb" || return 1
	inside pvkprep --hook apt || return 1
	all_loadable && menus_are_right && dpkg_is_sane && is_idempotent && no_strays
}

what_happened() { # in a few words, for the table
	local log=$WORK/case.log version=$1
	if grep -q 'NEXT BOOT WILL FAIL' "$log"; then
		echo "warned: next boot fails"
	elif grep -q 'IS NOT IN USE YET' "$log"; then
		echo "earlier image stays"
	elif grep -q 'CANNOT BE STARTED' "$log"; then
		echo "withheld"
	elif grep -q 'dpkg: error processing archive' "$log"; then
		echo "unpack refused"
	elif [ ! -e "$ROOT/boot/vmlinuz-$version" ]; then
		echo "not there yet"
	elif [ "$(inside pvkprep --list 2>/dev/null | awk -v v="$version" '$1 == v { print $2 }')" = prepared ] &&
		[ "$ROOT/boot/vmlinuz-$version" -nt "$ROOT/boot/pvkprep/packaged-$version" ]; then
		echo "prepared"
	else
		echo "earlier image stays"
	fi
}

# failure_case NAME VERSION CURE-DEB COMMAND…: COMMAND is the upgrade, and may fail.
failure_case() {
	local name=$1 version=$2 cure=$3 verdict=safe cured=well
	shift 3
	[[ $name =~ ${ONLY:-} ]] || return 0 # ONLY=REGEX: some of the cases
	number=$((number + 1))
	if ! open_case >"$WORK/case.log" 2>&1; then
		sed 's/^/# /' "$WORK/case.log"
		echo "not ok $number - $name (set-up)"
		failures=$((failures + 1))
		close_case
		return
	fi
	"$@" >>"$WORK/case.log" 2>&1
	if [ -e "$ROOT/kill" ]; then rm "$ROOT/kill"; fi
	reboot_is_safe >"$WORK/verdict" 2>&1 || verdict=UNSAFE
	happened=$(what_happened "$version")
	printf '%s|%s|%s|%s' "$name" "${STATE_DEFAULT:-?}" "$happened" "$verdict" >>"$TABLE"
	[ -z "$cure" ] || recovers "$cure" >"$WORK/cure" 2>&1 || cured=ILL
	echo "|$cured" >>"$TABLE"
	if [ "$verdict$cured" = safewell ]; then
		echo "ok $number - $name: $happened"
	else
		echo "not ok $number - $name: $happened"
		sed 's/^/# /' "$WORK/verdict"
		tail -n 25 "$WORK/case.log" | sed 's/^/# | /'
		[ "$cured" = well ] || tail -n 15 "$WORK/cure" | sed 's/^/# cure: /'
		failures=$((failures + 1))
	fi
	close_case
}

# --- what goes wrong ---

install() { inside eatmydata dpkg -i "$1"; }
install_with_free() { leave_free "$1" && install "$2"; }

read_only() {
	mount -o remount,ro "$ROOT/boot"
	install "$1"
}
read_only_at_configure() {
	inside eatmydata dpkg --unpack --no-triggers "$1"
	mount -o remount,ro "$ROOT/boot"
	inside eatmydata dpkg --configure -a
}
only_unpacked() { inside eatmydata dpkg --unpack "$1"; }
unpacked_beside_initrds() { # the trigger runs before anybody made the new kernel's initrd
	: >"$ROOT/boot/initrd.img-$OLD"
	head -c 5000000 /dev/zero >"$ROOT/boot/initrd.img-$CUR"
	only_unpacked "$1"
	[ ! -e "$ROOT/boot/vmlinuz-$NEW" ] || rm -rf "$ROOT/boot/vmlinuz-$CUR" # told as a case that fails
}
configured_later() {
	only_unpacked "$1"
	reboot_is_safe || echo "UNSAFE after unpacking"
	inside eatmydata dpkg --configure -a
}
damaged_on_disk() { # after unpacking, so the package's own MD5 sum is right
	inside eatmydata dpkg --unpack --no-triggers "$2"
	[ -s "$ROOT/boot/pvkprep/packaged-$1" ] || echo "UNSAFE: no diversion"
	printf 'XXXX' | dd of="$ROOT/boot/pvkprep/packaged-$1" bs=1 seek=9000000 conv=notrunc status=none
	inside eatmydata dpkg --configure -a
}
# One run of pvkprep is hit by SIGNAL at its Nth call of SYSCALL: the first that gets so far. `once`:
# the upgrade goes on without it. `power`: everything dies with it, dpkg too.
pvkprep_hit() { # once|power SIGNAL SYSCALL N DEB
	mv "$ROOT/usr/sbin/pvkprep" "$ROOT/usr/sbin/pvkprep.real"
	cat >"$ROOT/usr/sbin/pvkprep" <<-'END'
		#!/bin/sh
		[ -e /kill ] || exec /usr/sbin/pvkprep.real "$@"
		strace -qq -o /dev/null -e trace="$(cut -d: -f1 /kill)" -e inject="$(cat /kill)" /usr/sbin/pvkprep.real "$@"
		status=$?
		[ $status -ge 128 ] || exit $status
		rm /kill
		[ ! -e /power ] || kill -KILL 0
		exit $status
	END
	chmod 755 "$ROOT/usr/sbin/pvkprep"
	echo "$3:signal=$2:when=$4" >"$ROOT/kill"
	[ "$1" = once ] || : >"$ROOT/power"
	inside setsid -w dpkg -i "$5"
	rm -f "$ROOT/power"
	mv "$ROOT/usr/sbin/pvkprep.real" "$ROOT/usr/sbin/pvkprep"
	if [ -e "$ROOT/kill" ]; then echo "(never got so far)"; fi
}
dpkg_killed() { # SYSCALL N DEB
	inside strace -qq -o /dev/null -e trace="$1" -e inject="$1:signal=KILL:when=$2" dpkg -i "$3"
}
two_at_once() {
	inside eatmydata dpkg -i "$1" &
	inside pvkprep --prepare &
	inside pvkprep --hook apt &
	inside eatmydata dpkg -i "$1" # refused by dpkg's lock, or waits for nothing
	inside pvkprep --prepare
	wait
}
failing_divert() { # DEB: dpkg-divert is broken, so the image is stashed
	mv "$ROOT/usr/bin/dpkg-divert" "$ROOT/usr/bin/dpkg-divert.real"
	printf '#!/bin/sh\nexit 2\n' >"$ROOT/usr/bin/dpkg-divert"
	chmod 755 "$ROOT/usr/bin/dpkg-divert"
	install "$1"
	mv "$ROOT/usr/bin/dpkg-divert.real" "$ROOT/usr/bin/dpkg-divert"
}
no_room_for_initrd() { # an initrd of the other kernels' size would not fit beside the prepared image
	head -c 40000000 /dev/zero >"$ROOT/boot/initrd.img-$CUR"
	leave_free 80
	install "$1"
}
busy() { # somebody holds the lock for longer than we wait
	flock "$ROOT/boot" sleep 60 &
	local holder=$!
	sleep 0.2
	install "$1"
	kill "$holder"
	wait "$holder" 2>/dev/null
}

failure_tests() {
	local free call sizes="0 8 13 17 40 60 70" ext4="5 90"
	local dpkg_calls="rename:1 rename:3 rename:6 rename:9 fsync:1 fsync:6 unlink:4"
	local calls="renameat:1 renameat:2 linkat:1 fsync:1 fsync:3 fallocate:1 openat:12 clone:1 wait4:1"

	if [ -n "${THOROUGH:-}" ]; then
		sizes="0 4 8 11 12 13 14 15 17 20 25 30 40 50 52 54 60 64 66 68 69 70 72 80 100"
		ext4="5 15 30 50 60 70 90"
		dpkg_calls="rename:1 rename:2 rename:3 rename:4 rename:5 rename:6 rename:7 rename:9 rename:12 fsync:1 fsync:2 fsync:3 fsync:6 unlink:1 unlink:2 unlink:4 unlink:7"
		calls="mkdirat:1 renameat:1 renameat:2 renameat:3 linkat:1 fsync:1 fsync:2 fsync:3 fsync:4 fsync:5 fallocate:1 fallocate:2
			openat:4 openat:8 openat:12 openat:16 openat:20 openat:24 openat:30 clone:1 clone:2 clone:3 wait4:1 wait4:2 fchmod:1 syncfs:1 unlinkat:1"
	fi
	failure_setup
	: >"$TABLE"
	for free in $sizes; do
		failure_case "same ABI, $free MB free in /boot" $CUR "$(kernel $CUR 2)" install_with_free "$free" "$(kernel $CUR 2)"
		failure_case "new ABI, $free MB free in /boot" $NEW "$(kernel $NEW 1)" install_with_free "$free" "$(kernel $NEW 1)"
	done
	LOOP=1
	for free in $ext4; do
		failure_case "same ABI, ext4, $free MB free" $CUR "$(kernel $CUR 2)" install_with_free "$free" "$(kernel $CUR 2)"
		failure_case "new ABI, ext4, $free MB free" $NEW "$(kernel $NEW 1)" install_with_free "$free" "$(kernel $NEW 1)"
	done
	LOOP=
	failure_case "new ABI, no room for its initrd" $NEW "$(kernel $NEW 1)" no_room_for_initrd "$(kernel $NEW 1)"
	failure_case "same ABI, damaged image" $CUR "$(kernel $CUR 2)" install "$(kernel $CUR 3)"
	failure_case "new ABI, damaged image" $NEW "$(kernel $NEW 1)" install "$(kernel $NEW 2)"
	failure_case "new ABI, not PV-capable" $NEW "$(kernel $NEW 1)" install "$(kernel $NEW 3)"
	failure_case "same ABI, damaged on disk" $CUR "$(kernel $CUR 2)" damaged_on_disk $CUR "$(kernel $CUR 2)"
	failure_case "new ABI, damaged on disk" $NEW "$(kernel $NEW 1)" damaged_on_disk $NEW "$(kernel $NEW 1)"
	failure_case "same ABI, /boot read-only" $CUR "$(kernel $CUR 2)" read_only "$(kernel $CUR 2)"
	failure_case "new ABI, /boot read-only" $NEW "$(kernel $NEW 1)" read_only "$(kernel $NEW 1)"
	failure_case "same ABI, read-only from configure on" $CUR "$(kernel $CUR 2)" read_only_at_configure "$(kernel $CUR 2)"
	failure_case "new ABI, read-only from configure on" $NEW "$(kernel $NEW 1)" read_only_at_configure "$(kernel $NEW 1)"
	failure_case "same ABI, only unpacked" $CUR "$(kernel $CUR 2)" only_unpacked "$(kernel $CUR 2)"
	failure_case "new ABI, only unpacked" $NEW "$(kernel $NEW 1)" only_unpacked "$(kernel $NEW 1)"
	failure_case "new ABI, only unpacked, others have initrds" $NEW "$(kernel $NEW 1)" unpacked_beside_initrds "$(kernel $NEW 1)"
	failure_case "same ABI, configured later" $CUR "$(kernel $CUR 2)" configured_later "$(kernel $CUR 2)"
	failure_case "new ABI, configured later" $NEW "$(kernel $NEW 1)" configured_later "$(kernel $NEW 1)"
	failure_case "two runs at once" $NEW "$(kernel $NEW 1)" two_at_once "$(kernel $NEW 1)"
	failure_case "new ABI, dpkg-divert fails" $NEW "$(kernel $NEW 1)" failing_divert "$(kernel $NEW 1)"
	failure_case "new ABI, damaged, dpkg-divert fails" $NEW "$(kernel $NEW 1)" failing_divert "$(kernel $NEW 2)"
	failure_case "new ABI, /boot is locked" $NEW "$(kernel $NEW 1)" busy "$(kernel $NEW 1)"
	for call in $dpkg_calls; do
		failure_case "same ABI, dpkg killed at $call" $CUR "$(kernel $CUR 2)" dpkg_killed "${call%:*}" "${call#*:}" "$(kernel $CUR 2)"
	done
	for call in rename:2 rename:4 rename:6 fsync:3; do
		failure_case "new ABI, dpkg killed at $call" $NEW "$(kernel $NEW 1)" dpkg_killed "${call%:*}" "${call#*:}" "$(kernel $NEW 1)"
	done
	for call in $calls; do
		failure_case "same ABI, pvkprep killed at $call" $CUR "$(kernel $CUR 2)" pvkprep_hit once KILL "${call%:*}" "${call#*:}" "$(kernel $CUR 2)"
		failure_case "same ABI, power cut at $call" $CUR "$(kernel $CUR 2)" pvkprep_hit power KILL "${call%:*}" "${call#*:}" "$(kernel $CUR 2)"
		failure_case "new ABI, pvkprep killed at $call" $NEW "$(kernel $NEW 1)" pvkprep_hit once KILL "${call%:*}" "${call#*:}" "$(kernel $NEW 1)"
		failure_case "new ABI, power cut at $call" $NEW "$(kernel $NEW 1)" pvkprep_hit power KILL "${call%:*}" "${call#*:}" "$(kernel $NEW 1)"
	done
	failure_case "new ABI, pvkprep terminated" $NEW "$(kernel $NEW 1)" pvkprep_hit once TERM fallocate 1 "$(kernel $NEW 1)"
	hopeless_case
	INITRD='' FAST=''
	ROOT=$BASE
	close_chroot
	failure_table
}

# The only kernel, and it cannot be prepared: then it is in place as packaged, and that is said.
hopeless_case() {
	number=$((number + 1))
	open_case >/dev/null 2>&1
	inside eatmydata dpkg -P linux-image-$OLD linux-image-$CUR >"$WORK/case.log" 2>&1
	inside eatmydata dpkg -i "$(kernel $NEW 2)" >"$WORK/case.log" 2>&1
	printf '%s|%s|%s|-|-\n' "the only kernel is damaged" "$NEW" "$(what_happened $NEW)" >>"$TABLE"
	if grep -q 'THE NEXT BOOT WILL FAIL' "$WORK/case.log" && [ -e "$ROOT/boot/vmlinuz-$NEW" ] &&
		cmp -s "$ROOT/boot/vmlinuz-$NEW" "$ROOT/boot/pvkprep/packaged-$NEW" && dpkg_is_sane; then
		echo "ok $number - the only kernel is damaged: in place, with a warning"
	else
		echo "not ok $number - the only kernel is damaged"
		sed 's/^/# /' "$WORK/case.log"
		failures=$((failures + 1))
	fi
	close_case
}

failure_table() {
	echo "#"
	{
		echo "case|next boot|the new image|a reboot now|after the cure"
		cat "$TABLE"
	} | column -t -s '|' | sed 's/^/# /'
	echo "# $(wc -l <"$TABLE") cases; $(grep -c '|UNSAFE' "$TABLE") unsafe"
	cp "$TABLE" "$CACHE/failures.table"
}
