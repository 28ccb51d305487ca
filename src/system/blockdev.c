/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blockdev.c - see blockdev.h */
#include "blockdev.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"

#define START_SIZE	2048
#define EXT_MAGIC	0xef53
#define EXT_MAGIC_AT	(1024 + 0x38)
#define EXT_INCOMPAT_AT (1024 + 0x60)
#define XFS_VERSION_AT	100

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The first line of a file of the device's in sysfs; "" where there is none. */
static void read_attribute(const struct stat *device, const char *name, char buf[64])
{
	char path[128];
	FILE *stream;

	buf[0] = '\0';
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(device->st_rdev),
		       minor(device->st_rdev), name);
	stream = fopen(path, "re");
	if (!stream)
		return;
	if (fgets(buf, 64, stream))
		buf[strcspn(buf, "\n")] = '\0';
	(void)fclose(stream);
}

static enum blockdev_kind kind_of_mapped(const char *uuid, const char *name)
{
	if (uuid[0] == '\0')
		return begins(name, "mapper/") ? BLOCKDEV_LVM : BLOCKDEV_PLAIN;
	return begins(uuid, "LVM-")	? BLOCKDEV_LVM
	       : begins(uuid, "CRYPT-") ? BLOCKDEV_CRYPT
					: BLOCKDEV_PLAIN;
}

/* 0.90 and 1.0 have their metadata at the end (md(4)). */
static enum blockdev_kind kind_of_array(const char *level, const char *version)
{
	const bool is_at_end = strcmp(version, "0.90") == 0 || strcmp(version, "1.0") == 0;

	if (level[0] == '\0' || version[0] == '\0')
		return BLOCKDEV_MIRROR;
	return strcmp(level, "raid1") == 0 && is_at_end ? BLOCKDEV_MIRROR : BLOCKDEV_RAID;
}

enum blockdev_kind blockdev_look(const char *name)
{
	char path[PATH_MAX], first[64] = "", second[64] = "";
	struct stat st;
	bool is_there;

	(void)snprintf(path, sizeof(path), "/dev/%s", name);
	is_there = stat(path, &st) == 0 && S_ISBLK(st.st_mode);
	if (begins(name, "md")) {
		if (is_there) {
			read_attribute(&st, "md/level", first);
			read_attribute(&st, "md/metadata_version", second);
		}
		return kind_of_array(first, second);
	}
	if (is_there)
		read_attribute(&st, "dm/uuid", first);
	return kind_of_mapped(first, name);
}

/* The file system's first two kB: where ext has its superblock, and XFS a sector before that. */
static int read_start(const char *path, uint8_t start[START_SIZE])
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	/* The open alone of another device could do harm. */
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENODATA;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return pread(fd, start, START_SIZE, 0) == START_SIZE ? 0 : -ENODATA;
}

int blockdev_read_ext_features(const char *path, uint32_t *ret)
{
	uint8_t start[START_SIZE] = {0};
	const struct bytes bytes = bytes_make(start, sizeof(start));
	uint32_t features;
	uint16_t magic;
	int r = read_start(path, start);

	if (r < 0)
		return r;
	if (!bytes_le16(bytes, EXT_MAGIC_AT, &magic) || magic != EXT_MAGIC ||
	    !bytes_le32(bytes, EXT_INCOMPAT_AT, &features))
		return -ENODATA;
	*ret = features;
	return 0;
}

int blockdev_read_xfs_version(const char *path, unsigned *ret)
{
	uint8_t start[START_SIZE] = {0};
	int r = read_start(path, start);

	if (r < 0)
		return r;
	if (memcmp(start, "XFSB", 4) != 0)
		return -ENODATA;
	*ret = start[XFS_VERSION_AT + 1] & 15; /* of a big-endian word its low bits */
	return 0;
}
