/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts_tree.c - the file systems of a tree that is not the running system: what its fstab names,
 * and, where the tree is a guest's disk that is mounted here (a rescue system), what of it is
 * mounted and on which devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mounts_internal.h"

#define FSTAB_MAX 65536

struct tree {
	const struct root *root;
	struct libmnt_table *mounts; /* of this machine; NULL: cannot be read */
	blkid_cache cache;	     /* NULL: cannot be known */
	bool is_mounted;	     /* the tree's top is the top of a mounted file system */
};

static struct libmnt_table *read_fstab(const struct root *root)
{
	_cleanup_table_ struct libmnt_table *table = mnt_new_table();
	_cleanup_fclose_ FILE *stream = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size;

	if (!table || root_read_file(root, "/etc/fstab", FSTAB_MAX, &text, &size) < 0 || size == 0)
		return NULL;
	stream = fmemopen(text, size, "r");
	if (!stream || mnt_table_parse_stream(table, stream, "fstab") != 0)
		return NULL;
	return TAKE_PTR(table);
}

/* Is there something mounted on this directory of the tree? *ret_device tells what. */
static bool is_mount_point(const struct tree *tree, const char *path, dev_t *ret_device)
{
	_cleanup_close_ int fd = root_openat(tree->root, path, O_PATH | O_DIRECTORY);
	struct stat here, above;

	/* ".." of the tree's own top leads out of it, which is what is asked for. */
	if (fd < 0 || fstat(fd, &here) < 0 || fstatat(fd, "..", &above, 0) < 0)
		return false;
	*ret_device = here.st_dev;
	return here.st_dev != above.st_dev ||
	       (here.st_ino == above.st_ino && strcmp(path, "/") == 0);
}

static void describe_source(struct filesystem *fs, struct libmnt_fs *line)
{
	const char *tag, *value, *source = mnt_fs_get_source(line);
	const bool has_tag = mnt_fs_get_tag(line, &tag, &value) == 0;

	if (has_tag && strcmp(tag, "UUID") == 0)
		(void)snprintf(fs->uuid, sizeof(fs->uuid), "%s", value);
	else if (has_tag && strcmp(tag, "LABEL") == 0)
		(void)snprintf(fs->label, sizeof(fs->label), "%s", value);
	else if (source && strncmp(source, "/dev/", 5) == 0 && !strchr(source + 5, '/'))
		filesystem_set_device(fs, source);
	(void)snprintf(fs->type, sizeof(fs->type), "%s", mnt_fs_get_fstype(line));
}

