/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.h - a guest's tree on disk, for the fuzz targets of what is read through a descriptor. One
 * in the life of the process; it goes at its end.
 */
#ifndef PVK_FUZZ_TREE_H
#define PVK_FUZZ_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "../../src/system/root.h"

/* The tree, made at the first call. */
const struct root *tree_get(void);

/* Replaces the content of a file of it, mode 0644; `path` as "boot/pvkprep/1.json". */
void tree_write(const char *path, const uint8_t *data, size_t size);

/* Removes a file of it, if it is there. */
void tree_remove(const char *path);

#endif
