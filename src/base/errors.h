/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * errors.h - the one error channel.
 *
 * A function that can fail returns int: 0 or positive is fine, negative is -errno or -PVK_E_*.
 * Beside it goes an optional struct pvk_error with the sentence. The place that knows writes the
 * sentence (lower case, no full stop, cause last); callers may put the file's name before it; only
 * the program's top floor prints it. The struct holds no pointer, so that a worker process can
 * send it through a pipe as it is.
 */
#ifndef PVK_ERRORS_H
#define PVK_ERRORS_H

#include <stdbool.h>

#include "banned.h"

#define PVK_ERROR_MSG_MAX 512

enum pvk_error_code {
	PVK_E_BASE = 1024, /* above every errno */
	PVK_E_FORMAT,	   /* not a file of the kind it was taken for */
	PVK_E_TRUNCATED,   /* the file or stream ends before it should */
	PVK_E_CORRUPT,	   /* wrong checksum, or bytes that no encoder makes */
	PVK_E_TRAILING,	   /* bytes behind the end of a stream */
	PVK_E_SIZE,	   /* the size found is not the size declared */
	PVK_E_LIMIT,	   /* over one of our limits */
	PVK_E_UNSUPPORTED, /* recognised, and nothing that we can prepare */
	PVK_E_NOT_PV,	   /* sound, but no Xen PV kernel that every loader takes */
	PVK_E_REFUSED,	   /* not touched for safety: owner, mode, kind of file, MD5 */
	PVK_E_CHANGED,	   /* the file changed while we worked on it */
	PVK_E_NO_SPACE,	   /* checked beforehand: it would not fit */
	PVK_E_WORKER,	   /* the confined process died or broke its protocol */
	PVK_E_BUSY,	   /* another run holds the lock */
	PVK_E_CONFIG,	   /* configuration or command line */
	PVK_E_INTERRUPTED, /* a signal asked us to stop */
};

struct pvk_error {
	int code;      /* positive errno or PVK_E_*; 0: nothing was set */
	int sys_errno; /* errno behind it, 0 if none */
	char msg[PVK_ERROR_MSG_MAX];
};

/* Fills err (may be NULL) and returns -code, so that `return pvk_fail(...)` reads well. */
int pvk_fail(struct pvk_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a failed system call: appends ": " and the error's text; returns -sys_errno. */
int pvk_fail_errno(struct pvk_error *err, int sys_errno, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "text: " before a message that is already there. Does nothing when err is NULL. */
void pvk_error_prefix(struct pvk_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Does the result of looking at a file speak of the file? False for success, and for what is of the
 * moment: a system call that failed, a worker that did not work, a signal.
 */
bool pvk_error_is_of_file(int result);

/* For one that an untrusted process sent: the message ends, and every byte of it that is not
 * printable ASCII becomes '?'. */
void pvk_error_make_safe(struct pvk_error *err);

#endif
