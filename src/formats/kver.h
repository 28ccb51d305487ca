/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kver.h - the order of kernel versions, as `dpkg --compare-versions` and update-grub see it.
 * Specification: deb-version(7), "Sorting algorithm" (upstream part).
 */
#ifndef PVK_KVER_H
#define PVK_KVER_H

/* Negative, 0 or positive, as strcmp. */
int kver_compare(const char *a, const char *b);

#endif
