#!/usr/bin/env bats
# shellcheck disable=SC2154
# --check on a running system: which disks it has, what they are called, what a loader sees of them.
# The system is a chroot on loop devices, whose nodes in a /dev of its own have a guest's names.

load lib.bash

UUID=11111111-2222-3333-4444-555555555555

setup() {
	need unshare chroot losetup mke2fs cpio jq
	common_setup
	W=$BATS_TEST_TMPDIR
	export W
	mkdir -p "$W/dev" "$W/guest" "$W/boot"
	mini_with gzip "$W/boot/vmlinuz-1"
	make_initrd
}

teardown() {
	remove_disks
	common_teardown
}

remove_disks() {
	local loop
	[ -e "${W:-}/loops" ] || return 0
	while read -r loop; do losetup -d "$loop"; done <"$W/loops"
	rm "$W/loops"
}

make_initrd() {
	mkdir -p "$W/initrd/lib/modules/6.1.0-mini"
	: >"$W/initrd/lib/modules/6.1.0-mini/xen-blkfront.ko"
	printf '#!/bin/sh\n' >"$W/initrd/init"
	chmod 755 "$W/initrd/init"
	(cd "$W/initrd" && find . | sort | cpio -o -H newc --quiet | gzip -n) >"$W/boot/initrd.img-1"
}

