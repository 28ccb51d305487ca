# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables of lib.bash
#
# The boot entries and the programs that own menus, in a bookworm chroot: each owner x each state in
# which its file may be x kernels. After each run --check, from outside, must arrive at the newest
# kernel, a second run must write nothing, and what is not the owner's must be as it was. Prints the
# matrix.

GRUB_UUID=00000000-1111-2222-3333-444444444444 # of the stub grub-probe
MENU_BEGIN='### BEGIN AUTOMAGIC KERNELS LIST' MENU_END='### END DEBIAN AUTOMAGIC KERNELS LIST'

# The two owners of menu.lst cannot be installed beside grub2-common, or not without a disk: their
# programs are taken out of the packages.
fetch_owners() {
	local tree=$CACHE/owners package deb
	[ ! -s "$tree/usr/sbin/update-menu-lst" ] || return 0
	rm -rf "$tree" && mkdir -p "$tree"
	for package in pv-grub-menu grub-legacy; do
		deb=$(archive_package bookworm "$package") || exit 1
		dpkg-deb -x "$deb" "$tree"
	done
}

entries_setup() {
	open_chroot entries "$CACHE/bookworm.tar"
	cp "$DEB" "$ROOT/root/pvkprep.deb"
	configure_pvkprep
	inside eatmydata dpkg -i --force-confold /root/pvkprep.deb >/dev/null || die "cannot install pvkprep"
	# A disk without partitions, for menu.lst's "root (hd0)"; a name by UUID, for grub.cfg.
	sed -i 's/xvda1/xvda/; s/echo gpt/:/' "$ROOT/usr/sbin/grub-probe"
	mkdir -p "$ROOT/dev/disk/by-uuid" "$ROOT/root/owners"
	touch "$ROOT/dev/disk/by-uuid/$GRUB_UUID"
	for program in update-grub grub-mkconfig; do
		mv "$ROOT/usr/sbin/$program" "$ROOT/root/owners/" || die "no $program in the chroot"
	done
	cp "$CACHE/owners/usr/sbin/update-menu-lst" "$ROOT/root/owners/"
	cp "$CACHE/owners/usr/sbin/update-grub" "$ROOT/root/owners/update-grub-legacy"
	rm -f "$ROOT/etc/kernel/postinst.d/pv-grub-menu"
}

mini_release() { "$BUILD/pvkprep" --inspect --json "$BUILD/tests/mini/vmlinuz" | jq -r '.[0].kernel_version | split(" ")[0]'; }

# use_owner NAME: it and nothing else; FILE is what it owns, PROFILE a loader that reads that.
use_owner() {
	rm -f "$ROOT"/usr/sbin/{update-grub,update-menu-lst,grub-mkconfig}
	FILE=menu.lst PROFILE=pv-grub
	echo "/dev/xvda / ext4 defaults 0 1" >"$ROOT/etc/fstab"
	case $1 in
	update-grub)
		cp "$ROOT"/root/owners/{update-grub,grub-mkconfig} "$ROOT/usr/sbin/"
		FILE=grub.cfg PROFILE=bitfolk
		echo "UUID=$GRUB_UUID / ext4 defaults 0 1" >"$ROOT/etc/fstab"
		;;
	# Both depend on grub-common, which has grub-mkconfig.
	pv-grub-menu) cp "$ROOT"/root/owners/{update-menu-lst,grub-mkconfig} "$ROOT/usr/sbin/" ;;
	grub-legacy)
		cp "$ROOT/root/owners/grub-mkconfig" "$ROOT/usr/sbin/"
		cp "$ROOT/root/owners/update-grub-legacy" "$ROOT/usr/sbin/update-grub"
		;;
	none) ;;
	esac
	printf '[kernel]\nwhen = always\n[boot]\nprofile = %s\n' $PROFILE >"$ROOT/etc/pvkprep.conf"
}

put_kernel() { # put_kernel VERSION…
	local version
	for version; do
		cp "$BUILD/tests/mini/vmlinuz" "$ROOT/boot/vmlinuz-$version"
		mkdir -p "$ROOT/lib/modules/$version"
		cp "$CACHE/mini.initrd" "$ROOT/boot/initrd.img-$version"
	done
}

NEWEST=6.1.0-10
put_kernels() {
	put_kernel $NEWEST
	[ "$1" = one ] || put_kernel 6.1.0-9 5.10.0-1
	[ "$1" != one-bad ] || truncate -s 100000 "$ROOT/boot/vmlinuz-6.1.0-9"
}

menu() { echo "$ROOT/boot/grub/$FILE"; }

