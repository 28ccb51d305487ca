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
#include <unistd.h>

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

/* The kernel's number for the mount that a file is on, as mountinfo has it; -1: not known. */
static int mount_id(int fd)
{
	char path[64], line[64];
	FILE *stream;
	int id = -1;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	stream = fopen(path, "re");
	while (stream && id < 0 && fgets(line, sizeof(line), stream))
		if (strncmp(line, "mnt_id:", 7) == 0)
			id = (int)strtol(line + 7, NULL, 10);
	if (stream)
		(void)fclose(stream);
	return id;
}

/* Is there something mounted on this directory of the tree? *ret_fd, which may be NULL, is it. */
static bool is_mount_point(const struct tree *tree, const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = root_openat(tree->root, path, O_PATH | O_DIRECTORY);
	struct stat here, above;

	/* ".." of the tree's own top leads out of it, which is what is asked for. */
	if (fd < 0 || fstat(fd, &here) < 0 || fstatat(fd, "..", &above, 0) < 0)
		return false;
	if (here.st_dev == above.st_dev && (here.st_ino != above.st_ino || strcmp(path, "/") != 0))
		return false;
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return true;
}

static void describe_source(struct filesystem *fs, struct libmnt_fs *line)
{
	const char *tag, *value, *source = mnt_fs_get_source(line);
	const char *options = mnt_fs_get_options(line);
	const bool has_tag = mnt_fs_get_tag(line, &tag, &value) == 0;

	if (has_tag && strcmp(tag, "UUID") == 0)
		(void)snprintf(fs->uuid, sizeof(fs->uuid), "%s", value);
	else if (has_tag && strcmp(tag, "LABEL") == 0)
		(void)snprintf(fs->label, sizeof(fs->label), "%s", value);
	else if (source && strncmp(source, "/dev/", 5) == 0 && !strchr(source + 5, '/'))
		filesystem_set_device(fs, source);
	else if (has_tag && strcmp(tag, "PARTUUID") == 0)
		(void)snprintf(fs->partuuid, sizeof(fs->partuuid), "%s", value);
	(void)snprintf(fs->type, sizeof(fs->type), "%s", mnt_fs_get_fstype(line));
	fs->is_part = options && (mnt_optstr_get_option(options, "subvol", NULL, NULL) == 0 ||
				  mnt_optstr_get_option(options, "subvolid", NULL, NULL) == 0);
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

static struct libmnt_fs *find_mount(const struct tree *tree, int id)
{
	_cleanup_iter_ struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *mount;

	while (tree->mounts && iterator && mnt_table_next_fs(tree->mounts, iterator, &mount) == 0)
		if (mnt_fs_get_id(mount) == id)
			return mount;
	return NULL;
}

/* Where it is in the file system, from that one's top: what is mounted, and the way from there. */
static bool find_part(int fd, struct libmnt_fs *mount, char part[PATH_MAX], bool *ret_is_all)
{
	const char *root = mnt_fs_get_root(mount), *target = mnt_fs_get_target(mount);
	const size_t len = target && strcmp(target, "/") != 0 ? strlen(target) : 0;
	char link[64], path[PATH_MAX];
	ssize_t size;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	if (size < 0 || !root || !target)
		return false;
	path[size] = '\0';
	if (strncmp(path, target, len) != 0)
		return false;
	*ret_is_all = strcmp(path, target) == 0;
	return snprintf(part, PATH_MAX, "%s%s", strcmp(root, "/") == 0 ? "" : root,
			*ret_is_all ? "" : path + len) < 256;
}

/* Is that the subvolume that fstab has for it? */
static bool is_subvolume_of(struct libmnt_fs *line, const char *part)
{
	const char *options = line ? mnt_fs_get_options(line) : NULL;
	char *name;
	size_t len;

	if (!options || mnt_optstr_get_option(options, "subvol", &name, &len) != 0 || !name)
		return false;
	part += part[0] == '/' && name[0] != '/';
	return strncmp(part, name, len) == 0 && part[len] == '\0';
}

/*
 * What is known of the device that is mounted there. Its place only where fstab has none. Of a
 * btrfs a part may be mounted, a subvolume; or all of it, and the tree is a subvolume's directory.
 * A subvolume that fstab does not name is a directory of this machine.
 */
static void read_mounted(const struct tree *tree, int fd, struct libmnt_fs *line,
			 struct filesystem *fs)
{
	struct libmnt_fs *mount = find_mount(tree, mount_id(fd));
	const char *source = mount ? mnt_fs_get_srcpath(mount) : NULL;
	const char *type = mount ? mnt_fs_get_fstype(mount) : NULL;
	char part[PATH_MAX];
	bool is_all;

	if (!source || strncmp(source, "/dev/", 5) != 0 || !find_part(fd, mount, part, &is_all) ||
	    (!is_all && !is_subvolume_of(line, part)))
		return;
	(void)snprintf(fs->here, sizeof(fs->here), "%.60s", source + 5);
	if (type && strcmp(type, "btrfs") == 0)
		(void)snprintf(fs->subtree, sizeof(fs->subtree), "%.255s", part);
	if (tree->cache)
		filesystem_read_tags(tree->cache, source, fs);
	if (fs->disk[0] == '\0')
		look_at_device(source, fs);
}

static int add(const struct tree *tree, struct filesystems *list, const char *target,
	       struct libmnt_fs *line, struct pvk_error *err)
{
	struct filesystem *fs = filesystems_add(list);
	_cleanup_close_ int fd = -1;

	if (!fs)
		return pvk_fail(err, ENOMEM, "no room for the list of file systems (%d at most)",
				PVK_MAX_FILESYSTEMS);
	if (line)
		describe_source(fs, line);
	if (is_mount_point(tree, target, &fd))
		read_mounted(tree, fd, line, fs);
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
	       !mounts_is_loop(source);
}

static bool is_mounted_elsewhere(const struct filesystems *list, const char *device)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].here[0] != '\0' && strncmp(device, "/dev/", 5) == 0 &&
		    strcmp(list->items[i].here, device + 5) == 0)
			return true;
	return false;
}

