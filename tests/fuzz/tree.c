/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.c - see tree.h */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[PATH_MAX];
static struct root root;

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void remove_tree(void)
{
	(void)nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const struct root *tree_get(void)
{
	const char *parent = getenv("TMPDIR");

	if (top[0] != '\0')
		return &root;
	(void)snprintf(top, sizeof(top), "%s/pvkprep-fuzz.XXXXXX", parent ? parent : "/tmp");
	must(mkdtemp(top) != NULL, top);
	must(atexit(remove_tree) == 0, "atexit");
	must(root_open(top, &root, NULL) == 0, top);
	return &root;
}

/* The directories on the way, if they are not there. */
static void make_parents(const char *path)
{
	char parent[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		(void)mkdirat(root.fd, parent, 0755);
	}
}

void tree_write(const char *path, const uint8_t *data, size_t size)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	int fd;

	(void)tree_get();
	fd = openat(root.fd, path, flags, 0644);
	if (fd < 0) {
		make_parents(path);
		fd = openat(root.fd, path, flags, 0644);
	}
	must(fd >= 0, path);
	must(write(fd, data, size) == (ssize_t)size, path);
	must(fchmod(fd, 0644) == 0 && close(fd) == 0, path);
}

void tree_remove(const char *path)
{
	must(unlinkat(tree_get()->fd, path, 0) == 0 || errno == ENOENT, path);
}