# put_menu STATE: the file as an earlier life left it.
put_menu() {
	local initrd=/boot/initrd.img-$NEWEST kernel="/boot/vmlinuz-$NEWEST root=/dev/xvda ro console=hvc0"
	case $1 in
	none) return ;;
	admins)
		if [ "$FILE" = menu.lst ]; then
			printf 'default 0\ntimeout 3\n\ntitle mine\nroot (hd0)\nkernel %s\ninitrd %s\n' "$kernel" "$initrd" >"$(menu)"
		else
			printf 'set timeout=3\nmenuentry mine {\n linux %s\n initrd %s\n}\n' "${kernel/\/dev\/xvda/UUID=$GRUB_UUID}" "$initrd" >"$(menu)"
		fi
		return
		;;
	esac
	# Of when there was an older kernel only, and made by this owner.
	put_kernel 5.9.0-1
	inside pvkprep --prepare >/dev/null 2>&1
	rm -f "$ROOT"/boot/{vmlinuz,initrd.img}-5.9.0-1 "$ROOT"/boot/pvkprep/*5.9.0-1*
	[ -s "$(menu)" ] || { echo "no $FILE to begin with"; return 1; }
	case $1 in
	options)
		sed -i 's/^# howmany=.*/# howmany=2/; s/^\(# kopt=.*\)/\1 edited=1/; s/^timeout.*/timeout 7/' "$(menu)"
		echo 'GRUB_CMDLINE_LINUX="edited=1"' >>"$ROOT/etc/default/grub"
		;;
	crlf) sed -i 's/$/\r/' "$(menu)" ;;
	no-newline) truncate -s -1 "$(menu)" ;;
	esac
}

outside() { sed "/^$MENU_BEGIN/,/^$MENU_END/d" "$1" 2>/dev/null; }
everything() { (cd "$ROOT/boot" && find . -printf '%p %y %i %m %s %T@ %C@\n' | sort); }
next_boot() { # "verdict kernel", as it would be on the guest itself
	"$BUILD/pvkprep" --root "$ROOT" --check --json 2>/dev/null | jq -r '"\(.verdict) \(.boot.kernel)"'
}

