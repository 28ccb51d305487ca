/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entries_facts.h - what boot entries are made of: the kernels with their initrds, the root device,
 * the file system that holds /boot, the system's name.
 */
#ifndef PVK_ENTRIES_FACTS_H
#define PVK_ENTRIES_FACTS_H

#include <sys/stat.h>

#include "../bootcfg/bootgen.h"
#include "../system/guest.h"
#include "apply.h"

struct entries_kernel {
	const struct kernel *kernel; /* borrowed from the list */
	struct stat image;
	bool has_initrd;
	char initrd_name[NAME_MAX + 1];
	struct stat initrd;
	char kernel_path[NAME_MAX + 16]; /* as the loader sees them */
	char initrd_path[NAME_MAX + 16];
};

#define ENTRIES_IN_SUBVOLUME \
	"cannot be made: /boot is in a subvolume of btrfs, above which the loader's paths begin"

struct entries_facts {
	struct kernel_list list;
	struct entries_kernel *kernels; /* owned: those that the loader can start, in menu order */
	struct bootgen_kernel *listed;	/* owned: the same for the generators */
	size_t count;
	bool is_boot_separate; /* /boot is a file system of its own */
	bool is_in_subvolume;  /* the loader's paths are not those that are in `kernels`: no menu of
				  ours (ENTRIES_IN_SUBVOLUME) */
	bool has_fstab_root;   /* /etc/fstab names "/" */
	char root_spec[256];   /* "UUID=…", "/dev/xvda1"; empty: not known */
	char root_flags[256];  /* "rootflags=subvol=@rootfs"; empty: none are needed */
	char fs_uuid[64];      /* of the file system that holds /boot; empty: not known */
	char groot[64];	       /* its name for GRUB 0.97: "(hd0,0)" */
	bool is_groot_known;
	char title[128];
};

/*
 * Menu order: newest first, but a kernel that has no initrd comes after those that have one (it may
 * get its own in a moment, and until then it must not be what boots). assume_prepared: kernels that
 * could be prepared count as ready.
 */
int entries_facts_gather(const struct apply *apply, enum guest_mode guest, bool assume_prepared,
			 struct entries_facts *ret, struct pvk_error *err);

/* What a kernel is told: "root=… rootflags=… ro", as much of it as is known. */
#define ENTRIES_OPTIONS_MAX 544
void entries_facts_options(const struct entries_facts *facts, char buf[ENTRIES_OPTIONS_MAX]);

void entries_facts_done(struct entries_facts *facts);

#endif
