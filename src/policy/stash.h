/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stash.h - the packaged image, kept under /boot/pvkprep/packaged-<version>.
 */
#ifndef PVK_STASH_H
#define PVK_STASH_H

#include "../system/infile.h"
#include "bootdir.h"

#define PVK_REFUSED_PREFIX "refused-"

/*
 * Keeps the file that `original` holds open: by a hard link, which costs no space and is in place
 * in one step, or by a copy where the file system has no links. A copy kept earlier is replaced
 * (it belonged to an older package). On disk when it returns. boot->own_fd must be open.
 */
int stash_keep(const struct bootdir *boot, const struct kernel *kernel,
	       const struct infile *original, struct pvk_error *err);

/* The same for an image that is a file's no longer; owner, mode and attributes are like_fd's. */
int stash_write(const struct bootdir *boot, const struct kernel *kernel, struct bytes original,
		int like_fd, struct pvk_error *err);

/*
 * An image in /boot that cannot be started gets a second name, /boot/pvkprep/refused-<version>,
 * before the one of before it takes its place there. An earlier such one is replaced.
 */
int stash_keep_refused(const struct bootdir *boot, const struct kernel *kernel,
		       const struct infile *image, struct pvk_error *err);
/* The same, and it leaves /boot: one rename. */
int stash_set_refused_aside(const struct bootdir *boot, const struct kernel *kernel,
			    struct pvk_error *err);
bool stash_has_refused(const struct bootdir *boot, const struct kernel *kernel);
void stash_remove_refused(const struct bootdir *boot, const struct kernel *kernel);

/*
 * A record that is empty, since the disk is too full for one: withheld is all that it says. It
 * takes no block.
 */
int stash_mark_withheld(const struct bootdir *boot, const struct kernel *kernel,
			struct pvk_error *err);
bool stash_is_marked_withheld(const struct bootdir *boot, const struct kernel *kernel);

/* Is there a kept image for this kernel? Its size, or 0. */
uint64_t stash_size(const struct bootdir *boot, const struct kernel *kernel);

/*
 * Puts the kept image, which `packaged` holds open, into /boot under its own name as well: by a
 * second link, or a copy where the file system has none. The kept file stays.
 */
int stash_place(const struct bootdir *boot, const struct kernel *kernel,
		const struct infile *packaged, struct pvk_error *err);

/*
 * Takes the image out of /boot: it becomes the kept one, in one rename, which replaces one that was
 * kept before.
 */
int stash_set_aside(const struct bootdir *boot, const struct kernel *kernel, struct pvk_error *err);

/*
 * Puts the kept image back under its own name in one rename; both directories are on disk when it
 * returns.
 */
int stash_put_back(const struct bootdir *boot, const struct kernel *kernel, struct pvk_error *err);

#endif
