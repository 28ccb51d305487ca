/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entries_file.h - one file of the boot entries (grub.cfg, menu.lst, a pvboot image): found through
 * symbolic links that stay inside the tree, read whole, replaced in one step.
 */
#ifndef PVK_ENTRIES_FILE_H
#define PVK_ENTRIES_FILE_H

#include <limits.h>
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../system/root.h"

struct entry_file {
	const struct root *root; /* borrowed */
	char path[PATH_MAX];	 /* in the guest, the last component's links followed */
	int fd;			 /* -1: there is no such file */
	struct stat st;		 /* with fd */
	struct bytes bytes;	 /* owned; no bytes where there is no file */
};

#define ENTRY_FILE_INIT ((struct entry_file){.fd = -1})

/*
 * 0 also where nothing is there; negative where something is that cannot be read, is no regular
 * file, or has more than max bytes. An empty file counts as one that is there.
 */
int entry_file_open(const struct root *root, const char *path, size_t max, struct entry_file *ret,
		    struct pvk_error *err);

void entry_file_close(struct entry_file *file);

#define _cleanup_entry_file_ _cleanup_(entry_file_close)

static inline bool entry_file_exists(const struct entry_file *file)
{
	return file->fd >= 0;
}

/*
 * Puts bytes in its place: owner, mode and attributes stay as they are; a new file is ours, 0644.
 * With keep_old the previous bytes are then in "<name>~". Missing directories on the way are made.
 * At any interruption the file is the old one or the new one.
 */
int entry_file_replace(const struct entry_file *file, struct bytes bytes, bool keep_old,
		       struct pvk_error *err);

/* Renames it to "<name><suffix>". */
int entry_file_move_aside(const struct entry_file *file, const char *suffix, struct pvk_error *err);

/* Removes what a killed run left beside it; how many files. Under the lock only. */
int entry_file_sweep(const struct entry_file *file);

#endif
