/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guestfs.c - see guestfs.h */
#include "guestfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"

#define DIRECTORY_MAX 4096 /* names */

/* Of a volume that is blank or could be opened all is known. */
static enum guestfs_found found(const struct guestfs_volume *volume)
{
	return volume->top.fd < 0 && !volume->fs->is_blank ? GUESTFS_UNKNOWN : GUESTFS_FOUND;
}

static bool is_mounted(const struct guestfs_volume *volume)
{
	return volume->fs->mountpoint[0] != '\0';
}

static void name_volume(struct guestfs_volume *volume)
{
	const struct filesystem *fs = volume->fs;

	if (strncmp(fs->disk, "mapper/", 7) == 0)
		(void)snprintf(volume->name, sizeof(volume->name), "lvm/%.60s", fs->disk + 7);
	else if (fs->disk[0] == '\0' || fs->is_named_here)
		(void)snprintf(volume->name, sizeof(volume->name), "guest%.80s",
			       strcmp(fs->mountpoint, "/") == 0 ? "/root"
			       : is_mounted(volume)		? fs->mountpoint
								: fs->wanted);
	else if (fs->partition == 0)
		(void)snprintf(volume->name, sizeof(volume->name), "xen/%.60s", fs->disk);
	else
		(void)snprintf(volume->name, sizeof(volume->name), "xen/%.60s,%u", fs->disk,
			       fs->partition);
}

int guestfs_open(const struct root *root, struct guestfs *ret, struct pvk_error *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = mounts_list(root, &ret->list, err);
	if (r < 0)
		return r;
	ret->volumes = calloc(ret->list.count + 1, sizeof(*ret->volumes));
	if (!ret->volumes) {
		filesystems_done(&ret->list);
		return pvk_fail(err, ENOMEM, "no memory for the list of file systems");
	}
	ret->is_complete = ret->list.is_complete;
	for (size_t i = 0; i < ret->list.count; i++) {
		struct guestfs_volume *volume = &ret->volumes[ret->count++];

		volume->fs = &ret->list.items[i];
		name_volume(volume);
		volume->top = (struct root){
			.fd = filesystem_open_top(root, volume->fs, &volume->is_bare)};
		if (volume->top.fd < 0 && !volume->fs->is_blank)
			ret->is_complete = false;
	}
	return 0;
}

void guestfs_close(struct guestfs *guest)
{
	for (size_t i = 0; i < guest->count; i++)
		root_close(&guest->volumes[i].top);
	guest->count = 0;
	free(guest->volumes);
	guest->volumes = NULL;
	filesystems_done(&guest->list);
}

/* Which disk is it, counted from 0 in the order of the list? */
static unsigned long disk_index(const struct guestfs *guest, const struct guestfs_volume *volume)
{
	const char *previous = "";
	unsigned long index = 0;

	for (size_t i = 0; i < guest->count; i++) {
		const struct filesystem *fs = guest->volumes[i].fs;

		if (strcmp(fs->disk, volume->fs->disk) == 0)
			break;
		if (!filesystem_is_on_disk(fs) || strcmp(fs->disk, previous) == 0)
			continue;
		previous = fs->disk;
		index++;
	}
	return index;
}

/* All that is there is on one disk, which then is the first, as far as a tree can tell. */
static bool is_only_disk(const struct guestfs *guest, const char *disk)
{
	for (size_t i = 0; i < guest->count; i++)
		if (strcmp(guest->volumes[i].fs->disk, disk) != 0)
			return false;
	return true;
}

bool guestfs_has_name(const struct guestfs *guest, const struct guestfs_volume *volume)
{
	return volume->fs->disk[0] != '\0' &&
	       (!volume->fs->is_named_here || is_only_disk(guest, volume->fs->disk));
}

/* "hd1" is the second disk of the list; "xen/xvda" and "xvda" are named. */
static bool disk_matches(const struct guestfs *guest, const struct guestfs_volume *volume,
			 const char *disk)
{
	unsigned long number;
	char *end;

	if (volume->fs->is_named_here)
		return strcmp(disk, "hd0") == 0 && is_only_disk(guest, volume->fs->disk);
	if (strncmp(disk, "xen/", 4) == 0)
		return strcmp(disk + 4, volume->fs->disk) == 0;
	if (strncmp(disk, "hd", 2) != 0 || !isdigit((unsigned char)disk[2]))
		return strcmp(disk, volume->fs->disk) == 0;
	number = strtoul(disk + 2, &end, 10);
	return *end == '\0' && filesystem_is_on_disk(volume->fs) &&
	       number == disk_index(guest, volume);
}

