/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts.c - see mounts.h; the running system. Another tree is mounts_tree.c's. */
#include "mounts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mounts_internal.h"

void filesystems_done(struct filesystems *list)
{
	free(list->items);
	*list = (struct filesystems){0};
}

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%.*s", (int)size - 1, from ? from : "");
}

void mounts_split_device(const char *device, char disk[64], unsigned *ret_partition)
{
	const char *name = strncmp(device, "/dev/", 5) == 0 ? device + 5 : device;
	size_t digits = strlen(name);

	while (digits > 0 && isdigit((unsigned char)name[digits - 1]))
		digits--;
	copy(disk, 64, name);
	*ret_partition = 0;
	if (name[digits] == '\0' || digits == 0)
		return;
	/* nvme0n1p2, mmcblk0p1, loop0p1: a "p" between two numbers. loop0, dm-0, md0 have none. */
	if (name[digits - 1] == 'p' && digits > 1 && isdigit((unsigned char)name[digits - 2])) {
		disk[digits - 1] = '\0';
	} else if (strncmp(name, "xvd", 3) == 0 || strncmp(name, "sd", 2) == 0 ||
		   strncmp(name, "vd", 2) == 0 || strncmp(name, "hd", 2) == 0) {
		disk[digits] = '\0';
	} else {
		return;
	}
	*ret_partition = (unsigned)strtoul(name + digits, NULL, 10);
}

struct filesystem *filesystems_add(struct filesystems *list)
{
	struct filesystem *grown;

	if (list->count == PVK_MAX_FILESYSTEMS)
		return NULL;
	grown = realloc(list->items, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	list->items = grown;
	memset(&grown[list->count], 0, sizeof(*grown));
	return &grown[list->count++];
}

static bool is_listed(const struct filesystems *list, const char *device)
{
	for (size_t i = 0; i < list->count; i++)
		if (device[0] != '\0' && strcmp(list->items[i].device, device) == 0)
			return true;
	return false;
}

void filesystem_set_device(struct filesystem *fs, const char *device)
{
	copy(fs->device, sizeof(fs->device),
	     strncmp(device, "/dev/", 5) == 0 ? device + 5 : device);
	mounts_split_device(fs->device, fs->disk, &fs->partition);
}

/*
 * The cache's file is not touched by root, who sees the disks themselves; whoever is not root may
 * find in it what root has seen, and cannot write it.
 */
blkid_cache mounts_probe(void)
{
	blkid_cache cache = NULL;

	if (blkid_get_cache(&cache, geteuid() == 0 ? "/dev/null" : NULL) < 0)
		return NULL;
	(void)blkid_probe_all(cache);
	return cache;
}

void mounts_put_cache(blkid_cache *cache)
{
	if (*cache)
		blkid_put_cache(*cache);
}

/* --- the running system --- */

/* Leaves the text as it is where the device has no such tag. */
static void read_tag(blkid_cache cache, const char *device, const char *tag, char *to, size_t size)
{
	_cleanup_free_ char *value = blkid_get_tag_value(cache, tag, device);

	if (value)
		copy(to, size, value);
}

void filesystem_read_tags(blkid_cache cache, const char *device, struct filesystem *fs)
{
	read_tag(cache, device, "UUID", fs->uuid, sizeof(fs->uuid));
	read_tag(cache, device, "LABEL", fs->label, sizeof(fs->label));
	read_tag(cache, device, "PARTUUID", fs->partuuid, sizeof(fs->partuuid));
}

/*
 * A guest's disk may be called xvda1 and be no partition, with no xvda beside it (as xen-tools
 * makes them): for a loader it is the disk xvda1 (GRUB disk/xen/xendisk.c).
 */
static void set_live_device(struct filesystem *fs, const char *device)
{
	char path[128];

	filesystem_set_device(fs, device);
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", fs->device);
	if (fs->partition == 0 || access(path, F_OK) < 0)
		return;
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/partition", fs->device);
	if (access(path, F_OK) == 0)
		return;
	copy(fs->disk, sizeof(fs->disk), fs->device);
	fs->partition = 0;
}

bool mounts_is_loop(const char *device)
{
	return strncmp(device, "/dev/loop", 9) == 0;
}

/* Not by a loop device, which is a file (a snap's) to everybody else; but in a system in one. */
static bool is_seen_by_loaders(const char *device, const char *mountpoint)
{
	return strncmp(device, "/dev/", 5) == 0 &&
	       (!mounts_is_loop(device) || strcmp(mountpoint, "/") == 0 ||
		strncmp(mountpoint, "/boot", 5) == 0);
}

/* Is it the top of its file system, or a subvolume, which is the next best? No bind mounts. */
static bool is_usable(struct libmnt_fs *mount)
{
	const char *source = mnt_fs_get_srcpath(mount), *subtree = mnt_fs_get_root(mount);
	const char *type = mnt_fs_get_fstype(mount);

	return source && is_seen_by_loaders(source, mnt_fs_get_target(mount)) && subtree &&
	       (strcmp(subtree, "/") == 0 || (type && strcmp(type, "btrfs") == 0));
}

/* Block devices, each once. */
static int add_mounted(struct filesystems *list, blkid_cache cache, struct libmnt_fs *mount)
{
	const char *source = mnt_fs_get_srcpath(mount);
	struct filesystem *fs;

	if (!is_usable(mount) || is_listed(list, source + 5))
		return 0;
	fs = filesystems_add(list);
	if (!fs)
		return -ENOMEM;
	set_live_device(fs, source);
	copy(fs->mountpoint, sizeof(fs->mountpoint), mnt_fs_get_target(mount));
	copy(fs->type, sizeof(fs->type), mnt_fs_get_fstype(mount));
	if (strcmp(mnt_fs_get_root(mount), "/") != 0)
		copy(fs->subtree, sizeof(fs->subtree), mnt_fs_get_root(mount));
	filesystem_read_tags(cache, source, fs);
	return 0;
}

/* libblkid's names for what holds no files of its own. */
static bool is_blank_type(const char *type)
{
	static const char *const types[] = {"swap",	   "swsuspend",		"LVM1_member",
					    "LVM2_member", "linux_raid_member", "crypto_LUKS",
					    "bcache"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* What carries something and is not mounted. Of a file system a loader sees more than we do. */
static void add_unmounted(struct filesystems *list, blkid_cache cache)
{
	blkid_dev_iterate iterate = blkid_dev_iterate_begin(cache);
	blkid_dev device;

	while (iterate && blkid_dev_next(iterate, &device) == 0) {
		const char *name = blkid_dev_devname(device);
		char *type = blkid_get_tag_value(cache, "TYPE", name);
		struct filesystem *fs = NULL;

		if (type && strncmp(name, "/dev/", 5) == 0 && !mounts_is_loop(name) &&
		    !is_listed(list, name + 5))
			fs = filesystems_add(list);
		if (fs) {
			set_live_device(fs, name);
			copy(fs->type, sizeof(fs->type), type);
			fs->is_blank = is_blank_type(type);
			filesystem_read_tags(cache, name, fs);
		}
		free(type);
	}
	if (iterate)
		blkid_dev_iterate_end(iterate);
}

/* In a container or a chroot "/" may be on no block device: it is judged all the same. */
static int add_top(struct filesystems *list)
{
	struct filesystem *fs;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].mountpoint, "/") == 0)
			return 0;
	fs = filesystems_add(list);
	if (!fs)
		return -ENOMEM;
	copy(fs->mountpoint, sizeof(fs->mountpoint), "/");
	return 0;
}

