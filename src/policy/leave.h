/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leave.h - ends: of a kernel whose package is removed, and of pvkprep itself.
 */
#ifndef PVK_LEAVE_H
#define PVK_LEAVE_H

#include "apply.h"

/*
 * Before dpkg unpacks a kernel: its image goes to where the diversion says. An image that is in
 * /boot gets its second name first, so it is never absent. 0 also where there is nothing to divert
 * (no dpkg image in /boot: linux-base's 00-legacy-boot makes it); *ret_why tells then.
 */
int leave_room_for_update(const struct apply *apply, const struct kernel *kernel,
			  struct pvk_error *ret_why, struct pvk_error *err);

struct leave_removed {
	bool image;	  /* vmlinuz-<version> went */
	bool other;	  /* a file of ours in /boot/pvkprep went */
	bool image_stays; /* the diversion went, but the image in its place is somebody else's */
};

/*
 * The kernel's package is gone: so is what we made of it. Nothing is done while dpkg still has an
 * image of that name (another package took it over). aborted: the installation came to nothing, so
 * only a diversion that leads nowhere goes.
 */
int leave_kernel(const struct apply *apply, const struct kernel *kernel, bool aborted,
		 struct leave_removed *ret, struct pvk_error *err);

/*
 * The same for all diverted kernels that no package has any more: their removal ran none of our
 * hooks, or they were never unpacked. An image goes only if its record tells that it is ours.
 * Calls `see` for each. Not for the time between a kernel's preinst and unpack.
 */
void leave_orphans(const struct apply *apply,
		   void (*see)(void *context, const struct kernel *kernel,
			       const struct leave_removed *removed),
		   void *context);

enum leave_kind {
	LEAVE_UNTOUCHED,  /* nothing of ours about it */
	LEAVE_RESTORED,	  /* the packaged image is in place */
	LEAVE_PREPARED,	  /* the prepared image stays, since the loader reads no other */
	LEAVE_UNLOADABLE, /* no loader starts what is in place, and it could not be made again */
	LEAVE_ABSENT,	  /* it was withheld, and stays out of /boot: another one boots */
};

struct leave {
	enum leave_kind kind;
	bool original_stays;  /* no package has it, or LEAVE_UNLOADABLE: it is the only good one */
	bool refused_stays;   /* an update of no package was refused (refuse.h), and is kept */
	struct pvk_error why; /* LEAVE_UNLOADABLE */
};

/*
 * pvkprep is being removed: no diversion and no file of ours stays for this kernel, and what boots
 * goes on booting; a damaged image is made again first. needs_prepared: the guest's loader reads
 * only prepared images (a PV guest).
 */
int leave_for_good(const struct apply *apply, const struct kernel *kernel, bool needs_prepared,
		   struct leave *ret, struct pvk_error *err);

/* Removes /boot/pvkprep if it is empty. */
void leave_own_dir(struct bootdir *boot);

#endif
