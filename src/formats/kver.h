/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kver.h - the order of kernel versions, as `sort -V` and update-grub (2.12 and later) see it.
 * Specification: deb-version(7), "Sorting algorithm", upstream part. `dpkg --compare-versions`
 * takes what follows the last hyphen for a Debian revision, and so differs where one version has a
 * "+" in its number and the other has not.
 */
#ifndef PVK_KVER_H
#define PVK_KVER_H

/* Negative, 0 or positive, as strcmp. */
int kver_compare(const char *a, const char *b);

#endif
