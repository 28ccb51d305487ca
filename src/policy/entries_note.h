/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entries_note.h - /boot/pvkprep/entries: a digest of what the boot entries depend on, and the
 * verdict on it, from a run that had nothing to complain of. As long as it is the same, a run costs
 * a few dozen stat calls. The file can be lost at any time.
 *
 * In the digest: the configuration; inode, size, mode, mtime and ctime of every file in /boot,
 * /boot/grub, /boot/xen and of the like places of a loader, of /etc/fstab, /sbin/init, of what the
 * links in / lead to, and of the owners' programs; which kernels have modules; the names that udev
 * has for file systems (/dev/disk). Not in it: files on file systems that are not mounted, memory;
 * --check looks at those. Where what boots depends on a file that is in none of these places
 * (bootmodel.h), nothing is noted.
 */
#ifndef PVK_ENTRIES_NOTE_H
#define PVK_ENTRIES_NOTE_H

#include "entries.h"

/* The file's first line. */
struct entries_digest {
	char text[128]; /* empty: none could be made */
};

/* What things depend on, as it is now: to be taken before anything is looked at. */
void entries_digest(const struct entries_request *request, struct entries_digest *ret);

/* Is this the noted state? Then *ret has is_known and the verdict of then. */
bool entries_is_noted(const struct entries_request *request, const struct entries_digest *now,
		      struct entries *ret);

/* Notes it, with the verdict in `entries`. Best effort. */
void entries_note(const struct entries_request *request, const struct entries_digest *digest,
		  const struct entries *entries);

/* Is the path one of a directory whose files are in the digest? */
bool entries_note_covers(const char *path);

#endif
