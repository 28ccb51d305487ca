/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outfile.c - see outfile.h */
#include "outfile.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "disk.h"

void outfile_temp_name(char name[32])
{
	uint64_t random = 0;

	/* O_EXCL guards against a clash; without randomness (never seen) the pid must do. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint64_t)getpid();
	(void)snprintf(name, 32, OUTFILE_PREFIX "%016llx", (unsigned long long)random);
}

/* Every block is ours before the first byte is decoded, so that a full disk is an error here. */
static int allocate(int fd, uint64_t size)
{
	if (fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	/* A file system without the call: the library writes a byte into each block. */
	return -posix_fallocate(fd, 0, (off_t)size);
}

int outfile_begin(int dirfd, uint64_t size, struct outfile *ret, struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	void *map;
	int r;

	if (size == 0 || size > SIZE_MAX / 2)
		return pvk_fail(err, EFBIG, "cannot write a file of %llu bytes",
				(unsigned long long)size);
	out.dirfd = dirfd;
	outfile_temp_name(out.temp);
	out.fd = openat(dirfd, out.temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out.fd < 0) {
		out.temp[0] = '\0'; /* after a clash the name is another's: not ours to unlink */
		return pvk_fail_errno(err, errno, "cannot create a temporary file beside it");
	}
	r = allocate(out.fd, size);
	if (r < 0)
		return pvk_fail_errno(err, -r, "cannot allocate %s beside it", text_size(size).s);
	map = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, out.fd, 0);
	if (map == MAP_FAILED)
		return pvk_fail_errno(err, errno, "cannot map the temporary file");
	out.data = map;
	out.size = (size_t)size;
	*ret = out;
	out = OUTFILE_INIT;
	return 0;
}

static int copy_one_xattr(int from, int to, const char *name, struct pvk_error *err)
{
	_cleanup_free_ char *value = NULL;
	ssize_t len = fgetxattr(from, name, NULL, 0);

	if (len < 0)
		return errno == ENODATA ? 0
					: pvk_fail_errno(err, errno, "cannot read attribute %s",
							 text_quote(name).s);
	value = malloc((size_t)len + 1);
	if (!value)
		return pvk_fail(err, ENOMEM, "no memory for attribute %s", text_quote(name).s);
	len = fgetxattr(from, name, value, (size_t)len);
	if (len < 0 || fsetxattr(to, name, value, (size_t)len, 0) < 0)
		return pvk_fail_errno(err, errno, "cannot copy attribute %s", text_quote(name).s);
	return 0;
}

/*
 * Digest and signature of a file's bytes (Linux, security/integrity): with those of other bytes a
 * kernel that enforces them lets nobody read the file.
 */
static bool is_about_the_bytes(const char *name)
{
	return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* Security labels, ACLs and user attributes are all extended attributes. */
static int copy_xattrs(int from, int to, struct pvk_error *err)
{
	_cleanup_free_ char *names = NULL;
	ssize_t len = flistxattr(from, NULL, 0);

	if (len <= 0)
		return len == 0 || errno == ENOTSUP
			       ? 0
			       : pvk_fail_errno(err, errno, "cannot list its attributes");
	names = malloc((size_t)len);
	if (!names)
		return pvk_fail(err, ENOMEM, "no memory for its attributes");
	len = flistxattr(from, names, (size_t)len);
	if (len < 0)
		return pvk_fail_errno(err, errno, "cannot list its attributes");
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		int r = is_about_the_bytes(name) ? 0 : copy_one_xattr(from, to, name, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_metadata(int from, int to, struct pvk_error *err)
{
	struct stat st, own;
	int r;

	if (from < 0)
		return fchmod(to, 0644) < 0 ? pvk_fail_errno(err, errno, "cannot set its mode") : 0;
	if (fstat(from, &st) < 0 || fstat(to, &own) < 0)
		return pvk_fail_errno(err, errno, "cannot read its owner and mode");
	if ((st.st_uid != own.st_uid || st.st_gid != own.st_gid) &&
	    fchown(to, st.st_uid, st.st_gid) < 0)
		return pvk_fail_errno(err, errno, "cannot set its owner");
	/* After chown, which clears mode bits; before the ACL, which may narrow them. */
	if (fchmod(to, st.st_mode & 07777) < 0)
		return pvk_fail_errno(err, errno, "cannot set its mode");
	r = copy_xattrs(from, to, err);
	return r;
}

static int put_on_disk(struct outfile *out, struct pvk_error *err)
{
	if (munmap(out->data, out->size) < 0)
		return pvk_fail_errno(err, errno, "cannot unmap the temporary file");
	out->data = NULL;
	if (fsync(out->fd) < 0 || fstat(out->fd, &out->st) < 0)
		return pvk_fail_errno(err, errno, "cannot write the new image to disk");
	if (close(take_fd(&out->fd)) < 0)
		return pvk_fail_errno(err, errno, "cannot close the new image");
	return 0;
}

void outfile_hold(int dirfd, const char *name, char held[32])
{
	struct stat st;

	held[0] = '\0';
	disk_checkpoint(dirfd);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_nlink != 1)
		return;
	outfile_temp_name(held);
	if (linkat(dirfd, name, dirfd, held, 0) < 0)
		held[0] = '\0';
}

void outfile_release(int dirfd, const char held[32])
{
	if (held[0] == '\0')
		return;
	disk_checkpoint(dirfd);
	(void)unlinkat(dirfd, held, 0);
}

static int settle(struct outfile *out, int like_fd, struct pvk_error *err)
{
	int r = copy_metadata(like_fd, out->fd, err);

	return r < 0 ? r : put_on_disk(out, err);
}

int outfile_settle(struct outfile *out, int like_fd, const char *name, struct pvk_error *err)
{
	int r = settle(out, like_fd, err);

	if (r < 0)
		outfile_abort(out);
	else
		outfile_hold(out->dirfd, name, out->held);
	return r;
}

int outfile_rename(struct outfile *out, const char *name, struct pvk_error *err)
{
	const int dirfd = out->dirfd;
	int r = 0;

	if (renameat(dirfd, out->temp, dirfd, name) < 0) {
		r = pvk_fail_errno(err, errno, "cannot rename the new image into place");
		outfile_abort(out);
		return r;
	}
	out->temp[0] = '\0';
	if (fsync(dirfd) < 0)
		r = pvk_fail_errno(
			err, errno,
			"the new file is in place, but its directory cannot be written to disk");
	outfile_release(dirfd, out->held);
	*out = OUTFILE_INIT;
	return r;
}

int outfile_commit(struct outfile *out, int like_fd, const char *name, struct pvk_error *err)
{
	int r = outfile_settle(out, like_fd, name, err);

	return r < 0 ? r : outfile_rename(out, name, err);
}

void outfile_abort(struct outfile *out)
{
	if (out->data)
		(void)munmap(out->data, out->size);
	if (out->temp[0] != '\0' && out->dirfd >= 0)
		(void)unlinkat(out->dirfd, out->temp, 0);
	if (out->held[0] != '\0')
		(void)unlinkat(out->dirfd, out->held, 0);
	close_keep_errno(&out->fd);
	*out = OUTFILE_INIT;
}

int outfile_replace(int dirfd, const char *name, const void *data, size_t size,
		    struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	int r = outfile_begin(dirfd, size, &out, err);

	if (r < 0)
		return r;
	assert(out.data);
	memcpy(out.data, data, size);
	r = settle(&out, -1, err);
	return r < 0 ? r : outfile_rename(&out, name, err);
}

static bool is_temp_name(const char *name)
{
	const size_t prefix = sizeof(OUTFILE_PREFIX) - 1;

	return strncmp(name, OUTFILE_PREFIX, prefix) == 0 && strlen(name) == prefix + 16 &&
	       strspn(name + prefix, "0123456789abcdef") == 16;
}

int outfile_sweep(int dirfd)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int swept = 0;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_keep_errno(&fd);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL)
		if (is_temp_name(entry->d_name) && unlinkat(dirfd, entry->d_name, 0) == 0)
			swept++;
	return swept;
}