static int list_live(struct filesystems *list, struct pvk_error *err)
{
	_cleanup_table_ struct libmnt_table *table =
		mnt_new_table_from_file("/proc/self/mountinfo");
	_cleanup_iter_ struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	_cleanup_(mounts_put_cache) blkid_cache cache = NULL;
	struct libmnt_fs *mount;

	if (!table || !iterator)
		return pvk_fail(err, ENOENT, "cannot read the table of mounts");
	cache = mounts_probe();
	while (mnt_table_next_fs(table, iterator, &mount) == 0)
		if (add_mounted(list, cache, mount) < 0)
			return pvk_fail(err, ENOMEM,
					"no room for the list of file systems (%d at most)",
					PVK_MAX_FILESYSTEMS);
	if (cache)
		add_unmounted(list, cache);
	list->is_complete = cache != NULL;
	return add_top(list);
}

bool filesystem_is_on_disk(const struct filesystem *fs)
{
	return fs->disk[0] != '\0' && !strchr(fs->disk, '/') && strncmp(fs->disk, "dm-", 3) != 0 &&
	       strncmp(fs->disk, "md", 2) != 0;
}

int filesystem_compare(const struct filesystem *x, const struct filesystem *y)
{
	const size_t lengths[] = {strlen(x->disk), strlen(y->disk)};

	if (lengths[0] != lengths[1])
		return lengths[0] < lengths[1] ? -1 : 1; /* xvdz, then xvdaa */
	if (strcmp(x->disk, y->disk) != 0)
		return strcmp(x->disk, y->disk);
	return (x->partition > y->partition) - (x->partition < y->partition);
}

/* What is not known comes last, "/" before the others. */
static int compare_devices(const void *a, const void *b)
{
	const struct filesystem *x = a, *y = b;
	int order;

	if ((x->disk[0] == '\0') != (y->disk[0] == '\0'))
		return x->disk[0] == '\0' ? 1 : -1;
	order = filesystem_compare(x, y);
	return order != 0 ? order : strcmp(x->mountpoint, y->mountpoint);
}

int mounts_list(const struct root *root, struct filesystems *ret, struct pvk_error *err)
{
	_cleanup_filesystems_ struct filesystems list = {0};
	int r = root->is_live ? list_live(&list, err) : mounts_list_tree(root, &list, err);

	if (r < 0)
		return r;
	if (list.count > 1)
		qsort(list.items, list.count, sizeof(*list.items), compare_devices);
	*ret = list;
	list = (struct filesystems){0};
	return 0;
}
