/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root.h - the tree we work on: "/" or the directory given with --root. Every path of the guest is
 * resolved below its descriptor, as if it were the root directory: neither ".." nor an absolute
 * symbolic link leads out of it. openat2(2) with RESOLVE_IN_ROOT does that in the kernel (Linux
 * 5.6); elsewhere root_walk() does it component by component.
 */
#ifndef PVK_ROOT_H
#define PVK_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../base/errors.h"

struct root {
	int fd;		     /* O_PATH-like directory descriptor, close-on-exec */
	bool is_live;	     /* this is the running system's own "/" */
	char path[PATH_MAX]; /* as given, for messages: "" for "/" */
};

/* Opens the tree; path NULL means "/". The caller closes with root_close(). */
int root_open(const char *path, struct root *ret, struct pvk_error *err);
void root_close(struct root *root);

/*
 * Opens a path of the guest ("/boot/x" and "boot/x" are the same). O_CLOEXEC is added. Symbolic
 * links are followed inside the tree; with O_NOFOLLOW not the last one. Devices, FIFOs and sockets
 * are not opened, their descriptor is one with O_PATH (reopen.h). Returns a descriptor or -errno,
 * and prints or fills nothing: absence is often no error.
 */
int root_openat(const struct root *root, const char *path, int flags);

/* Is something there, links followed? What cannot be looked at is not. */
bool root_has(const struct root *root, const char *path);

/* root_openat() without openat2, for kernels before 5.6; public for the tests that compare both. */
int root_walk(const struct root *root, const char *path, int flags);

/* Reads a small text file of the guest whole (at most `max` bytes, else -E2BIG); *ret is malloc'ed
 * and NUL-terminated, *ret_size without the NUL. Only regular files. -errno. */
int root_read_file(const struct root *root, const char *path, size_t max, char **ret,
		   size_t *ret_size);

#endif
