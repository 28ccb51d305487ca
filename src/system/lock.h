/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h - one writing run at a time: flock(2) on the boot directory itself, so that there is no
 * lock file to leave behind, and the lock ends with the process however it ends.
 */
#ifndef PVK_LOCK_H
#define PVK_LOCK_H

#include "../base/errors.h"

/* apt's hooks may overlap by a moment; a run that takes longer than this is told instead. */
#define PVK_LOCK_SECONDS 20

/* Waits up to PVK_LOCK_SECONDS; then -PVK_E_BUSY. The lock goes when dirfd is closed. */
int lock_take(int dirfd, struct pvk_error *err);

#endif
