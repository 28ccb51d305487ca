# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of the Debian package share: chroots out of Debian's archive, kernel packages, and
# sentences about results. They run as root in a mount namespace of their own (see `run`), so that
# nothing can stay mounted, whatever happens.

BUILD=${PVK_BUILD:?set by tests/debian/run}
CACHE=$BUILD/debian # survives: base chroots, kernels
WORK=$BUILD/debian/work
TOOLS=$BUILD/tests/tools
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C
# No initrd is made while INITRD=No; FAST: fewer looks.
INITRD='' FAST=''

die() {
	echo "Bail out! $*"
	exit 1
}

# --- results ---

number=0 failures=0

# result NAME COMMAND…: one line of TAP; what the command says only when it fails.
result() {
	local name=$1 log
	shift
	number=$((number + 1))
	if log=$("$@" 2>&1); then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		printf '%s\n' "$log" | tail -n 30 | sed 's/^/# /'
		failures=$((failures + 1))
	fi
}

plan() {
	echo "1..$number"
	[ "$failures" -eq 0 ]
}

# --- the archive ---

# shellcheck source=scripts/archive.bash
. "$HERE/../../scripts/archive.bash"
# shellcheck disable=SC2034 # of archive.bash
archive=$BUILD/archive

# sources SUITE: one line of sources.list each. UBUNTU: the URI of a mirror of Ubuntu's archive, whose
# signatures Debian 12 has no key for.
sources() {
	case $1 in
	focal | jammy | noble)
		[ -n "${UBUNTU:-}" ] || die "UBUNTU= does not name a mirror of Ubuntu's archive"
		echo "deb [trusted=yes] $UBUNTU $1 main universe"
		echo "deb [trusted=yes] $UBUNTU $1-updates main universe"
		;;
	*) echo "deb $(archive_uri "$1") main" ;;
	esac
}

# fetch_kernel NAME SUITE META: the kernel that META depends on, as $CACHE/kernels/NAME.deb.
fetch_kernel() {
	local out=$CACHE/kernels/$1.deb package deb
	[ ! -s "$out" ] || return 0
	package=$(archive_kernel "$2" "$3") && deb=$(archive_package "$2" "$package") || exit 1
	ln -sfn "$deb" "$out"
}

# parts_of NAME SUITE: what else of that kernel its package depends on, a path a line: forky and later
# have the image, its modules and what both share in packages of their own.
parts_of() {
	local part
	dpkg-deb -f "$CACHE/kernels/$1.deb" Depends | tr ',' '\n' |
		sed -n "s/^ *\(linux-[^ ]*-$(kernel_abi "$1")\) .*/\1/p" |
		while read -r part; do archive_package "$2" "$part"; done
}

kernel_abi() { dpkg-deb -f "$CACHE/kernels/$1.deb" Package | sed 's/^linux-image-//'; }

# --- kernel packages ---

# kernel_image NAME: the bzImage of a fetched package, unpacked once.
kernel_image() {
	local image=$CACHE/kernels/$1.vmlinuz
	if [ ! -s "$image" ]; then
		dpkg-deb --fsys-tarfile "$CACHE/kernels/$1.deb" |
			tar -xO --wildcards './boot/vmlinuz-*' >"$image.part"
		mv "$image.part" "$image"
	fi
	echo "$image"
}

# repacked KIND: the kernel "lz4" with its payload in another compression (fast levels: only the
# format matters); KIND broken: a bit of its payload is wrong.
repacked() {
	local kind=$1 out=$CACHE/kernels/repacked.$1 plain=$CACHE/kernels/vmlinux base size
	base=$(kernel_image lz4)
	if [ ! -s "$plain" ]; then
		"$TOOLS/repack" stream "$base" "$plain.lz4"
		lz4 -q -dc "$plain.lz4" >"$plain.part"
		rm "$plain.lz4"
		mv "$plain.part" "$plain"
	fi
	if [ ! -s "$out" ]; then
		size=$(stat -c %s "$plain")
		case $kind in
		lz4) cp "$base" "$out.part" ;;
		broken) # XZ has a checksum; LZ4 as the kernel uses it has none
			cp "$(repacked xz)" "$out.part"
			"$TOOLS/repack" flip "$out.part" payload+5000000
			;;
		not-pv) gzip -n </bin/true >"$out.stream" && size=- ;;
		zstd) zstd -q -3 <"$plain" >"$out.stream" ;;
		gzip) gzip -n -3 <"$plain" >"$out.stream" && size=- ;;
		xz) xz -0 --check=crc32 --x86 --lzma2=preset=0,dict=4MiB <"$plain" >"$out.stream" ;;
		esac
		[ ! -e "$out.stream" ] || "$TOOLS/repack" replace "$base" "$out.stream" "$out.part" "$size"
		rm -f "$out.stream"
		mv "$out.part" "$out"
	fi
	echo "$out"
}