static bool may_be_absent(const char *options)
{
	return options && (mnt_optstr_get_option(options, "nofail", NULL, NULL) == 0 ||
			   mnt_optstr_get_option(options, "noauto", NULL, NULL) == 0);
}

/*
 * A line of a mounted disk's fstab, for something that is not mounted: is it nothing that could be?
 * Another part of what is; or on a disk that is not here, and that the guest may not have either,
 * as cloud-init writes it ("/dev/xvdb /mnt auto nofail").
 */
static bool is_left_out(const struct tree *tree, struct filesystems *list, struct libmnt_fs *line)
{
	_cleanup_free_ char *device = NULL;
	const char *tag, *value;
	size_t used = strlen(list->left_out);

	if (!tree->is_mounted || !tree->cache ||
	    is_mount_point(tree, mnt_fs_get_target(line), NULL))
		return false;
	if (mnt_fs_get_tag(line, &tag, &value) == 0)
		device = blkid_get_devname(tree->cache, tag, value);
	if (device && is_mounted_elsewhere(list, device))
		return true;
	if (device || !may_be_absent(mnt_fs_get_options(line)))
		return false;
	(void)snprintf(list->left_out + used, sizeof(list->left_out) - used, "%s%s",
		       used > 0 ? ", " : "", mnt_fs_get_target(line));
	return true;
}

static int add_others(const struct tree *tree, struct filesystems *list, struct libmnt_table *fstab,
		      struct pvk_error *err)
{
	_cleanup_iter_ struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *line;
	int r = 0;

	while (fstab && iterator && r == 0 && mnt_table_next_fs(fstab, iterator, &line) == 0) {
		const char *target = mnt_fs_get_target(line);

		if (!is_on_disk(line) || strcmp(target, "/") == 0 || strcmp(target, "/boot") == 0 ||
		    is_left_out(tree, list, line))
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
	int r;

	tree.is_mounted = is_mount_point(&tree, "/", NULL);
	if (tree.is_mounted || is_mount_point(&tree, "/boot", NULL))
		tree.cache = cache = mounts_probe();
	r = add(&tree, list, "/",
		fstab ? mnt_table_find_target(fstab, "/", MNT_ITER_FORWARD) : NULL, err);
	if (r == 0 && (boot || is_mount_point(&tree, "/boot", NULL)))
		r = add(&tree, list, "/boot", boot, err);
	if (r == 0)
		r = add_others(&tree, list, fstab, err);
	/* Disks that no fstab names cannot be seen from a tree; bootmodel.c says so. */
	list->is_complete = true;
	return r;
}
