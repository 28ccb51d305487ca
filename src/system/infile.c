/* SPDX-License-Identifier: GPL-2.0-or-later */
/* infile.c - see infile.h */
#include "infile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../formats/limits.h"
#include "reopen.h"

/* NONBLOCK: a FIFO must not hang us; NOCTTY: a terminal must not become ours. */
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static const char *kind_of_file(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "no regular file";
	}
}

static int refuse_symlink(int dirfd, const char *name, struct pvk_error *err)
{
	char target[PATH_MAX] = "";

	if (readlinkat(dirfd, name, target, sizeof(target) - 1) < 0)
		return pvk_fail(err, PVK_E_REFUSED, "is a symbolic link");
	return pvk_fail(err, PVK_E_REFUSED, "is a symbolic link to %s", text_quote(target).s);
}

static int check_kind(const struct stat *st, enum infile_check check, struct pvk_error *err)
{
	if (!S_ISREG(st->st_mode))
		return pvk_fail(err, PVK_E_REFUSED, "is %s, not a regular file",
				kind_of_file(st->st_mode));
	if ((uint64_t)st->st_size > PVK_MAX_INPUT)
		return pvk_fail(err, PVK_E_LIMIT, "is %s large, over the limit of %s",
				text_size((uint64_t)st->st_size).s, text_size(PVK_MAX_INPUT).s);
	if (check == INFILE_ANY)
		return 0;
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return pvk_fail(err, PVK_E_REFUSED, "belongs to user %u, not to root",
				(unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return pvk_fail(err, PVK_E_REFUSED,
				"can be written by others than its owner (mode %04o)",
				(unsigned)(st->st_mode & 07777));
	return 0;
}

int infile_take(int fd, enum infile_check check, struct infile *ret, struct pvk_error *err)
{
	_cleanup_close_ int owned = fd;
	struct infile file = INFILE_INIT;
	int r;

	if (fstat(owned, &file.st) < 0)
		return pvk_fail_errno(err, errno, "cannot read");
	r = check_kind(&file.st, check, err);
	if (r < 0)
		return r;
	file.fd = take_fd(&owned);
	*ret = file;
	return 0;
}

int infile_open(int dirfd, const char *name, enum infile_check check, struct infile *ret,
		struct pvk_error *err)
{
	int fd = reopen_openat(dirfd, name, OPEN_FLAGS);

	if (fd >= 0)
		return infile_take(fd, check, ret, err);
	if (fd == -ELOOP)
		return refuse_symlink(dirfd, name, err);
	return pvk_fail_errno(err, -fd, "cannot open");
}

static int read_into(int fd, uint8_t *data, size_t size, struct pvk_error *err)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, data + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pvk_fail_errno(err, errno, "cannot read");
		if (n == 0)
			return pvk_fail(err, PVK_E_CHANGED, "was cut short while it was read");
		used += (size_t)n;
	}
	return 0;
}

int infile_read(struct infile *file, struct pvk_error *err)
{
	const size_t size = (size_t)file->st.st_size;
	uint8_t *data;
	int r;

	if (size == 0) {
		file->bytes = bytes_make(NULL, 0);
		return 0;
	}
	/* Anonymous memory, not a mapping of the file: that could change, or fail with SIGBUS. */
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return pvk_fail_errno(err, errno, "no memory for %s", text_size(size).s);
	/* A hint: large pages make reading, and forking the worker, cheaper. */
	(void)madvise(data, size, MADV_HUGEPAGE);
	r = read_into(file->fd, data, size, err);
	if (r == 0)
		r = infile_verify_unchanged(file, err);
	if (r < 0) {
		(void)munmap(data, size);
		return r;
	}
	file->bytes = bytes_make(data, size);
	return 0;
}

bool infile_is_same_state(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int infile_verify_unchanged(const struct infile *file, struct pvk_error *err)
{
	struct stat now;

	if (fstat(file->fd, &now) < 0)
		return pvk_fail_errno(err, errno, "cannot read");
	if (!infile_is_same_state(&now, &file->st))
		return pvk_fail(err, PVK_E_CHANGED,
				"was changed by somebody else while it was read");
	return 0;
}

void infile_close(struct infile *file)
{
	if (file->bytes.data)
		(void)munmap((void *)(uintptr_t)file->bytes.data, file->bytes.size);
	file->bytes = bytes_make(NULL, 0);
	close_keep_errno(&file->fd);
}
