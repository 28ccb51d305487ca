/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tmptree.c - see tmptree.h */
#include "tmptree.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"

static _Noreturn void die(const char *what)
{
	perror(what);
	abort();
}

void tmptree_init(struct tmptree *tree)
{
	const char *parent = getenv("TMPDIR");

	(void)snprintf(tree->path, sizeof(tree->path), "%s/pvk-unit.XXXXXX",
		       parent && strlen(parent) < 40 ? parent : "/tmp");
	if (!mkdtemp(tree->path))
		die(tree->path);
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0)
		die(tree->path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tmptree_done(struct tmptree *tree)
{
	close_keep_errno(&tree->fd);
	if (tree->path[0] != '\0')
		(void)nftw(tree->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	tree->path[0] = '\0';
}

static void make_parents(const struct tmptree *tree, const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		(void)mkdirat(tree->fd, part, 0755);
	}
}

void tmptree_mkdir(const struct tmptree *tree, const char *path)
{
	make_parents(tree, path);
	if (mkdirat(tree->fd, path, 0755) < 0)
		die(path);
}

void tmptree_write(const struct tmptree *tree, const char *path, struct bytes content)
{
	_cleanup_close_ int fd = -1;

	make_parents(tree, path);
	fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 ||
	    (content.size > 0 && write(fd, content.data, content.size) != (ssize_t)content.size))
		die(path);
}

void tmptree_write_text(const struct tmptree *tree, const char *path, const char *text)
{
	tmptree_write(tree, path, bytes_make(text, strlen(text)));
}

void tmptree_symlink(const struct tmptree *tree, const char *target, const char *path)
{
	make_parents(tree, path);
	if (symlinkat(target, tree->fd, path) < 0)
		die(path);
}

void tmptree_chmod(const struct tmptree *tree, const char *path, mode_t mode)
{
	if (fchmodat(tree->fd, path, mode, 0) < 0)
		die(path);
}

void tmptree_remove(const struct tmptree *tree, const char *path)
{
	if (unlinkat(tree->fd, path, 0) < 0)
		die(path);
}

bool tmptree_exists(const struct tmptree *tree, const char *path)
{
	struct stat st;

	return fstatat(tree->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

struct stat tmptree_stat(const struct tmptree *tree, const char *path)
{
	struct stat st;

	if (fstatat(tree->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		die(path);
	return st;
}

struct stream tmptree_read(const struct tmptree *tree, const char *path)
{
	_cleanup_close_ int fd = openat(tree->fd, path, O_RDONLY | O_CLOEXEC);
	struct stream stream;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	stream.size = (size_t)st.st_size;
	stream.data = malloc(stream.size + 1);
	if (!stream.data || read(fd, stream.data, stream.size) != st.st_size)
		die(path);
	stream.data[stream.size] = '\0';
	return stream;
}

bool tmptree_holds(const struct tmptree *tree, const char *path, struct bytes content)
{
	_cleanup_stream_ struct stream found = tmptree_read(tree, path);

	return found.size == content.size && memcmp(found.data, content.data, found.size) == 0;
}

unsigned tmptree_count(const struct tmptree *tree, const char *path)
{
	_cleanup_closedir_ DIR *dir = NULL;
	unsigned count = 0;
	int fd = openat(tree->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		die(path);
	while (readdir(dir))
		count++;
	return count - 2;
}
