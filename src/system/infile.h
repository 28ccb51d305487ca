/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * infile.h - a kernel file, opened once and read once into private memory: what is judged, hashed
 * and decoded are the same bytes, and nobody can change them under us.
 */
#ifndef PVK_INFILE_H
#define PVK_INFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/errors.h"

struct infile {
	int fd;
	struct stat st;	    /* taken from the descriptor before the first byte was read */
	struct bytes bytes; /* private anonymous memory, after infile_read() */
};

#define INFILE_INIT ((struct infile){.fd = -1})

enum infile_check {
	INFILE_ANY,	/* a regular file; for --inspect */
	INFILE_TRUSTED, /* and owned by root or by ourselves, and not writable by others */
};

/*
 * Opens `name` below dirfd, never through a symbolic link, never blocking on a FIFO, and checks
 * the descriptor. -errno, or -PVK_E_REFUSED with what it is instead of a regular file.
 */
int infile_open(int dirfd, const char *name, enum infile_check check, struct infile *ret,
		struct pvk_error *err);

/* Takes over an open descriptor, with the same checks. On failure fd is closed. */
int infile_take(int fd, enum infile_check check, struct infile *ret, struct pvk_error *err);

/* Reads all of it (at most PVK_MAX_INPUT). -PVK_E_CHANGED if its size moved meanwhile. */
int infile_read(struct infile *file, struct pvk_error *err);

/* Do both speak of the same bytes: size, mtime; not ctime, which a hard link moves? */
bool infile_is_same_state(const struct stat *a, const struct stat *b);

/* Is the file what it was when it was opened, by that measure? */
int infile_verify_unchanged(const struct infile *file, struct pvk_error *err);

void infile_close(struct infile *file);

#define _cleanup_infile_ _cleanup_(infile_close)

#endif