# cell OWNER STATE KERNELS
cell() {
	local owner=$1 state=$2 kernels=$3 want=0 status=0 before now text listing
	[ "$kernels" != one-bad ] || want=1
	# Not a mount of its own, which would be a separate /boot to everybody.
	umount "$ROOT/boot/grub" 2>/dev/null
	rm -rf "${ROOT:?}"/boot/* && mkdir -p "$ROOT/boot/grub"
	case $state in full | read-only) mount -t tmpfs -o size=4m tmpfs "$ROOT/boot/grub" ;; esac
	: >"$ROOT/etc/default/grub"
	use_owner "$owner"
	put_menu "$state" || return 1
	put_kernels "$kernels"
	before=$(outside "$(menu)" | sha256sum)
	cp "$(menu)" "$WORK/menu.before" 2>/dev/null || : >"$WORK/menu.before"
	case $state in
	full) head -c 8000000 /dev/zero >"$ROOT/boot/grub/fill" 2>/dev/null ;;
	read-only) mount -o remount,ro "$ROOT/boot/grub" ;;
	esac
	inside pvkprep --prepare >"$WORK/out" 2>&1 || status=$?
	case $state in
	full | read-only)
		[ $status -eq 1 ] || { echo "exit status $status"; cat "$WORK/out"; return 1; }
		cmp "$(menu)" "$WORK/menu.before" || return 1
		text="failed and said so, the file is whole and old"
		umount "$ROOT/boot/grub"
		;;
	*)
		[ $status -eq $want ] || { echo "exit status $status, not $want"; cat "$WORK/out"; return 1; }
		now=$(next_boot)
		[ "$now" = "boots /boot/vmlinuz-$NEWEST" ] || { echo "next boot: $now"; cat "$WORK/out" "$(menu)"; return 1; }
		if [ "$state" = admins ]; then
			cmp "$(menu)" "$WORK/menu.before" || return 1
		elif [ "$FILE" = menu.lst ] && [ "$state" != none ]; then
			[ "$(outside "$(menu)" | sha256sum)" = "$before" ] || { echo "outside the markers:"; diff "$WORK/menu.before" "$(menu)"; return 1; }
		fi
		[ "$state" != options ] || grep -q edited=1 "$(menu)" || { echo "the edited option is lost"; return 1; }
		listing=$(everything)
		inside pvkprep --prepare >/dev/null 2>&1
		[ "$listing" = "$(everything)" ] || { diff <(echo "$listing") <(everything); return 1; }
		text="boots $NEWEST; $(grep -cE '^[[:space:]]*(linux|kernel)[[:space:]].*vmlinuz' "$(menu)") lines"
		;;
	esac
	! find "$ROOT/boot" -name '.pvkprep.*' | grep . || return 1
	printf '%-12s %-10s %-8s %-8s %s\n' "$owner" "$state" "$kernels" "$FILE" "$text" >>"$WORK/matrix"
}

# --- the kernel's own hook, and the end of the apt run ---

# The owner, counting how often it is run.
count_update_grub() {
	printf '#!/bin/sh\necho run >>/root/count\nexec grub-mkconfig -o /boot/grub/grub.cfg "$@"\n' >"$ROOT/usr/sbin/update-grub"
	chmod 755 "$ROOT/usr/sbin/update-grub"
	: >"$ROOT/root/count"
}
runs_of_update_grub() { grep -c run "$ROOT/root/count"; }

# As the kernel package's postinst does it.
configure_kernel() {
	inside env INITRD=No DEB_MAINT_PARAMS=configure run-parts --exit-on-error --arg="$1" --arg="/boot/vmlinuz-$1" /etc/kernel/postinst.d
}

hooks_run_it_once() {
	put_kernel 6.1.0-11
	count_update_grub
	configure_kernel 6.1.0-11 && inside pvkprep --hook apt || return 1
	[ "$(runs_of_update_grub)" -eq 1 ] || { echo "ran $(runs_of_update_grub) times"; return 1; }
	[ "$(next_boot)" = "boots /boot/vmlinuz-6.1.0-11" ] || { next_boot; return 1; }
	[ -z "$(inside pvkprep --hook apt 2>&1)" ]
}

# No hook of the kernel's ran, or there was no grub.cfg that zz-update-grub would have renewed.
backstop_makes_it() {
	rm "$ROOT/boot/grub/grub.cfg"
	count_update_grub
	put_kernel 6.1.0-12
	configure_kernel 6.1.0-12 || return 1
	[ "$(runs_of_update_grub)" -eq 0 ] || { echo "ran in the hook"; return 1; }
	inside pvkprep --hook apt
	[ "$(runs_of_update_grub)" -eq 1 ] || { echo "ran $(runs_of_update_grub) times"; return 1; }
	[ "$(next_boot)" = "boots /boot/vmlinuz-6.1.0-12" ] || { next_boot; return 1; }
}

# Without an owner the hook itself keeps our menu: never a default without its initrd.
own_menu_in_the_hook() {
	use_owner none
	sed -i 's/pv-grub/bitfolk/' "$ROOT/etc/pvkprep.conf"
	echo "UUID=$GRUB_UUID / ext4 defaults 0 1" >"$ROOT/etc/fstab"
	rm -f "$ROOT/boot/grub/"*
	inside pvkprep --prepare || return 1
	put_kernel 6.1.0-13
	mv "$ROOT/boot/initrd.img-6.1.0-13" "$WORK/initrd"
	configure_kernel 6.1.0-13 || return 1
	[ "$(next_boot)" = "boots /boot/vmlinuz-6.1.0-12" ] || { next_boot; return 1; }
	mv "$WORK/initrd" "$ROOT/boot/initrd.img-6.1.0-13"
	inside pvkprep --hook apt || return 1
	[ "$(next_boot)" = "boots /boot/vmlinuz-6.1.0-13" ] || { next_boot; return 1; }
	rm "$ROOT"/boot/{vmlinuz,initrd.img}-6.1.0-13
	inside env DEB_MAINT_PARAMS=remove run-parts --arg=6.1.0-13 --arg=/boot/vmlinuz-6.1.0-13 /etc/kernel/postrm.d
	[ "$(next_boot)" = "boots /boot/vmlinuz-6.1.0-12" ] || { next_boot; return 1; }
}

# --- pvboot out of grub-xen-bin, where grub-install made none ---

pvboot_is_made() {
	printf '[kernel]\nwhen = always\n[boot]\npvboot = always\n' >"$ROOT/etc/pvkprep.conf"
	mkdir -p "$ROOT/usr/lib/grub"
	cp -r /usr/lib/grub/x86_64-xen "$ROOT/usr/lib/grub/" || return 1
	inside pvkprep --prepare --entries-only || return 1
	cmp "$ROOT/boot/xen/pvboot-x86_64.elf" "$ROOT/boot/grub/x86_64-xen/core.elf" || return 1
	"$BUILD/pvkprep" --root "$ROOT" --check --json | jq -r '"\(.verdict) \(.boot.via)"' | grep -x 'boots pvboot'
}

entries_tests() {
	local owner state kernels count=0
	fetch_owners
	"$HERE/../../scripts/make-initrd" "$(mini_release)" >"$CACHE/mini.initrd"
	entries_setup
	mkdir -p "$ROOT/lib/modules/$(mini_release)"
	: >"$WORK/matrix"
	for owner in update-grub pv-grub-menu grub-legacy none; do
		for state in none ours admins options crlf no-newline read-only full; do
			for kernels in one three one-bad; do
				result "$owner, its file: $state, kernels: $kernels" cell $owner $state $kernels
				count=$((count + 1))
			done
		done
	done
	sed 's/^/# /' "$WORK/matrix"
	echo "# $count cells, $(wc -l <"$WORK/matrix") good"
	cell update-grub none one >/dev/null 2>&1
	result "a kernel's installation runs update-grub once" hooks_run_it_once
	result "where zz-update-grub does nothing, the end of the apt run makes grub.cfg" backstop_makes_it
	result "our own menu in the kernel's hook: no default without its initrd" own_menu_in_the_hook
	result "pvboot = always: an image out of grub-xen-bin" pvboot_is_made
	close_chroot
}
