/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - time for limits: what an administrator does to the clock does not change it. */
#ifndef PVK_CLOCK_H
#define PVK_CLOCK_H

#include <time.h>

/* Whole seconds since some moment. */
static inline time_t clock_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

#endif
