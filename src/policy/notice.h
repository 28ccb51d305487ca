/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notice.h - /run/pvkprep/notice: there while something about the next boot is not as it should
 * be, for update-motd.d and for whoever watches machines. Only on the running system.
 */
#ifndef PVK_NOTICE_H
#define PVK_NOTICE_H

#include <stddef.h>

#include "../system/root.h"

#define NOTICE_MAX 8192

/* The text that stands there; empty: none does. */
void notice_read(const struct root *root, char text[NOTICE_MAX]);

/* Writes it, or takes it away where text is empty. The same text is not written again. */
int notice_set(const struct root *root, const char *text, struct pvk_error *err);

#endif
