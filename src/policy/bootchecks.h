/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootchecks.h - what follows once the loader has something to start: the kernel, its initrds, its
 * command line, its modules, its root device, its memory. Each check adds findings to the model
 * and worsens the verdict where the guest would not come back.
 */
#ifndef PVK_BOOTCHECKS_H
#define PVK_BOOTCHECKS_H

#include "bootworld.h"

/* Fills model->boot from what is started, and checks it. */
void bootchecks_target(struct bootworld *world, struct bootmodel *model,
		       const struct grub_boot *boot);

/* What the evaluation itself told: errors on the way, a dropped argument, modules for a payload. */
void bootchecks_prediction(struct bootworld *world, struct bootmodel *model,
			   const struct grub_prediction *prediction);

/* Adds a finding for each kernel that the loader was asked for and refused. */
void bootchecks_refused(const struct bootworld *world, struct bootmodel *model);

/* All initrds of a boot together. */
struct initrd_sum {
	bool is_sound; /* each was read to its end, or there is none */
	bool is_run;   /* the kernel starts what is in them; else it mounts root= by itself */
	bool has_init, may_have_init;
	enum initrd_fault init_fault;
	enum initrd_maker maker;
	bool has_blkfront; /* for this kernel */
	bool has_modules;
	bool has_fs[INITRD_FS_COUNT];
	uint64_t size;
};

/* The initrds of what is started, for a kernel of that version. */
void bootchecks_initrds(struct bootworld *world, struct bootmodel *model,
			const struct grub_boot *boot, const char *version, struct initrd_sum *ret);

/* Its command line: above all, is there the root that it names? */
void bootchecks_cmdline(const struct bootworld *world, struct bootmodel *model,
			const struct grub_boot *boot, const char *version,
			const struct initrd_sum *initrds);

/* What is started in the end, and does it come to a login? The volume is what is mounted as root;
 * NULL: not known. */
void bootchecks_init(const struct bootworld *world, struct bootmodel *model,
		     const struct guestfs_volume *volume, const struct initrd_sum *initrds);

/* Some systems mount it by other means than root= says ("boot=live"). */
bool bootchecks_has_other_boot(const struct bootmodel *model);

/* The last value of an option on a command line, or NULL. */
const char *bootchecks_find_option(const char *cmdline, const char *name, char *buf, size_t size);

/* Is a driver part of that kernel, as its modules.builtin has it ("xen-blkfront")? */
enum grub_answer bootchecks_is_builtin(const struct bootworld *world, const char *version,
				       const char *driver);

/* Is the chained image the one that grub-install made, so that what it does is known? False: it
 * stops before it reads a configuration, for it lacks the module that does that. */
bool bootchecks_pvboot(struct bootworld *world, struct bootmodel *model,
		       const struct guestfs_volume *volume, const char *path,
		       const struct guestfs_volume *config_volume);

/* Once, for a guest that is PVH or HVM. */
void bootchecks_native(const struct bootworld *world, struct bootmodel *model);

/* One configuration as pygrub reads it. True if it ends the search, false: the next place. */
bool bootchecks_pygrub(struct bootworld *world, struct bootmodel *model, struct boot_step *step,
		       const struct guestfs_volume *volume, const char *path);

#endif
