/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup.h - the one way to unwind: a variable marked here gives back what it owns when it goes
 * out of scope; take_fd() and TAKE_PTR() hand the ownership on.
 */
#ifndef PVK_CLEANUP_H
#define PVK_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* For descriptors that were only read: nothing is lost when close() fails. */
static inline void close_keep_errno(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		(void)close(*fd);
		errno = saved;
	}
	*fd = -1;
}

static inline void free_pointer(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

static inline void fclose_keep_errno(FILE **stream)
{
	if (*stream) {
		int saved = errno;

		(void)fclose(*stream);
		errno = saved;
	}
}

static inline void closedir_pointer(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define _cleanup_close_	   _cleanup_(close_keep_errno)
#define _cleanup_free_	   _cleanup_(free_pointer)
#define _cleanup_fclose_   _cleanup_(fclose_keep_errno)
#define _cleanup_closedir_ _cleanup_(closedir_pointer)

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define TAKE_PTR(pointer)                               \
	({                                              \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	})

#endif