# add_disk NAME COMMAND…: a block device of the guest; the command makes what is on it, given its file.
add_disk() {
	local name=$1 loop
	shift
	local image=$W/${name/\//-}.img
	truncate -s "${FS_SIZE:-60M}" "$image"
	"$@" "$image"
	loop=$(losetup -f --show "$image")
	echo "$loop" >>"$W/loops"
	mkdir -p "$(dirname "$W/dev/$name")"
	mknod "$W/dev/$name" b "$((0x$(stat -c %t "$loop")))" "$((0x$(stat -c %T "$loop")))"
}

ext4() { mke2fs -q -F -t ext4 -U "$1" "$2"; }
swap() { mkswap -q "$1"; }
luks() { printf 'LUKS\xba\xbe\x00\x01' | dd of="$1" conv=notrunc status=none; }

# in_guest SCRIPT: the script mounts the guest's file systems at $G and fills them; `run_check` in
# it then asks. Everything is in a mount namespace of its own.
in_guest() {
	G=$W/guest PVK_DIR=$(dirname "$PVKPREP") run --separate-stderr unshare --mount --propagation private bash -euc '
		mount --bind "$W/dev" /dev
		run_check() {
			mkdir -p "$G"/{dev,proc,sys,usr,pvk,run}
			mount --bind /dev "$G/dev"
			mount -t proc none "$G/proc"
			mount --rbind /sys "$G/sys"
			if [ -d "$W/block" ]; then mount --bind "$W/block" "$G/sys/class/block"; fi
			mount --bind /usr "$G/usr"
			mount --bind "$PVK_DIR" "$G/pvk"
			for l in bin lib lib64 sbin; do [ ! -L /$l ] || [ -e "$G/$l" ] || ln -s usr/$l "$G/$l"; done
			chroot "$G" "/pvk/${PVKPREP##*/}" --check --json --profile="${1:-bitfolk}"
		}
		'"$1"
}

fill() {
	cat <<-EOF
		mkdir -p \$G/etc \$G/boot/grub
		cp \$W/boot/* \$G/boot/
		printf '%s / ext4 defaults 0 1\n' UUID=$UUID >\$G/etc/fstab
		$(cat)
	EOF
}

MENU="printf 'default 0\ntimeout 1\ntitle A\nroot (%s)\nkernel /boot/vmlinuz-1 root=UUID=$UUID console=hvc0\ninitrd /boot/initrd.img-1\n' \$HD >\$G/boot/grub/menu.lst"

verdict() { jq -r .verdict <<<"$output"; }
codes() { jq -r '.findings[].code' <<<"$output"; }

@test "swap, LUKS and the like beside the root hold no files: no reason not to know" {
	add_disk xvda1 ext4 $UUID
	add_disk xvda2 luks
	add_disk xvdb swap
	in_guest "mount -t ext4 /dev/xvda1 \$G; HD=hd0,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" boots
}

@test "a file system that is not mounted may hold what the loader finds first: unknown, and which one" {
	add_disk xvda1 ext4 $UUID
	add_disk xvdb1 ext4 99999999-2222-3333-4444-555555555555
	in_guest "mount -t ext4 /dev/xvda1 \$G; HD=hd0,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" unknown
	assert_contains "$output" "/dev/xvdb1"
	in_guest "mount -t ext4 /dev/xvda1 \$G; mkdir -p \$G/mnt; mount -t ext4 /dev/xvdb1 \$G/mnt; HD=hd0,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" boots
}

@test "loop devices are no disks of the guest's, however many packages are mounted so" {
	local n
	add_disk xvda1 ext4 $UUID
	add_disk loop0 ext4 99999999-2222-3333-4444-555555555555
	for n in {1..80}; do cp -a "$W/dev/loop0" "$W/dev/loop$n"; done
	in_guest "mount -t ext4 /dev/xvda1 \$G; HD=hd0,0; $(fill <<<"$MENU")
		for n in {1..80}; do mkdir -p \$G/snap/\$n; mount -t ext4 /dev/loop\$n \$G/snap/\$n; done; run_check"
	assert_equal "$(verdict)" boots
}

@test "(hd1) is the second disk, whatever is on the first" {
	add_disk xvda swap
	add_disk xvdb1 ext4 $UUID
	in_guest "mount -t ext4 /dev/xvdb1 \$G; HD=hd1,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" boots
	in_guest "mount -t ext4 /dev/xvdb1 \$G; HD=hd0,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" fails
}

@test "a disk that is called xvda2 and is no partition is a disk" {
	add_disk xvda1 swap
	add_disk xvda2 ext4 $UUID
	mkdir -p "$W"/block/xvda1 "$W"/block/xvda2
	in_guest "mount -t ext4 /dev/xvda2 \$G; HD=hd1; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" boots
	in_guest "mount -t ext4 /dev/xvda2 \$G; HD=hd0,1; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" fails
	: >"$W/block/xvda1/partition"
	: >"$W/block/xvda2/partition"
	in_guest "mount -t ext4 /dev/xvda2 \$G; HD=hd0,1; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" boots
}

# Both file systems have the menu's place, and one UUID: GRUB looks at the last partition first.
@test "of two partitions with the menu, or with the UUID, the loader takes the last" {
	local stale="title B\\nkernel /boot/vmlinuz-gone root=/dev/xvda2\\n"
	add_disk xvda1 ext4 $UUID
	add_disk xvda2 ext4 99999999-2222-3333-4444-555555555555
	in_guest "mount -t ext4 /dev/xvda1 \$G; HD=hd0,0; $(fill <<<"$MENU"); mkdir \$G/old; mount -t ext4 /dev/xvda2 \$G/old
		mkdir -p \$G/old/boot/grub; printf '$stale' >\$G/old/boot/grub/menu.lst; run_check"
	assert_equal "$(verdict)" fails
	in_guest "mount -t ext4 /dev/xvda2 \$G; HD=hd0,1; $(fill <<<"${MENU//$UUID/99999999-2222-3333-4444-555555555555}"); mkdir \$G/old; mount -t ext4 /dev/xvda1 \$G/old
		printf '$stale' >\$G/old/boot/grub/menu.lst; run_check"
	assert_equal "$(verdict)" boots
	assert_equal "$(jq -r .boot.config <<<"$output")" /boot/grub/menu.lst
}

@test "what lies under a mount point is what the loader sees there, and nothing that is mounted" {
	local uuid=99999999-2222-3333-4444-555555555555 stale
	stale="mkdir -p \$G/boot/grub; printf 'title B\\nkernel /boot/vmlinuz-gone\\n' >\$G/boot/grub/menu.lst"
	add_disk xvda1 ext4 $UUID
	add_disk xvda2 ext4 $uuid
	# A /boot of its own, with a link so that /boot/… is there too; then what was there before it.
	in_guest "mount -t ext4 /dev/xvda1 \$G; mkdir \$G/boot; mount -t ext4 /dev/xvda2 \$G/boot; ln -s . \$G/boot/boot
		HD=hd0,1; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" boots
	in_guest "mount -t ext4 /dev/xvda1 \$G; $stale; mount -t ext4 /dev/xvda2 \$G/boot; rm \$G/boot/boot
		HD=hd0,1; $(fill <<<"${MENU//\/boot\/vml//vml}"); run_check"
	assert_equal "$(verdict)" fails
	assert_contains "$output" '(xen/xvda,1)/boot/grub/menu.lst'
	# A /boot that is another directory of the same file system is empty for it.
	in_guest "mount -t ext4 /dev/xvda1 \$G; rm -r \$G/boot/*; mkdir -p \$G/srv/boot; mount --bind \$G/srv/boot \$G/boot
		mkdir \$G/old; mount -t ext4 /dev/xvda2 \$G/old; rm -r \$G/old/grub; HD=hd0,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" fails
	assert_contains "$(codes)" nothing-to-boot
}

@test "a file system that is not mounted and comes before the one with the menu: unknown" {
	add_disk xvda1 ext4 $UUID
	add_disk xvda2 ext4 99999999-2222-3333-4444-555555555555
	in_guest "mount -t ext4 /dev/xvda1 \$G; HD=hd0,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" unknown
	assert_contains "$output" /dev/xvda2
}

# The same with the subvolume on the command line.
MENU_SUBVOL=${MENU/root=/rootflags=subvol=@rootfs root=}

btrfs() { mkfs.btrfs -q -f -U "$1" "$2" >/dev/null; }

# mount_btrfs DEVICE DIR: a guest whose system is in the subvolume @rootfs.
MOUNT_BTRFS="mount -t btrfs /dev/xvda1 \$G; btrfs subvolume create \$G/@rootfs >/dev/null; umount \$G; mount -t btrfs -o subvol=@rootfs /dev/xvda1 \$G"

@test "a system in a subvolume of btrfs: the loader's paths begin above it" {
	need mkfs.btrfs
	FS_SIZE=200M add_disk xvda1 btrfs $UUID
	# GRUB finds no menu in it, for /boot is /@rootfs/boot for it.
	in_guest "$MOUNT_BTRFS; HD=hd0,0; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" fails
	assert_contains "$(codes)" nothing-to-boot
	# With a link at the top it does, and the kernel's path has the subvolume in it, or not.
	in_guest "mount -t btrfs /dev/xvda1 \$G; ln -s @rootfs/boot \$G/boot; umount \$G; mount -t btrfs -o subvol=@rootfs /dev/xvda1 \$G
		HD=hd0,0; $(fill <<<"$MENU_SUBVOL"); run_check"
	assert_equal "$(verdict)" boots
	assert_equal "$(jq -r .boot.kernel <<<"$output")" /boot/vmlinuz-1
	assert_equal "$(jq -r .boot.config <<<"$output")" /boot/grub/menu.lst
}

@test "beside a /boot of its own a subvolume of btrfs is no reason not to know" {
	need mkfs.btrfs
	add_disk xvda2 ext4 99999999-2222-3333-4444-555555555555
	FS_SIZE=200M add_disk xvda1 btrfs $UUID
	in_guest "$MOUNT_BTRFS; mkdir \$G/boot; mount -t ext4 /dev/xvda2 \$G/boot; ln -s . \$G/boot/boot
		HD=hd0,1; $(fill <<<"$MENU_SUBVOL"); run_check"
	assert_equal "$(verdict)" boots
}

@test "of a btrfs the subvolume that rootflags= names is mounted, or the default one: with the system in it" {
	local mount="mount -t btrfs -o subvol=@rootfs /dev/xvda1 \$G; mount -t ext4 /dev/xvda2 \$G/boot" expected flags
	need mkfs.btrfs
	add_disk xvda2 ext4 99999999-2222-3333-4444-555555555555
	FS_SIZE=200M add_disk xvda1 btrfs $UUID
	mkdir -p "$W/initrd/conf" "$W/guest"
	in_guest "$MOUNT_BTRFS; mkdir \$G/boot; mount -t ext4 /dev/xvda2 \$G/boot; ln -s . \$G/boot/boot
		HD=hd0,1; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" unknown # who made the initrd, and whether it has flags of its own, is not known
	assert_contains "$output" "rootflags=subvol=@rootfs is not on the command line"
	: >"$W/initrd/conf/initramfs.conf"
	make_initrd
	while read -r flags expected; do
		in_guest "$mount; HD=hd0,1; $(fill <<<"${MENU/root=/$flags root=}"); run_check"
		assert_equal "$flags: $(verdict)$(codes | sed -n 's/^root-sub/ &/p')" "$flags: $expected"
	done <<-EOF
		quiet fails root-subvolume
		rootflags=compress=zstd fails root-subvolume
		rootflags=subvol=@rootfs boots
		rootflags=compress=zstd,subvol=/@rootfs boots
		rootflags=subvol=@gone fails root-subvolume
		rootflags=subvolid=5 fails root-subvolume
	EOF
	in_guest "$mount; btrfs subvolume set-default \$G; HD=hd0,1; $(fill <<<"$MENU"); run_check"
	assert_equal "$(verdict)" boots
}

@test "a logical volume is no disk of its own for GRUB, and root= may name it in each way" {
	local verdict device root
	add_disk xvda luks
	add_disk mapper/vg-the--root ext4 $UUID
	while read -r verdict device root; do
		in_guest "mount -t ext4 /dev/mapper/vg-the--root \$G; HD=$device
			$(fill <<<"${MENU/root=UUID=$UUID/root=$root}"); run_check"
		assert_equal "$device $root: $(verdict)" "$device $root: $verdict"
	done <<-EOF
		boots lvm/vg-the--root /dev/mapper/vg-the--root
		boots lvm/vg-the--root /dev/vg/the-root
		fails lvm/vg-the--root /dev/mapper/vg-root
		fails hd1 /dev/mapper/vg-the--root
		unknown lvmid/abc/def /dev/mapper/vg-the--root
	EOF
}

# --- a disk that is mounted in a rescue system: fstab says UUID=, and nothing says xvda ---

# check_mounted DEVICE HD: the guest on that device, whose menu.lst has root (HD), as a tree.
check_mounted() {
	DEVICE=/dev/$1 HD=$2 PVK=$PVKPREP run --separate-stderr unshare --mount --propagation private bash -euc '
		G=$W/guest
		mount --bind "$W/dev" /dev
		mount -t ext4 "$DEVICE" $G
		'"$(fill <<<"$MENU")"'
		"$PVK" --root $G --check --json --profile=bitfolk'
	verdict
}

@test "a mounted disk without partitions: (hd0) is it, (hd0,0) is nothing, of (hd1) nothing is known" {
	add_disk sdz ext4 $UUID
	assert_equal "$(check_mounted sdz hd0)" boots
	assert_equal "$(check_mounted sdz hd0,0)" fails
	assert_equal "$(check_mounted sdz hd1)" unknown
}

partitioned() { mke2fs -q -F -t ext4 -U "$1" -E offset=1048576 "$2" 58M; }

@test "a mounted partition: (hd0,0) is it, (hd0) is nothing, of (hd0,1) nothing is known" {
	local disk number
	need addpart
	add_disk sdz partitioned $UUID
	disk=$(cat "$W/loops")
	losetup -d "$disk"
	disk=$(losetup -f -P --show "$W/sdz.img")
	echo "$disk" >"$W/loops"
	addpart "$disk" 1 2048 118784 # kernels need not know partition tables
	IFS=: read -r number <"/sys/class/block/${disk##*/}p1/dev"
	mknod "$W/dev/sdz1" b "${number%:*}" "${number#*:}"
	assert_equal "$(check_mounted sdz1 hd0,0)" boots
	assert_equal "$(check_mounted sdz1 hd0)" fails
	assert_equal "$(check_mounted sdz1 hd0,1)" unknown
}

