/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * withhold.h - a kernel that could not be prepared does not become what boots next, as long as
 * another one can boot: it is kept out of /boot, and so out of every menu.
 */
#ifndef PVK_WITHHOLD_H
#define PVK_WITHHOLD_H

#include "apply.h"

enum withhold_kind {
	WITHHOLD_NOT_NEEDED, /* in /boot, but an older kernel than one that boots: never the default
			      */
	WITHHOLD_EARLIER, /* the image of before the update is in place, and boots; `changed`: since
			     the update is refused (refuse.h) */
	WITHHOLD_DONE,	  /* not in /boot; another kernel boots */
	WITHHOLD_HOPELESS, /* no kernel here can boot: the packaged image is in place */
};

struct withhold {
	enum withhold_kind kind;
	bool changed;		/* /boot has a kernel more or less than before */
	struct kernel fallback; /* WITHHOLD_DONE, _NOT_NEEDED: the newest that boots */
};

/*
 * Can the loader start the image in /boot? By its record, or by examining it. 1 or 0; negative when
 * that could not be found out (no memory, an error of the disk, a dead worker, a signal).
 */
int withhold_look(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err);

/* The same, where what cannot be found out does not count. */
bool withhold_is_loadable(const struct apply *apply, const struct kernel *kernel);

/*
 * Sees to a kernel whose preparation just failed. is_new: it is being installed right now, so
 * nobody relies on it yet. A failure leaves it where it was.
 */
int withhold_settle(const struct apply *apply, const struct kernel *kernel, bool is_new,
		    struct withhold *ret, struct pvk_error *err);

/*
 * Is the kernel neither in /boot nor with the initrd that it will have there? Just unpacked, and
 * not configured yet: without its initrd it must not be there when the menus are written.
 */
bool withhold_awaits_initrd(const struct apply *apply, const struct kernel *kernel);

/*
 * Was this kernel, as it is kept now, withheld by an earlier run? Not so one that was just
 * unpacked, and still waits for its hooks.
 */
bool withhold_is_known(const struct apply *apply, const struct kernel *kernel);

#endif