/* Does GRUB make such a device of others, by rules that are not followed here? */
static bool is_made_device(const char *device)
{
	static const char *const prefixes[] = {"lvmid/",      "md/",	"mduuid/", "ldm/",
					       "cryptouuid/", "crypto", "lvm/"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(device, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* "msdos1", "gpt1" and "1" are partition 1, or "0" where counting begins there; -1 for what is
 * none of that. */
static long parse_partition(const char *text, bool is_zero_based)
{
	char *end;
	long number;

	while (isalpha((unsigned char)*text))
		text++;
	number = strtol(text, &end, 10) + is_zero_based;
	return *text && *end == '\0' && number > 0 ? number : -1;
}

void guestfs_legacy_name(const struct guestfs *guest, const struct guestfs_volume *volume,
			 char *buf, size_t size)
{
	if (!filesystem_is_on_disk(volume->fs))
		(void)snprintf(buf, size, "%s", volume->name);
	else if (volume->fs->partition == 0)
		(void)snprintf(buf, size, "hd%lu", disk_index(guest, volume));
	else
		(void)snprintf(buf, size, "hd%lu,%u", disk_index(guest, volume),
			       volume->fs->partition - 1);
}

/* Is it known whether this volume is the device, whatever the answer? */
static bool is_settled(const struct guestfs *guest, const struct guestfs_volume *volume,
		       const char *disk, long partition)
{
	const struct filesystem *fs = volume->fs;

	if (!fs->is_named_here)
		return fs->disk[0] != '\0';
	/* A disk with partitions is no file system itself, and one without has none. */
	return disk_matches(guest, volume, disk) && (partition == 0 || fs->partition == 0);
}

enum guestfs_found guestfs_find_volume(const struct guestfs *guest, const char *device,
				       const struct guestfs_volume **ret)
{
	const char *comma = strchr(device, ',');
	const long partition = comma ? parse_partition(comma + 1, guest->is_zero_based) : 0;
	bool is_any_unknown = !guest->is_complete;
	char disk[64];

	for (size_t i = 0; i < guest->count; i++) {
		if (strcmp(guest->volumes[i].name, device) != 0)
			continue;
		*ret = &guest->volumes[i];
		return found(*ret);
	}
	(void)snprintf(disk, sizeof(disk), "%.*s", comma ? (int)(comma - device) : 63, device);
	for (size_t i = 0; i < guest->count; i++) {
		const struct guestfs_volume *volume = &guest->volumes[i];

		is_any_unknown |= !is_settled(guest, volume, disk, partition);
		if (volume->fs->disk[0] == '\0' || partition < 0 ||
		    volume->fs->partition != (unsigned)partition ||
		    !disk_matches(guest, volume, disk))
			continue;
		*ret = volume;
		return found(volume);
	}
	return is_any_unknown || is_made_device(device) ? GUESTFS_UNKNOWN : GUESTFS_ABSENT;
}

/* The path without doubled slashes and single dots; ".." is left to the kernel. */
static void tidy(const char *path, char *buf, size_t size)
{
	size_t used = 0;

	while (*path && used + 2 < size) {
		if (path[0] == '/' &&
		    (path[1] == '/' || (path[1] == '.' && (path[2] == '/' || path[2] == '\0')))) {
			path += path[1] == '/' ? 1 : 2;
			continue;
		}
		buf[used++] = *path++;
	}
	buf[used] = '\0';
}

/* Does the path lead through the mount point of another of the guest's file systems? */
static bool is_hidden(const struct guestfs *guest, const struct guestfs_volume *volume,
		      const char *path)
{
	const size_t base =
		strcmp(volume->fs->mountpoint, "/") == 0 ? 0 : strlen(volume->fs->mountpoint);
	char tidied[PATH_MAX];

	tidy(path, tidied, sizeof(tidied));
	for (size_t i = 0; i < guest->count; i++) {
		const char *other = guest->volumes[i].fs->mountpoint;
		const size_t len = strlen(other);

		if (len <= base + 1 || strncmp(other, volume->fs->mountpoint, base) != 0 ||
		    other[base] != '/')
			continue;
		if (strncmp(tidied, other + base, len - base) == 0 && tidied[len - base] == '/')
			return true;
	}
	return false;
}

/* What the kernel calls the file and the volume's top tells what lies between them, links followed.
 * False: it cannot be told. */
static bool find_real_path(const struct guestfs_volume *volume, int fd, char real[PATH_MAX])
{
	char link[64], path[PATH_MAX], top[PATH_MAX];
	ssize_t len, top_len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", volume->top.fd);
	top_len = readlink(link, top, sizeof(top) - 1);
	if (len < 0 || top_len < 0)
		return false;
	path[len] = top[top_len] = '\0';
	if (strcmp(top, "/") == 0)
		top_len = 0;
	if (strncmp(path, top, (size_t)top_len) != 0 || path[top_len] != '/')
		return false;
	memcpy(real, path + top_len, (size_t)(len - top_len) + 1);
	return true;
}

int guestfs_open_file(const struct guestfs *guest, const struct guestfs_volume *volume,
		      const char *path, int flags)
{
	_cleanup_close_ int fd = -1;
	char real[PATH_MAX];

	if (volume->fs->is_blank)
		return -ENOENT;
	if (volume->top.fd < 0)
		return -EACCES;
	if (!volume->is_bare && is_hidden(guest, volume, path))
		return -ENOENT;
	fd = root_openat(&volume->top, path, flags);
	if (fd < 0)
		return fd;
	if (!volume->is_bare && find_real_path(volume, fd, real) && is_hidden(guest, volume, real))
		return -ENOENT;
	return take_fd(&fd);
}

static bool is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ENAMETOOLONG;
}

enum guestfs_found guestfs_look(const struct guestfs *guest, const struct guestfs_volume *volume,
				const char *path, struct stat *ret)
{
	_cleanup_close_ int fd = guestfs_open_file(guest, volume, path, O_PATH);

	if (fd < 0)
		return is_absence(fd) ? GUESTFS_ABSENT : GUESTFS_UNKNOWN;
	return !ret || fstat(fd, ret) == 0 ? GUESTFS_FOUND : GUESTFS_UNKNOWN;
}

/* Counts the names and their bytes; with `names`, puts as many there as were counted before. */
static size_t take_names(DIR *dir, char **names, size_t room, size_t *bytes)
{
	char *text = names ? (char *)(names + room) : NULL;
	const struct dirent *entry;
	size_t count = 0, used = 0;

	for (; (entry = readdir(dir)) != NULL && count < room; count++) {
		const size_t size = strlen(entry->d_name) + 1;

		if (names && used + size > *bytes)
			break;
		if (names)
			names[count] = memcpy(text + used, entry->d_name, size);
		used += size;
	}
	*bytes = used;
	return count;
}

int guestfs_list(const struct guestfs *guest, const struct guestfs_volume *volume, const char *path,
		 char ***ret_names, size_t *ret_count)
{
	int fd = guestfs_open_file(guest, volume, path, O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	_cleanup_free_ char **names = NULL;
	size_t count, bytes = 0;

	if (!dir) {
		const int error = fd < 0 ? -fd : errno;

		close_keep_errno(&fd);
		return -error;
	}
	count = take_names(dir, NULL, DIRECTORY_MAX, &bytes);
	if (count == DIRECTORY_MAX)
		return -EFBIG;
	names = malloc((count + 1) * sizeof(*names) + bytes);
	if (!names)
		return -ENOMEM;
	rewinddir(dir);
	*ret_count = take_names(dir, names, count, &bytes);
	*ret_names = TAKE_PTR(names);
	return 0;
}

void guestfs_guest_path(const struct guestfs *guest, const struct guestfs_volume *volume,
			const char *path, char *buf, size_t size)
{
	const char *mountpoint = volume->fs->mountpoint;
	const size_t subtree_len = strlen(volume->fs->subtree);
	_cleanup_close_ int fd = guestfs_open_file(guest, volume, path, O_PATH);
	char real[PATH_MAX];

	if (fd < 0 || !find_real_path(volume, fd, real))
		(void)snprintf(real, sizeof(real), "%s%s", path[0] == '/' ? "" : "/", path);
	if (strncmp(real, volume->fs->subtree, subtree_len) != 0 ||
	    (subtree_len > 0 && real[subtree_len] != '/') ||
	    is_hidden(guest, volume, real + subtree_len)) {
		(void)snprintf(buf, size, "(%s)%s", volume->name, real);
		return;
	}
	if (strcmp(mountpoint, "/") == 0)
		mountpoint = "";
	(void)snprintf(buf, size, "%s%s", mountpoint, real + subtree_len);
}
