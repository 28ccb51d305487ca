/* SPDX-License-Identifier: GPL-2.0-or-later */
/* errors.c - see errors.h */
#include "errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int pvk_fail(struct pvk_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (err) {
		err->code = code;
		err->sys_errno = 0;
		va_start(args, fmt);
		(void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
		va_end(args);
	}
	return -code;
}

int pvk_fail_errno(struct pvk_error *err, int sys_errno, const char *fmt, ...)
{
	char what[PVK_ERROR_MSG_MAX];
	va_list args;

	if (err) {
		va_start(args, fmt);
		(void)vsnprintf(what, sizeof(what), fmt, args);
		va_end(args);
		(void)pvk_fail(err, sys_errno, "%.400s: %.100s", what, strerror(sys_errno));
		err->sys_errno = sys_errno;
	}
	return -sys_errno;
}

void pvk_error_prefix(struct pvk_error *err, const char *fmt, ...)
{
	char prefix[PVK_ERROR_MSG_MAX];
	char old[PVK_ERROR_MSG_MAX];
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	(void)vsnprintf(prefix, sizeof(prefix), fmt, args);
	va_end(args);
	memcpy(old, err->msg, sizeof(old));
	(void)snprintf(err->msg, sizeof(err->msg), "%.250s: %.258s", prefix, old);
}

bool pvk_error_is_of_file(int result)
{
	return result <= -PVK_E_BASE && result != -PVK_E_WORKER && result != -PVK_E_INTERRUPTED;
}

void pvk_error_make_safe(struct pvk_error *err)
{
	err->msg[sizeof(err->msg) - 1] = '\0';
	for (char *c = err->msg; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			*c = '?';
}
