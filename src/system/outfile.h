/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outfile.h - the atomic replacement of a file.
 *
 *	outfile_begin()    temp file beside the target, all its space allocated, mapped shared
 *	(fill outfile.data)
 *	outfile_commit()   owner, mode, xattrs, fsync, rename, fsync of the directory;
 *			   or outfile_settle(), a last look at the target, and outfile_rename()
 *	outfile_abort()    at any time before: nothing is left behind
 *
 * Until commit's rename the target is untouched; after it, it is whole and on disk. The temp name
 * begins with a dot and does not look like a kernel, so no menu generator lists it
 * (grub.d/10_linux takes vmlinuz-* and kernel-*; linux-version vmlinu[xz]-*). A temp file that a
 * kill left behind is removed by outfile_sweep(), which needs the lock (lock.h).
 */
#ifndef PVK_OUTFILE_H
#define PVK_OUTFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/errors.h"

#define OUTFILE_PREFIX ".pvkprep."

struct outfile {
	int dirfd; /* borrowed */
	int fd;
	uint8_t *data; /* shared, writable mapping of the temp file */
	size_t size;
	char temp[32];
	char held[32];	/* outfile_hold()'s */
	struct stat st; /* of the temp file, once it is on disk */
};

#define OUTFILE_INIT ((struct outfile){.dirfd = -1, .fd = -1})

/*
 * Creates the temp file (0600) in dirfd with `size` bytes really allocated, and maps it. ENOSPC
 * and EDQUOT come here, not as a SIGBUS while decoding. size > 0.
 */
int outfile_begin(int dirfd, uint64_t size, struct outfile *ret, struct pvk_error *err);

/*
 * Gives the temp file the owner, mode and extended attributes of like_fd, but for those that hold a
 * digest or signature of its bytes (like_fd < 0: 0644 and ours), puts it on disk and renames it to
 * `name`. The mapping is gone afterwards, whatever the result. On failure the temp file is gone and
 * the target as it was, except when only the last fsync of the directory failed: then the message
 * says that the new file is in place.
 */
int outfile_commit(struct outfile *out, int like_fd, const char *name, struct pvk_error *err);

/*
 * outfile_commit() in two: all that takes time, and the rename. Between them the caller makes sure
 * that the target is what he means to replace.
 */
int outfile_settle(struct outfile *out, int like_fd, const char *name, struct pvk_error *err);
int outfile_rename(struct outfile *out, const char *name, struct pvk_error *err);

/* Forgets it: unmaps, closes, unlinks. Safe to call again, and after commit. */
void outfile_abort(struct outfile *out);

#define _cleanup_outfile_ _cleanup_(outfile_abort)

/*
 * Around a rename over a name that GRUB reads, which does not replay journals (disk.h). The new
 * file, fsync'ed before, gets its inode to its place, lest a directory that comes there first name
 * one that is not there yet; and where the rename would remove the old file's last link, that one
 * gets a temporary name, lest its inode be cleared in its place while the directory there still
 * names it. outfile_release(), after the rename and the fsync of the directory, brings the
 * directory to its place and removes that name. Best effort: neither fails. `held` is "" without.
 */
void outfile_hold(int dirfd, const char *name, char held[32]);
void outfile_release(int dirfd, const char held[32]);

/* A small file that no boot loader reads (records), in the same atomic way. */
int outfile_replace(int dirfd, const char *name, const void *data, size_t size,
		    struct pvk_error *err);

/* A name ".pvkprep.<16 hex digits>" that nobody can foresee. */
void outfile_temp_name(char name[32]);

/* Removes stale temp files in dirfd. Returns how many; call it under the lock only. */
int outfile_sweep(int dirfd);

#endif
