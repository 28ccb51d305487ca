/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stash.c - see stash.h */
#include "stash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../system/outfile.h"

static bool is_same_file(int dirfd, const char *name, const struct stat *st)
{
	struct stat found;

	return fstatat(dirfd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       found.st_dev == st->st_dev && found.st_ino == st->st_ino;
}

/* One of the two names of an image: where it is, or where it is to be. */
struct place {
	int dirfd;
	const char *name;
};

/* Links the open file itself, not whatever bears its name by now. */
static int link_descriptor(const struct infile *file, struct place from, int to_dirfd,
			   const char *temp)
{
	char proc[64];

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", file->fd);
	if (linkat(AT_FDCWD, proc, to_dirfd, temp, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT && errno != EXDEV)
		return -errno;
	/* No /proc (a bare chroot), or a file system that minds: by name, and look what it was. */
	if (linkat(from.dirfd, from.name, to_dirfd, temp, 0) < 0)
		return -errno;
	if (is_same_file(to_dirfd, temp, &file->st))
		return 0;
	(void)unlinkat(to_dirfd, temp, 0);
	return -ESTALE;
}

static int copy_bytes(struct bytes bytes, int like_fd, struct place to, struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	int r = outfile_begin(to.dirfd, bytes.size, &out, err);

	if (r < 0)
		return r;
	memcpy(out.data, bytes.data, bytes.size);
	return outfile_commit(&out, like_fd, to.name, err);
}

static bool has_no_links(int error)
{
	return error == EPERM || error == EMLINK || error == EOPNOTSUPP || error == ENOSYS ||
	       error == EXDEV;
}

static int rename_over(struct place to, const char *temp)
{
	const int r = renameat(to.dirfd, temp, to.dirfd, to.name) < 0 ? -errno : 0;

	/* Where it failed; or between two links of one file, of which rename(2) leaves both. */
	(void)unlinkat(to.dirfd, temp, 0);
	if (r < 0)
		return r;
	return fsync(to.dirfd) < 0 ? -errno : 0;
}

/* The file under another name too, whatever bore that name before. -errno, or as copy_bytes(). */
static int duplicate(const struct infile *file, struct place from, struct place to,
		     struct pvk_error *err)
{
	char temp[32];
	int r;

	if (is_same_file(to.dirfd, to.name, &file->st))
		return 0;
	outfile_temp_name(temp);
	r = link_descriptor(file, from, to.dirfd, temp);
	if (r < 0 && has_no_links(-r))
		return copy_bytes(file->bytes, file->fd, to, err);
	if (r == 0)
		r = rename_over(to, temp);
	return r < 0 ? pvk_fail_errno(err, -r, "cannot link it") : 0;
}

static void prefix_cannot_keep(const struct kernel *kernel, struct pvk_error *err)
{
	pvk_error_prefix(err, "cannot keep the packaged image as '/boot/" PVK_OWN_DIR "/%s'",
			 text_escape(kernel->packaged).s);
}

int stash_keep(const struct bootdir *boot, const struct kernel *kernel,
	       const struct infile *original, struct pvk_error *err)
{
	const struct place image = {boot->fd, kernel->file};
	const struct place kept = {boot->own_fd, kernel->packaged};
	int r = duplicate(original, image, kept, err);

	if (r < 0)
		prefix_cannot_keep(kernel, err);
	return r;
}

int stash_write(const struct bootdir *boot, const struct kernel *kernel, struct bytes original,
		int like_fd, struct pvk_error *err)
{
	const struct place kept = {boot->own_fd, kernel->packaged};
	int r = copy_bytes(original, like_fd, kept, err);

	if (r < 0)
		prefix_cannot_keep(kernel, err);
	return r;
}

int stash_place(const struct bootdir *boot, const struct kernel *kernel,
		const struct infile *packaged, struct pvk_error *err)
{
	const struct place image = {boot->fd, kernel->file};
	const struct place kept = {boot->own_fd, kernel->packaged};
	char held[32];
	int r;

	outfile_hold(boot->fd, kernel->file, held);
	r = duplicate(packaged, kept, image, err);
	outfile_release(boot->fd, held);
	if (r < 0)
		pvk_error_prefix(err, "cannot put the packaged image into '/boot'");
	return r;
}

static int set_aside(const struct bootdir *boot, const struct kernel *kernel, const char *kept,
		     struct pvk_error *err)
{
	struct stat st;
	int r;

	r = fstatat(boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW);
	/* Kept already: the rename would leave both names. */
	if (r == 0 && is_same_file(boot->own_fd, kept, &st))
		r = unlinkat(boot->fd, kernel->file, 0);
	else if (r == 0)
		r = renameat(boot->fd, kernel->file, boot->own_fd, kept);
	if (r < 0)
		return pvk_fail_errno(err, errno, "cannot take the image out of '/boot'");
	if (fsync(boot->fd) < 0 || fsync(boot->own_fd) < 0)
		return pvk_fail_errno(
			err, errno,
			"the image is taken out of '/boot', but the directory cannot be written to disk");
	return 0;
}

int stash_set_aside(const struct bootdir *boot, const struct kernel *kernel, struct pvk_error *err)
{
	return set_aside(boot, kernel, kernel->packaged, err);
}

/* --- an update that was refused --- */

struct refused {
	char name[NAME_MAX + 1];
};

static struct refused name_refused(const struct kernel *kernel)
{
	struct refused refused;

	/* Shorter than kernel->packaged, which fits. */
	(void)snprintf(refused.name, sizeof(refused.name), PVK_REFUSED_PREFIX "%.246s",
		       kernel->version);
	return refused;
}

int stash_keep_refused(const struct bootdir *boot, const struct kernel *kernel,
		       const struct infile *image, struct pvk_error *err)
{
	const struct refused refused = name_refused(kernel);
	const struct place from = {boot->fd, kernel->file};
	const struct place kept = {boot->own_fd, refused.name};
	int r = duplicate(image, from, kept, err);

	if (r < 0)
		pvk_error_prefix(err, "cannot keep it as '/boot/" PVK_OWN_DIR "/%s'",
				 text_escape(refused.name).s);
	return r;
}

int stash_set_refused_aside(const struct bootdir *boot, const struct kernel *kernel,
			    struct pvk_error *err)
{
	return set_aside(boot, kernel, name_refused(kernel).name, err);
}

bool stash_has_refused(const struct bootdir *boot, const struct kernel *kernel)
{
	struct stat st;

	return boot->own_fd >= 0 &&
	       fstatat(boot->own_fd, name_refused(kernel).name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void stash_remove_refused(const struct bootdir *boot, const struct kernel *kernel)
{
	if (boot->own_fd >= 0)
		(void)unlinkat(boot->own_fd, name_refused(kernel).name, 0);
}

/* --- withheld, and no room to say so --- */

int stash_mark_withheld(const struct bootdir *boot, const struct kernel *kernel,
			struct pvk_error *err)
{
	_cleanup_close_ int fd = openat(boot->own_fd, kernel->record,
					O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK |
						O_NOCTTY | O_CLOEXEC,
					0644);

	if (fd < 0 || fsync(fd) < 0)
		return pvk_fail_errno(err, errno, "cannot write the record, not even an empty one");
	return 0;
}

bool stash_is_marked_withheld(const struct bootdir *boot, const struct kernel *kernel)
{
	struct stat st;

	return boot->own_fd >= 0 &&
	       fstatat(boot->own_fd, kernel->record, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == 0;
}

/* --- the kept image --- */

uint64_t stash_size(const struct bootdir *boot, const struct kernel *kernel)
{
	struct stat st;

	if (boot->own_fd < 0 ||
	    fstatat(boot->own_fd, kernel->packaged, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

static int rename_back(const struct bootdir *boot, const struct kernel *kernel,
		       struct pvk_error *err)
{
	struct stat st;

	if (fstatat(boot->own_fd, kernel->packaged, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pvk_fail_errno(err, errno, "cannot find the kept image");
	if (is_same_file(boot->fd, kernel->file, &st)) {
		if (unlinkat(boot->own_fd, kernel->packaged, 0) < 0)
			return pvk_fail_errno(err, errno,
					      "cannot remove the second name of the image");
	} else if (renameat(boot->own_fd, kernel->packaged, boot->fd, kernel->file) < 0) {
		return pvk_fail_errno(err, errno, "cannot rename the kept image into place");
	}
	return 0;
}

int stash_put_back(const struct bootdir *boot, const struct kernel *kernel, struct pvk_error *err)
{
	char held[32];
	int r;

	outfile_hold(boot->fd, kernel->file, held);
	r = rename_back(boot, kernel, err);
	if (r == 0 && (fsync(boot->fd) < 0 || fsync(boot->own_fd) < 0))
		r = pvk_fail_errno(
			err, errno,
			"the packaged image is back, but the directory cannot be written to disk");
	outfile_release(boot->fd, held);
	return r;
}
