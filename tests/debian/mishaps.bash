# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables of lib.bash and failures.bash
#
# The cases of the suite "failures": what goes wrong, and the list of them. failures.bash is what
# carries a case out and judges it.

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
# Two administrators: one waits for dpkg's lock, one is turned away, and others run pvkprep by hand.
two_at_once() { # DEB OTHER-DEB
	inside eatmydata apt-get -q -y -o DPkg::Lock::Timeout=120 install "$1" &
	inside eatmydata apt-get -q -y -o DPkg::Lock::Timeout=120 install "$2" &
	inside eatmydata apt-get -q -y install "$1" || echo "(turned away)"
	inside pvkprep --prepare &
	inside pvkprep --hook apt &
	inside pvkprep --prepare
	wait
}
# Each run of pvkprep in one of these phases is killed before it does anything.
dies_in() { # "PHASE…" COMMAND…
	echo " $1 " >"$ROOT/deaf"
	shift
	mv "$ROOT/usr/sbin/pvkprep" "$ROOT/usr/sbin/pvkprep.real"
	cat >"$ROOT/usr/sbin/pvkprep" <<-'END'
		#!/bin/sh
		case $(cat /deaf) in *" $2 "*) kill -KILL $$ ;; esac
		exec /usr/sbin/pvkprep.real "$@"
	END
	chmod 755 "$ROOT/usr/sbin/pvkprep"
	"$@"
	mv "$ROOT/usr/sbin/pvkprep.real" "$ROOT/usr/sbin/pvkprep"
}
apt_install() { inside eatmydata apt-get -q -y install "$1"; }
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
busy() { # somebody holds the lock for a good while
	flock "$ROOT/run/pvkprep.lock" sleep 60 &
	local holder=$!
	sleep 0.2
	install "$1"
	kill "$holder"
	wait "$holder" 2>/dev/null
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

# No run of pvkprep got anywhere: an unreadable kernel is in place and in the menu. That is said at the
# end, and the next run of apt, whatever it is about, sets it right.
deaf_case() { # VERSION-OF-NEW EXPECTED-DEFAULT NAME
	local name=$3
	number=$((number + 1))
	open_case >/dev/null 2>&1
	dies_in "kernel-preinst kernel-postrm kernel-postinst trigger apt" apt_install "$(kernel $NEW "$1")" >"$WORK/case.log" 2>&1
	: >"$WORK/cure"
	happened=$(what_happened $NEW)
	printf '%s|%s|%s|%s|' "$name" "$NEW" "$happened" WARNED >>"$TABLE"
	if grep -q 'pvkprep: .*ENDED EARLY' <<<"$(tail -n 3 "$WORK/case.log")" &&
		inside eatmydata apt-get -q -y install --reinstall "$(kernel $OLD 1)" >"$WORK/cure" 2>&1 &&
		reboot_is_safe >"$WORK/verdict" 2>&1 && [ "$STATE_DEFAULT" = "$2" ] && menus_are_right >"$WORK/verdict" 2>&1; then
		echo well >>"$TABLE"
		echo "ok $number - $name: $happened; another apt run sets it right"
	else
		echo ILL >>"$TABLE"
		echo "not ok $number - $name: $happened"
		sed 's/^/# /' "$WORK/case.log" "$WORK/cure" "$WORK/verdict"
		failures=$((failures + 1))
	fi
	close_case
}

failure_tests() {
	local free call hooks sizes="0 8 13 17 40 60 70" ext4="5 90"
	local dpkg_calls="rename:1 rename:3 rename:6 rename:9 fsync:1 fsync:6 unlink:4"
	local calls="renameat:1 renameat:2 syncfs:1 fsync:1 fsync:2 fallocate:1 openat:12 clone:1 wait4:1"

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
	failure_case "two apt-get at once" $NEW "$(kernel $NEW 1)" two_at_once "$(kernel $NEW 1)" "$(kernel $CUR 2)"
	hooks="kernel-preinst kernel-postrm kernel-postinst"
	failure_case "new ABI, pvkprep killed in preinst" $NEW "$(kernel $NEW 1)" dies_in kernel-preinst install "$(kernel $NEW 1)"
	failure_case "new ABI, pvkprep killed in each hook" $NEW "$(kernel $NEW 1)" dies_in "$hooks" install "$(kernel $NEW 1)"
	failure_case "new ABI, damaged, pvkprep killed in each hook" $NEW "$(kernel $NEW 1)" dies_in "$hooks" install "$(kernel $NEW 2)"
	failure_case "new ABI, pvkprep killed in each hook and the trigger" $NEW "$(kernel $NEW 1)" dies_in "$hooks trigger" apt_install "$(kernel $NEW 1)"
	failure_case "new ABI, damaged, pvkprep killed in each hook and the trigger" $NEW "$(kernel $NEW 1)" dies_in "$hooks trigger" apt_install "$(kernel $NEW 2)"
	failure_case "same ABI, pvkprep killed in each hook" $CUR "$(kernel $CUR 2)" dies_in "$hooks" install "$(kernel $CUR 2)"
	failure_case "same ABI, pvkprep killed everywhere" $CUR "$(kernel $CUR 2)" dies_in "$hooks trigger apt" apt_install "$(kernel $CUR 2)"
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
	deaf_case 1 $NEW "new ABI, pvkprep killed everywhere"
	deaf_case 2 $CUR "new ABI, damaged, pvkprep killed everywhere"
	hopeless_case
	INITRD='' FAST=''
	ROOT=$BASE
	close_chroot
	failure_table
}
