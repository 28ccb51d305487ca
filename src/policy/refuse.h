/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refuse.h - an update that cannot be started, in the place of a kernel whose packaged image of
 * before is kept: it is refused, and the kernel is prepared once more of the one of before. For
 * kernels that nobody diverts; a diverted update is never in that place.
 */
#ifndef PVK_REFUSE_H
#define PVK_REFUSE_H

#include "apply.h"

/*
 * Refuses the image in /boot, if it is one that no room and no time would make start, and the kept
 * one is not known to be damaged (the record has its digest): it stays as
 * /boot/pvkprep/refused-<version>. 1; or 0 if this is no such case. A failure, which is also that
 * the image could not be looked at now, leaves it or another whole one in place; the kept one stays
 * in any case.
 */
int refuse_update(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err);

/* Is what boots still that of before a refused update? By the record, which has the digest of what
 * is kept. */
bool refuse_is_in_force(const struct apply *apply, const struct kernel *kernel,
			struct digest_text *ret_kept);

/*
 * The kernel was prepared: of the kept image that refuse_is_in_force() told of before (NULL: it did
 * not), and so it stays; or of another one, and what was refused is of the past and goes.
 */
void refuse_follow(const struct apply *apply, const struct kernel *kernel,
		   const struct digest_text *kept);

/*
 * Takes such an image out of /boot, where the kept one will not do either: it becomes
 * refused-<version>, for nothing is to be lost in its favour. 1, 0 if this is no such case, or a
 * failure: that cannot be told now.
 */
int refuse_take_out(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err);

#endif