@test "a kernel whose name another's begins with is told of, too" {
	mini_with lz4 "$W/boot/vmlinuz-1"
	cp "$W/boot/vmlinuz-1" "$W/boot/vmlinuz-10"
	G=$W/guest HD=hd0 bash -euc "$(fill <<<"${MENU//vmlinuz-1/vmlinuz-10}"); sed -i /^root/d \$G/boot/grub/menu.lst"
	run --separate-stderr "$PVKPREP" --root "$W/guest" --check --json --profile=bitfolk
	assert_contains "$(jq -r '.findings[] | select(.code == "kernel-refused").message' <<<"$output")" "/boot/vmlinuz-10: "
	assert_contains "$(jq -r '.findings[] | select(.code == "kernel-not-loadable").message' <<<"$output")" "/boot/vmlinuz-1 "
}

# in_rescue SCRIPT: /dev is the machine's with the guest's disks; the script mounts and fills $G.
in_rescue() {
	G=$W/guest PVK=$PVKPREP run --separate-stderr unshare --mount --propagation private bash -euc '
		mount --bind "$W/dev" /dev
		check() { "$PVK" --root "${1:-$G}" --check --json --profile=bitfolk; }
		'"$1"
}

@test "in a rescue system, too, the loader's paths begin above the subvolume of btrfs that is mounted" {
	local grub_cfg="set timeout=1\nset root=hd0\nmenuentry A {\nlinux %s/boot/vmlinuz-1 root=UUID=$UUID rootflags=subvol=@rootfs console=hvc0\ninitrd %s/boot/initrd.img-1\n}\n"
	local top="umount \$G; mount -t btrfs /dev/xvda1 \$G; ln -s @rootfs/boot \$G/boot"
	need mkfs.btrfs
	mkdir -p "$W/dev"
	mknod "$W/dev/null" c 1 3
	FS_SIZE=200M add_disk xvda1 btrfs $UUID
	# GRUB sees /@rootfs and nothing else.
	in_rescue "$MOUNT_BTRFS; $(fill <<<"printf '$grub_cfg' '' '' >\$G/boot/grub/grub.cfg"); check"
	assert_equal "$(verdict)" fails
	assert_contains "$(codes)" nothing-to-boot
	# What --prepare would write had paths from the subvolume: it writes none.
	in_rescue "mount -t btrfs -o subvol=@rootfs /dev/xvda1 \$G; rm \$G/boot/grub/grub.cfg
		'$PVKPREP' --root \$G --prepare || :; ! ls \$G/boot/grub/*"
	# shellcheck disable=SC2154 # run --separate-stderr sets it
	assert_contains "$stderr" "cannot be made: /boot is in a subvolume"
	# A link at the top makes them the same, also when all of it is mounted and the tree is in it.
	in_rescue "mount -t btrfs -o subvol=@rootfs /dev/xvda1 \$G; printf '$grub_cfg' '' '' >\$G/boot/grub/grub.cfg; $top
		umount \$G; mount -t btrfs -o subvol=@rootfs /dev/xvda1 \$G; check"
	assert_equal "$(verdict)" boots
	in_rescue "mount -t btrfs /dev/xvda1 \$G; rm \$G/boot; sed -i 's/ext4 defaults/btrfs subvol=@rootfs/' \$G/@rootfs/etc/fstab; check \$G/@rootfs"
	assert_equal "$(verdict)" fails
	assert_contains "$(codes)" nothing-to-boot
}

@test "in a rescue system what fstab has on disks that are not there is told, and no reason not to know" {
	local line boot=99999999-2222-3333-4444-555555555555
	local mount
	mount="mount -t ext4 /dev/sdz \$G; HD=hd0; $(fill <<<"$MENU")"
	mknod "$W/dev/null" c 1 3
	add_disk sdz ext4 $UUID
	add_disk sdy ext4 $boot
	in_rescue "$mount; printf '/dev/xvdb /mnt auto defaults,nofail 0 2\nLABEL=UEFI /boot/efi vfat umask=0077,noauto 0 1\n' >>\$G/etc/fstab; check"
	assert_equal "$(verdict)" boots
	assert_contains "$(jq -r '.findings[] | select(.code == "tree-disks").message' <<<"$output")" "/mnt, /boot/efi"
	# What is there has to be mounted, and so has what the guest does not do without.
	in_rescue "$mount; printf 'UUID=$boot /srv ext4 nofail 0 2\n' >>\$G/etc/fstab; check"
	assert_equal "$(verdict)" unknown
	for line in '/dev/xvdb /srv ext4 defaults' 'LABEL=data /srv ext4 defaults'; do
		in_rescue "$mount; echo '$line 0 2' >>\$G/etc/fstab; check"
		assert_equal "$line: $(verdict)" "$line: unknown"
	done
}

# The loader has no driver for it: whatever is there is not there.
@test "a menu on what the profile's loader cannot read: it fails, and a new menu is no cure" {
	local -a row
	local menu=${MENU/"root (%s)\\n"/}
	need mkfs.btrfs mkfs.xfs
	while read -ra row; do # verdicts, device, type, options of mkfs
		remove_disks
		rm -f "${W:?}/dev"/{xvda1,mapper/vg-root,md0}
		FS_SIZE=320M add_disk "${row[1]}" with_options $UUID "${row[@]:2}"
		in_guest "mount /dev/${row[1]} \$G; HD=; $(fill <<<"$menu")
			for profile in bitfolk pygrub pv-grub; do run_check \$profile || :; done"
		assert_equal "${row[*]:1}: $(verdict | paste -sd ,)" "${row[*]:1}: ${row[0]}"
		assert_equal "$(codes | grep -c fs-not-read)" "$(verdict | grep -c fails)"
		assert_equal "$(jq -r '.findings[].fix' <<<"$output" | tr -d '\n')" ""
	done <<-EOF
		boots,boots,boots xvda1 ext4
		fails,unknown,unknown xvda1 ext4 -O inline_data
		fails,unknown,unknown xvda1 ext4 -O ea_inode
		boots,boots,boots xvda1 ext4 -O metadata_csum_seed,large_dir
		boots,fails,unknown xvda1 btrfs
		boots,fails,fails xvda1 xfs
		boots,fails,fails mapper/vg-root ext4
		boots,unknown,unknown md0 ext4
	EOF
}

# with_options UUID TYPE OPTION… IMAGE
with_options() {
	local uuid=$1 type=$2
	shift 2
	case $type in
	btrfs) mkfs.btrfs -q -f -U "$uuid" "$@" >/dev/null ;;
	xfs) mkfs.xfs -q -f -m "uuid=$uuid" "$@" ;;
	*) mke2fs -q -F -t "$type" -U "$uuid" "$@" ;;
	esac
}