/* The first line of a file in sysfs, or "". */
static void read_line(const char *directory, const char *name, char buf[32])
{
	char path[PATH_MAX];
	FILE *stream;

	buf[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	stream = fopen(path, "re");
	if (!stream)
		return;
	if (fgets(buf, 32, stream))
		buf[strcspn(buf, "\n")] = '\0';
	(void)fclose(stream);
}

/* LVM, RAID, or a loop device that begins somewhere in its file: no disk of the guest's. */
static bool is_made_here(const char *name, const char *sys)
{
	char offset[2][32];

	if (strncmp(name, "dm-", 3) == 0 || strncmp(name, "md", 2) == 0)
		return true;
	read_line(sys, "loop/offset", offset[0]);
	read_line(sys, "../loop/offset", offset[1]); /* of a partition */
	return strncmp(name, "loop", 4) == 0 && strcmp(offset[0], "0") != 0 &&
	       strcmp(offset[1], "0") != 0;
}

/*
 * Which disk is it on, and on which partition of it? A partition is one for the guest, too; the
 * disk's name is this machine's, and the guest's loader may have another one for it.
 */
static void look_at_device(const char *source, struct filesystem *fs)
{
	char sys[64], link[PATH_MAX], partition[32], *name, *disk;
	struct stat st;
	ssize_t len;

	if (stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
		return;
	(void)snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u", major(st.st_rdev),
		       minor(st.st_rdev));
	len = readlink(sys, link, sizeof(link) - 1);
	if (len < 0)
		return;
	link[len] = '\0';
	name = strrchr(link, '/');
	if (!name || is_made_here(name + 1, sys))
		return;
	read_line(sys, "partition", partition);
	fs->partition = (unsigned)strtoul(partition, NULL, 10);
	if (fs->partition > 0)
		*name = '\0'; /* …/block/sda/sda1 */
	disk = strrchr(link, '/');
	(void)snprintf(fs->disk, sizeof(fs->disk), "%.63s", disk ? disk + 1 : "");
	fs->is_named_here = true;
}

/* The tags of the device that is mounted there, and its place, where fstab does not name it. */
static void read_mounted(const struct tree *tree, dev_t device, struct filesystem *fs)
{
	_cleanup_iter_ struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *mount;

	while (tree->mounts && tree->cache && iterator &&
	       mnt_table_next_fs(tree->mounts, iterator, &mount) == 0) {
		const char *source = mnt_fs_get_srcpath(mount);

		if (mnt_fs_get_devno(mount) != device || !source ||
		    strncmp(source, "/dev/", 5) != 0)
			continue;
		filesystem_read_tags(tree->cache, source, fs);
		if (fs->disk[0] == '\0')
			look_at_device(source, fs);
		return;
	}
}

static int add(const struct tree *tree, struct filesystems *list, const char *target,
	       struct libmnt_fs *line, struct pvk_error *err)
{
	struct filesystem *fs = filesystems_add(list);
	dev_t device = 0;

	if (!fs)
		return pvk_fail(err, ENOMEM, "no room for the list of file systems (%d at most)",
				PVK_MAX_FILESYSTEMS);
	if (line)
		describe_source(fs, line);
	if (is_mount_point(tree, target, &device))
		read_mounted(tree, device, fs);
	else if (tree->is_mounted) {
		/* On the guest it will be something else than the directory that is seen here. */
		(void)snprintf(fs->wanted, sizeof(fs->wanted), "%s", target);
		return 0;
	}
	(void)snprintf(fs->mountpoint, sizeof(fs->mountpoint), "%s", target);
	return 0;
}

static bool exists(const struct tree *tree, const char *path)
{
	_cleanup_close_ int fd = root_openat(tree->root, path, O_PATH | O_DIRECTORY);

	return fd != -ENOENT;
}

/* A file system on one of the guest's disks, which a loader could look into? */
static bool is_on_disk(struct libmnt_fs *line)
{
	const char *tag, *value, *target = mnt_fs_get_target(line),
				 *source = mnt_fs_get_source(line);
	const char *options = mnt_fs_get_options(line);

	if (!target || target[0] != '/' || mnt_fs_is_swaparea(line) || mnt_fs_is_netfs(line) ||
	    mnt_fs_is_pseudofs(line) ||
	    (options && mnt_optstr_get_option(options, "bind", NULL, NULL) == 0))
		return false;
	if (mnt_fs_get_tag(line, &tag, &value) == 0)
		return true;
	return source && strncmp(source, "/dev/", 5) == 0 && strncmp(source, "/dev/sr", 7) != 0 &&
	       strncmp(source, "/dev/fd", 7) != 0 && strncmp(source, "/dev/cdrom", 10) != 0 &&
	       strncmp(source, "/dev/loop", 9) != 0;
}

static int add_others(const struct tree *tree, struct filesystems *list, struct libmnt_table *fstab,
		      struct pvk_error *err)
{
	_cleanup_iter_ struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *line;
	int r = 0;

	while (fstab && iterator && r == 0 && mnt_table_next_fs(fstab, iterator, &line) == 0) {
		const char *target = mnt_fs_get_target(line);

		if (!is_on_disk(line) || strcmp(target, "/") == 0 || strcmp(target, "/boot") == 0)
			continue;
		/* A plain tree without the directory has no file of it either. */
		if (tree->is_mounted || exists(tree, target))
			r = add(tree, list, target, line, err);
	}
	return r;
}

int mounts_list_tree(const struct root *root, struct filesystems *list, struct pvk_error *err)
{
	_cleanup_table_ struct libmnt_table *fstab = read_fstab(root);
	_cleanup_table_ struct libmnt_table *mounts =
		mnt_new_table_from_file("/proc/self/mountinfo");
	_cleanup_(mounts_put_cache) blkid_cache cache = NULL;
	struct tree tree = {.root = root, .mounts = mounts};
	struct libmnt_fs *boot =
		fstab ? mnt_table_find_target(fstab, "/boot", MNT_ITER_FORWARD) : NULL;
	dev_t ignored;
	int r;

	tree.is_mounted = is_mount_point(&tree, "/", &ignored);
	if (tree.is_mounted || is_mount_point(&tree, "/boot", &ignored))
		tree.cache = cache = mounts_probe();
	r = add(&tree, list, "/",
		fstab ? mnt_table_find_target(fstab, "/", MNT_ITER_FORWARD) : NULL, err);
	if (r == 0 && (boot || is_mount_point(&tree, "/boot", &ignored)))
		r = add(&tree, list, "/boot", boot, err);
	if (r == 0)
		r = add_others(&tree, list, fstab, err);
	/* Disks that no fstab names cannot be seen from a tree; bootmodel.c says so. */
	list->is_complete = true;
	return r;
}
