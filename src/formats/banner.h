/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * banner.h - the kernel's version as it will print it: "Linux version ..." (init/version.c).
 */
#ifndef PVK_BANNER_H
#define PVK_BANNER_H

#include <stddef.h>

#include "../base/bytes.h"

/*
 * The text behind "Linux version ", which a digit must begin, up to the end of the line; cut to
 * size, without bytes that cannot be printed, and empty if there is none. Linux 6.1 and later hold
 * two: the one with a build number ("#1 SMP") is preferred to the template ("# SMP").
 */
void banner_find(struct bytes loaded, char *buf, size_t size);

#endif
