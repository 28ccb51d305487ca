/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_file.c - see entries_file.h */
#include "entries_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "../system/outfile.h"

#define LINKS_MAX 40

/* The directory part of a path of the tree, "/" where there is none. */
static void directory_of(const char *path, char dir[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	(void)snprintf(dir, PATH_MAX, "%.*s", slash && slash > path ? (int)(slash - path) : 1,
		       slash && slash > path ? path : "/");
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One step along a symbolic link: 1, 0 when it is none (or nothing is there), or negative. */
static int follow_link(const struct root *root, char path[PATH_MAX])
{
	_cleanup_close_ int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
	char target[PATH_MAX], dir[PATH_MAX], joined[PATH_MAX];
	ssize_t len;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	len = readlinkat(fd, "", target, sizeof(target) - 1);
	if (len <= 0)
		return 0;
	target[len] = '\0';
	directory_of(path, dir);
	if (snprintf(joined, sizeof(joined), "%s%s%s", target[0] == '/' ? "" : dir,
		     target[0] == '/' ? "" : "/", target) >= (int)sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(path, joined, sizeof(joined));
	return 1;
}

static int read_all(int fd, size_t max, struct bytes *ret, struct pvk_error *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t used = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (used == room) {
			uint8_t *grown = realloc(data, room ? room * 2 : 16384);

			if (!grown)
				return pvk_fail(err, ENOMEM, "no memory for it");
			data = grown;
			room = room ? room * 2 : 16384;
		}
		n = read(fd, data + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pvk_fail_errno(err, errno, "cannot read");
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return pvk_fail(err, PVK_E_LIMIT, "has more than %s", text_size(max).s);
	}
	*ret = bytes_make(TAKE_PTR(data), used);
	return 0;
}

int entry_file_open(const struct root *root, const char *path, size_t max, struct entry_file *ret,
		    struct pvk_error *err)
{
	_cleanup_entry_file_ struct entry_file file = ENTRY_FILE_INIT;
	int r = 1;

	file.root = root;
	(void)snprintf(file.path, sizeof(file.path), "%s", path);
	for (unsigned links = 0; r > 0; links++)
		r = links < LINKS_MAX ? follow_link(root, file.path) : -ELOOP;
	if (r < 0)
		return pvk_fail_errno(err, -r, "cannot be reached");
	r = root_openat(root, file.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return pvk_fail_errno(err, -r, "cannot open");
	if (r >= 0) {
		file.fd = r;
		if (fstat(file.fd, &file.st) < 0)
			return pvk_fail_errno(err, errno, "cannot read");
		if (!S_ISREG(file.st.st_mode))
			return pvk_fail(err, PVK_E_REFUSED, "is not a regular file");
		r = read_all(file.fd, max, &file.bytes, err);
		if (r < 0)
			return r;
	}
	*ret = file;
	file = ENTRY_FILE_INIT;
	return 0;
}

void entry_file_close(struct entry_file *file)
{
	close_keep_errno(&file->fd);
	free((void *)(uintptr_t)file->bytes.data);
	*file = ENTRY_FILE_INIT;
}

/* Opens a directory of the tree, and makes it where it is missing (0755). */
static int open_directory(const struct root *root, const char *dir)
{
	_cleanup_close_ int parent = -1;
	char above[PATH_MAX];
	int fd = root_openat(root, dir, O_RDONLY | O_DIRECTORY);

	if (fd != -ENOENT || strcmp(dir, "/") == 0)
		return fd;
	directory_of(dir, above);
	parent = open_directory(root, above);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name_of(dir), 0755) < 0 || fsync(parent) < 0)
		return -errno;
	return root_openat(root, dir, O_RDONLY | O_DIRECTORY);
}

static int put(int dirfd, const char *name, int like_fd, struct bytes bytes, struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	int r = outfile_begin(dirfd, bytes.size, &out, err);

	if (r < 0)
		return r;
	memcpy(out.data, bytes.data, bytes.size);
	return outfile_commit(&out, like_fd, name, err);
}

int entry_file_replace(const struct entry_file *file, struct bytes bytes, bool keep_old,
		       struct pvk_error *err)
{
	_cleanup_close_ int dirfd = -1;
	char dir[PATH_MAX], old_name[PATH_MAX + 1];
	const char *name = name_of(file->path);
	int r = 0;

	directory_of(file->path, dir);
	dirfd = open_directory(file->root, dir);
	if (dirfd < 0)
		return pvk_fail_errno(err, -dirfd, "cannot open its directory");
	(void)snprintf(old_name, sizeof(old_name), "%s~", name);
	if (keep_old && file->bytes.size > 0)
		r = put(dirfd, old_name, file->fd, file->bytes, err);
	return r < 0 ? r : put(dirfd, name, file->fd, bytes, err);
}

int entry_file_move_aside(const struct entry_file *file, const char *suffix, struct pvk_error *err)
{
	_cleanup_close_ int dirfd = -1;
	char dir[PATH_MAX], aside[PATH_MAX + 32];
	const char *name = name_of(file->path);

	directory_of(file->path, dir);
	dirfd = root_openat(file->root, dir, O_RDONLY | O_DIRECTORY);
	if (dirfd < 0)
		return pvk_fail_errno(err, -dirfd, "cannot open its directory");
	(void)snprintf(aside, sizeof(aside), "%s%s", name, suffix);
	if (renameat(dirfd, name, dirfd, aside) < 0 || fsync(dirfd) < 0)
		return pvk_fail_errno(err, errno, "cannot move it aside");
	return 0;
}

int entry_file_sweep(const struct entry_file *file)
{
	_cleanup_close_ int dirfd = -1;
	char dir[PATH_MAX];

	directory_of(file->path, dir);
	dirfd = root_openat(file->root, dir, O_RDONLY | O_DIRECTORY);
	return dirfd < 0 ? 0 : outfile_sweep(dirfd);
}
