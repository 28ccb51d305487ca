/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root.c - see root.h */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "reopen.h"
#include "syscalls.h"

/* As the kernel's own limit (include/linux/namei.h: MAXSYMLINKS). */
#define MAX_SYMLINKS 40

static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int root_open(const char *path, struct root *ret, struct pvk_error *err)
{
	_cleanup_close_ int fd = -1;

	fd = open(path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pvk_fail_errno(err, errno, "%s: cannot open the tree",
				      text_quote(path ? path : "/").s);
	if (path && snprintf(ret->path, sizeof(ret->path), "%s", path) >= (int)sizeof(ret->path))
		return pvk_fail(err, ENAMETOOLONG, "path of the tree is too long");
	if (!path || strcmp(path, "/") == 0)
		ret->path[0] = '\0';
	ret->is_live = same_file(fd, "/");
	ret->fd = take_fd(&fd);
	return 0;
}

void root_close(struct root *root)
{
	close_keep_errno(&root->fd);
}

static const char *skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

static int resolve(const struct root *root, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	/* EAGAIN: a rename elsewhere disturbed the resolution; whoever goes on renaming for ever
	 * must not keep us. */
	for (int tries = 0; tries < 100; tries++) {
		fd = syscall(SYS_openat2, root->fd, skip_slashes(path), &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN)
			break;
	}
	/* ENOSYS: Linux before 5.6. EPERM: a container's filter that does not know the call. */
	if (errno == ENOSYS || errno == EPERM || errno == EAGAIN)
		return root_walk(root, path, flags);
	return -errno;
}

int root_openat(const struct root *root, const char *path, int flags)
{
	int fd;

	if (flags & (O_PATH | O_DIRECTORY))
		return resolve(root, path, flags);
	fd = resolve(root, path, O_PATH | (flags & O_NOFOLLOW));
	if (fd >= 0) {
		fd = reopen_path(fd, flags);
		if (fd == -ENOENT) /* no /proc */
			fd = resolve(root, path, flags);
	}
	return fd;
}

/*
 * The walk: `dir` is the directory reached, `reached` its path below the root, free of links and
 * dots; `rest` the path still to go.
 */
struct walk {
	int root_fd;
	int dir;
	unsigned links;
	char reached[PATH_MAX];
	char rest[PATH_MAX];
};

static int enter(struct walk *walk, const char *name)
{
	int fd = openat(walk->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	const size_t used = strlen(walk->reached);

	if (fd < 0)
		return -errno;
	(void)close(walk->dir);
	walk->dir = fd;
	if ((size_t)snprintf(walk->reached + used, PATH_MAX - used, "/%s", name) >= PATH_MAX - used)
		return -ENAMETOOLONG;
	return 0;
}

static int enter_root(struct walk *walk)
{
	int fd = fcntl(walk->root_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)close(walk->dir);
	walk->dir = fd;
	walk->reached[0] = '\0';
	return 0;
}

/* Puts the target of link `name` before what is left of the path, which begins with a slash or is
 * empty. */
static int follow(struct walk *walk, const char *name, const char *rest)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t len = readlinkat(walk->dir, name, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	if (++walk->links > MAX_SYMLINKS)
		return -ELOOP;
	target[len] = '\0';
	if (snprintf(joined, sizeof(joined), "%s%s", target, rest) >= (int)sizeof(joined))
		return -ENAMETOOLONG;
	if (target[0] == '/') {
		int r = enter_root(walk);

		if (r < 0)
			return r;
	}
	memcpy(walk->rest, joined, sizeof(joined));
	return 0;
}

/*
 * ".." is never opened: a directory that somebody moves meanwhile could have a parent outside the
 * tree. The walk starts again from the root, one component shorter.
 */
static int step_up(struct walk *walk, const char *rest)
{
	char joined[PATH_MAX];
	char *last = strrchr(walk->reached, '/');

	if (last)
		*last = '\0'; /* ".." of the root is the root */
	if (snprintf(joined, sizeof(joined), "%s%s", walk->reached, rest) >= (int)sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(walk->rest, joined, sizeof(joined));
	return enter_root(walk);
}

/* Takes one component; *ret_fd >= 0 when the last one was opened. */
static int step(struct walk *walk, int flags, int *ret_fd)
{
	char name[NAME_MAX + 1], rest[PATH_MAX];
	const char *start = skip_slashes(walk->rest);
	const size_t len = strcspn(start, "/");
	const bool is_last = start[len + strspn(start + len, "/")] == '\0';
	struct stat st;
	int r;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, len);
	name[len] = '\0';
	(void)snprintf(rest, sizeof(rest), "%s", start + len);
	/* As open(2) has it: a slash at the end asks for a directory, and follows a link. */
	if (is_last && rest[0] == '/')
		flags = (flags & ~O_NOFOLLOW) | O_DIRECTORY;
	if (strcmp(name, "..") == 0)
		return step_up(walk, rest);
	if (strcmp(name, ".") == 0)
		r = 0;
	else if (fstatat(walk->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	else if (S_ISLNK(st.st_mode) && !(is_last && flags & O_NOFOLLOW))
		return follow(walk, name, rest);
	else if (is_last) {
		*ret_fd = openat(walk->dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
		return *ret_fd < 0 ? -errno : 0;
	} else {
		r = enter(walk, name);
	}
	if (r < 0)
		return r;
	if (is_last) {
		*ret_fd = openat(walk->dir, ".", flags | O_CLOEXEC);
		return *ret_fd < 0 ? -errno : 0;
	}
	memcpy(walk->rest, rest, sizeof(rest));
	return 0;
}

int root_walk(const struct root *root, const char *path, int flags)
{
	struct walk walk = {.root_fd = root->fd, .dir = -1};
	int fd = -1, r;

	if (snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= (int)sizeof(walk.rest))
		return -ENAMETOOLONG;
	walk.dir = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);
	if (walk.dir < 0)
		return -errno;
	do
		r = step(&walk, flags, &fd);
	while (r == 0 && fd < 0);
	close_keep_errno(&walk.dir);
	return r < 0 ? r : fd;
}

bool root_has(const struct root *root, const char *path)
{
	_cleanup_close_ int fd = root_openat(root, path, O_PATH);

	return fd >= 0;
}

int root_read_file(const struct root *root, const char *path, size_t max, char **ret,
		   size_t *ret_size)
{
	_cleanup_close_ int fd = root_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t used = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	text = malloc(max + 1);
	if (!text)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, text + used, max + 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return -E2BIG;
	}
	text[used] = '\0';
	*ret = TAKE_PTR(text);
	*ret_size = used;
	return 0;
}