# make_kernel ABI VERSION IMAGE DIR [TREE]: a kernel package with Debian's own maintainer scripts, that
# image, and hardly any modules, so that a test installs it in a second; TREE: files that it has, too.
make_kernel() {
	local abi=$1 version=$2 image=$3 dir=$4 tree old
	tree=$(mktemp -d "$CACHE/tree.XXXXXX")
	old=$(kernel_abi lz4)
	dpkg-deb -e "$CACHE/kernels/lz4.deb" "$tree/DEBIAN"
	sed -i "s/${old//./\\.}/$abi/g" "$tree"/DEBIAN/{control,preinst,postinst,prerm,postrm}
	sed -i -e "s/^Version:.*/Version: $version/" -e "s/^Installed-Size:.*/Installed-Size: 15000/" \
		-e '/^\(Recommends\|Suggests\|Source\|Built-Using\):/d' "$tree/DEBIAN/control"
	mkdir -p "$tree/boot" "$tree/lib/modules/$abi"
	cp --reflink=auto "$image" "$tree/boot/vmlinuz-$abi"
	echo "CONFIG_XEN_PV=y" >"$tree/boot/config-$abi"
	: >"$tree/lib/modules/$abi/modules.order"
	: >"$tree/lib/modules/$abi/modules.builtin"
	[ $# -lt 5 ] || cp -r "$5/." "$tree/"
	chmod 644 "$tree/boot/"*
	(cd "$tree" && find boot lib -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
	chmod 755 "$tree"
	dpkg-deb --root-owner-group -Znone -b "$tree" "$dir/" >/dev/null
	rm -rf "$tree"
}

# With a Release file, so that unattended-upgrades can be told which origin to take.
index_repo() {
	(
		cd "$1" && dpkg-scanpackages -m . >Packages 2>/dev/null && gzip -nkf Packages &&
			{
				printf 'Origin: pvkprep-tests\nLabel: pvkprep-tests\nSuite: stable\nDate: %s\nSHA256:\n' "$(date -Ru)"
				for file in Packages Packages.gz; do
					printf ' %s %s %s\n' "$(sha256sum <$file | cut -d' ' -f1)" "$(stat -c %s $file)" $file
				done
			} >Release
	)
}

# --- chroots ---

# What every base has beside the kernel's own needs. No recommends: a small guest.
common_packages=grub2-common,initramfs-tools,linux-base,zstd,lz4,debsums,ca-certificates,eatmydata,strace,kmod

# make_base SUITE PACKAGES [LATER]: $CACHE/SUITE.tar, a minimal system with those packages, a stub for
# grub-probe (there is no real disk below it), and an empty grub.cfg for zz-update-grub to fill.
# LATER: a package whose configuration needs the stub.
make_base() {
	local suite=$1 packages=$2 later=${3:-} tar=$CACHE/$1.tar
	local -a sources
	[ ! -s "$tar" ] || [ "$(cat "$tar.packages" 2>/dev/null)" != "$packages $later" ] || return 0
	mapfile -t sources < <(sources "$suite")
	echo "# base chroot of $suite (once)"
	mkdir -p "$CACHE"
	# shellcheck disable=SC2016 # $1 is mmdebstrap's
	mmdebstrap --variant=minbase --include="$common_packages,$packages" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
		--setup-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/dpkg/dpkg.cfg.d" "$1/boot/grub"
			echo COMPRESS=zstd >"$1/etc/initramfs-tools/conf.d/compress"
			: >"$1/boot/grub/grub.cfg"' \
		--customize-hook='rm -f "$1/etc/dpkg/dpkg.cfg.d/unsafe-io"' \
		--customize-hook="install -m 755 '$HERE/grub-probe' \"\$1/usr/local/share/grub-probe\"" \
		--customize-hook='chroot "$1" dpkg-divert --quiet --local --rename --add /usr/sbin/grub-probe
			mv "$1/usr/local/share/grub-probe" "$1/usr/sbin/grub-probe"
			printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"
			chmod 755 "$1/usr/sbin/policy-rc.d"' \
		--customize-hook="${later:+APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get --yes -oDPkg::Chroot-Directory=\"\$1\" install }${later:-true}" \
		"$suite" "$CACHE/new-$suite.tar" "${sources[@]}" >"$CACHE/$suite.log" 2>&1 ||
		die "cannot make a base of $suite: $(tail -n 3 "$CACHE/$suite.log" | tr '\n' ' ')"
	mv "$CACHE/new-$suite.tar" "$tar"
	echo "$packages $later" >"$tar.packages"
}

# open_chroot NAME TAR: $WORK/NAME with its mounts; sets ROOT.
open_chroot() {
	ROOT=$WORK/$1
	rm -rf --one-file-system "$ROOT"
	mkdir -p "$ROOT"
	tar -x -f "$2" -C "$ROOT" --exclude=./dev/'*'
	# A minimal base has no init, and a guest without one does not come back.
	[ -e "$ROOT/sbin/init" ] || [ -L "$ROOT/sbin/init" ] || : >"$ROOT/sbin/init"
	mount_system
}

mount_system() {
	mount -t proc proc "$ROOT/proc"
	mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
	mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
	mkdir -p "$ROOT/run/lock" "$ROOT/dev/shm"
	mknod -m 666 "$ROOT/dev/null" c 1 3
	mknod -m 666 "$ROOT/dev/zero" c 1 5
	mknod -m 666 "$ROOT/dev/full" c 1 7
	mknod -m 666 "$ROOT/dev/random" c 1 8
	mknod -m 666 "$ROOT/dev/urandom" c 1 9
	mknod -m 666 "$ROOT/dev/tty" c 5 0
	ln -s /proc/self/fd "$ROOT/dev/fd"
}

umount_all() { # everything below $1, innermost first
	awk -v top="$1/" 'index($2, top) == 1 { print $2 }' /proc/mounts | sort -r | while read -r dir; do
		umount -l "$dir"
	done
}

close_chroot() {
	umount_all "$ROOT"
	rm -rf --one-file-system "$ROOT"
}

# inside COMMAND…: in the chroot, with the environment of a root shell and nothing of ours.
inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 ${INITRD:+INITRD=$INITRD} \
		chroot "$ROOT" "$@" </dev/null
}

apt() { inside eatmydata apt-get -q -y -o Dpkg::Use-Pty=0 -o Acquire::Languages=none "$@"; }

# offer DEB…: the repository of the chroot holds them now, and apt knows.
offer() {
	mkdir -p "$ROOT/repo"
	[ $# -eq 0 ] || ln -f "$@" "$ROOT/repo/" 2>/dev/null || cp "$@" "$ROOT/repo/"
	index_repo "$ROOT/repo"
	echo "deb [trusted=yes] file:/repo ./" >"$ROOT/etc/apt/sources.list"
	rm -f "$ROOT"/etc/apt/sources.list.d/*
	apt update
}

# --- looking at the result ---

magic() { od -An -tx1 -N4 "$1" | tr -d ' \n'; }

versions() { # of the kernels in /boot
	(cd "$ROOT/boot" && for image in vmlinuz-*; do [ -e "$image" ] && echo "${image#vmlinuz-}"; done)
	return 0
}

# is_loadable VERSION: by GRUB's own judgement, and to the end of every segment; GRUB's tool does
# not see a cut file, so the ELF headers are read here, too.
is_loadable() {
	local image=$ROOT/boot/vmlinuz-$1
	grub-file --is-x86_64-xen-domu "$image" || {
		echo "$1: grub-file refuses it"
		return 1
	}
	[ "$(magic "$image")" != 7f454c46 ] || python3 "$HERE/elf-is-whole" "$image"
}

all_loadable() {
	local version
	for version in $(versions); do
		is_loadable "$version" || return 1
	done
}

default_kernel() { # of grub.cfg: the first entry's
	sed -nE 's/^[[:space:]]*linux[[:space:]]+(\/boot)?\/vmlinuz-([^[:space:]]+).*/\2/p' "$ROOT/boot/grub/grub.cfg" | head -n 1
}

# Each kernel has exactly one entry (beside recovery) in each menu, with its initrd where it has one.
menus_are_right() {
	local version cfg=$ROOT/boot/grub/grub.cfg lst=$ROOT/boot/grub/menu.lst
	for version in $(versions); do
		grep -q "linux.*/vmlinuz-$version " "$cfg" || { echo "grub.cfg lacks $version"; return 1; }
		[ "$(grep -c "Loading Linux $version " "$cfg")" -le 3 ] || { echo "grub.cfg lists $version too often"; return 1; }
		[ ! -e "$ROOT/boot/initrd.img-$version" ] || grep -q "initrd.*/initrd.img-$version" "$cfg" ||
			{ echo "grub.cfg has no initrd for $version"; return 1; }
		[ ! -e "$lst" ] || [ "$(grep -c "^kernel.*/vmlinuz-$version .* ro *$\|^kernel.*/vmlinuz-$version .*ro *\(quiet\)\? *$" "$lst")" -eq 1 ] ||
			{ echo "menu.lst does not list $version once:"; grep "^kernel" "$lst"; return 1; }
	done
	# shellcheck disable=SC2013 # words are what is wanted
	for version in $(sed -nE 's/.*\/vmlinuz-([^[:space:]]+).*/\1/p' "$cfg" | sort -u); do
		[ -e "$ROOT/boot/vmlinuz-$version" ] || { echo "grub.cfg lists $version, which is not there"; return 1; }
	done
	! grep -E 'vmlinuz-[^ ]*(pvkprep|packaged|dpkg)' "$cfg" || return 1
	[ -n "${FAST:-}" ] || ! inside update-grub 2>&1 | grep -E 'pvkprep|packaged' || return 1
}

dpkg_is_sane() {
	local audit
	audit=$(inside dpkg --audit)
	[ -z "$audit" ] || { echo "$audit"; return 1; }
	verify_is_clean
}

# Of the kernels only: minbase systems have gaps of their own, and our configuration file is edited.
our_packages() {
	# shellcheck disable=SC2016 # dpkg's own
	inside dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'linux-image-*' 'linux-binary-*' 2>/dev/null |
		sed -n 's/^installed //p'
}

verify_is_clean() {
	local out package
	for package in $(our_packages); do
		out=$(inside dpkg --verify "$package") || true
		[ -z "$out" ] || { echo "dpkg --verify $package: $out"; return 1; }
	done
}

debsums_is_clean() {
	local out package
	for package in $(our_packages); do
		out=$(inside debsums -s "$package" 2>&1) || { echo "debsums $package: $out"; return 1; }
		[ -z "$out" ] || { echo "$out"; return 1; }
	done
}

# But for the menus and the digest of them: the checks themselves run update-grub.
boot_listing() { (cd "$ROOT/boot" && find . -type f ! -path './grub/*' ! -path ./pvkprep/entries -printf '%p %i %s %T@ %C@\n' | sort); }

# A second run writes nothing and says nothing.
is_idempotent() {
	local before after out
	before=$(boot_listing)
	out=$(inside pvkprep --hook apt 2>&1) || { echo "$out"; return 1; }
	after=$(boot_listing)
	[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after"); return 1; }
	[ -z "$out" ] || { echo "it said: $out"; return 1; }
}

no_strays() { # no file of ours that should not be there
	local found
	found=$(find "$ROOT/boot" \( -name '.pvkprep.*' -o -name '*.dpkg-*' -o -name '*~' ! -name 'menu.lst~' \) )
	[ -z "$found" ] || { echo "strays: $found"; return 1; }
}

# The state after every good step.
all_is_well() {
	all_loadable && menus_are_right && dpkg_is_sane && debsums_is_clean && is_idempotent && no_strays
}
