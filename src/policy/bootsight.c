/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootsight.c - see bootsight.h */
#include "bootsight.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../system/blockdev.h"
#include "bootplaces.h"

/* Linux Documentation/filesystems/ext4/super.rst, s_feature_incompat. */
#define EXT_EA_INODE	UINT32_C(0x400)
#define EXT_INLINE_DATA UINT32_C(0x8000)
#define EXT_CASEFOLD	UINT32_C(0x20000)

/* filetype, recover, meta_bg, extents, 64bit, mmp, flex_bg, csum_seed, largedir, encrypt */
#define GRUB_EXT_FEATURES UINT32_C(0x163d6)

/* Linux's and libblkid's names, with a blank before and behind each. */
static const char grub_types[] =
	" ext2 ext3 ext4 btrfs xfs vfat msdos exfat ntfs ntfs3 fuseblk iso9660 udf hfs hfsplus jfs"
	" reiserfs minix nilfs2 squashfs ufs zfs zfs_member f2fs affs befs bfs romfs ";
static const char pygrub_types[] =
	" ext2 ext3 ext4 vfat msdos iso9660 reiserfs ufs xfs zfs zfs_member ";
static const char pv_grub_types[] =
	" ext2 ext3 ext4 vfat msdos iso9660 jfs minix reiserfs ufs xfs ";

static bool is_among(const char *type, const char *types)
{
	char word[40];

	(void)snprintf(word, sizeof(word), " %s ", type);
	return strstr(types, word) != NULL;
}

static void take(struct guestfs_volume *volume, enum guestfs_sight sight, const char *what)
{
	volume->sight = sight;
	(void)snprintf(volume->obstacle, sizeof(volume->obstacle), "%.95s", text_escape(what).s);
}

/* What the volume is made of. GRUB 2 reads LVM and RAID; LUKS only once it was told to. */
static void look_at_device(bool is_grub2, const char *device, struct guestfs_volume *volume)
{
	static const struct {
		enum guestfs_sight grub2, others;
		const char *what;
	} rows[] = {
		[BLOCKDEV_PLAIN] = {GUESTFS_SEEN, GUESTFS_SEEN, ""},
		[BLOCKDEV_LVM] = {GUESTFS_SEEN, GUESTFS_UNSEEN, "a logical volume"},
		[BLOCKDEV_CRYPT] = {GUESTFS_DOUBTED, GUESTFS_UNSEEN, "an encrypted disk"},
		[BLOCKDEV_RAID] = {GUESTFS_SEEN, GUESTFS_UNSEEN, "an array of disks"},
		[BLOCKDEV_MIRROR] = {GUESTFS_SEEN, GUESTFS_DOUBTED, "an array of disks"},
	};
	const enum blockdev_kind kind = blockdev_look(device);

	take(volume, is_grub2 ? rows[kind].grub2 : rows[kind].others, rows[kind].what);
}

/* The drivers of the other two do not ask, and may come through with an inode that is like others.
 */
static void look_at_features(bool is_grub2, uint32_t features, struct guestfs_volume *volume)
{
	const uint32_t strange = features & ~GRUB_EXT_FEATURES;
	char what[96];

	if (strange == 0)
		return;
	(void)snprintf(what, sizeof(what), "%s with %s", volume->fs->type,
		       strange & EXT_INLINE_DATA ? "inline_data"
		       : strange & EXT_CASEFOLD	 ? "casefold"
		       : strange & EXT_EA_INODE	 ? "ea_inode"
						 : "features that GRUB does not know");
	take(volume, is_grub2 ? GUESTFS_UNSEEN : GUESTFS_DOUBTED, what);
}

/* A loader that is not GRUB 2 has the drivers that it was built with; GRUB 2 may get more. */
static void look_at_type(const struct bootmodel_request *request, bool is_grub2,
			 struct guestfs_volume *volume)
{
	const enum config_profile profile = request->config->profile;
	const char *type = volume->fs->type;
	const char *types = is_grub2			? grub_types
			    : profile == PROFILE_PYGRUB ? pygrub_types
							: pv_grub_types;
	const bool is_early_btrfs = profile == PROFILE_PV_GRUB && strcmp(type, "btrfs") == 0;

	/* fstab may have more than one, or leave it to mount(8). */
	if (type[0] == '\0' || strcmp(type, "auto") == 0 || strchr(type, ',') ||
	    is_among(type, types))
		return;
	take(volume, is_grub2 || is_early_btrfs ? GUESTFS_DOUBTED : GUESTFS_UNSEEN, type);
}

/* The features of the file system itself, whose driver the loader has. */
static void look_inside(bool is_grub2, const char *device, struct guestfs_volume *volume)
{
	uint32_t features;
	unsigned version;
	char path[128];

	(void)snprintf(path, sizeof(path), "/dev/%s", device);
	if (blockdev_read_ext_features(path, &features) == 0)
		look_at_features(is_grub2, features, volume);
	else if (!is_grub2 && blockdev_read_xfs_version(path, &version) == 0 && version > 4)
		take(volume, GUESTFS_UNSEEN, "xfs with checksums");
}

static void look_at_volume(const struct bootmodel_request *request, struct guestfs_volume *volume)
{
	const enum config_profile profile = request->config->profile;
	const bool is_grub2 = bootplaces_is_native(request) ||
			      (profile != PROFILE_PYGRUB && profile != PROFILE_PV_GRUB);
	const char *device = request->root->is_live ? volume->fs->device : volume->fs->here;

	look_at_type(request, is_grub2, volume);
	if (volume->sight == GUESTFS_SEEN && device[0])
		look_at_device(is_grub2, device, volume);
	if (volume->sight == GUESTFS_SEEN && device[0])
		look_inside(is_grub2, device, volume);
}

void bootsight_look(const struct bootmodel_request *request, struct guestfs *guest)
{
	for (size_t i = 0; i < guest->count; i++)
		if (!guest->volumes[i].fs->is_blank)
			look_at_volume(request, &guest->volumes[i]);
}

const struct guestfs_volume *bootsight_find(const struct bootworld *world, const char *path,
					    enum guestfs_sight sight)
{
	for (size_t i = 0; i < world->guest.count; i++) {
		const struct guestfs_volume *volume = &world->guest.volumes[i];

		if (volume->sight == sight &&
		    guestfs_look(&world->guest, volume, path, NULL) == GUESTFS_FOUND)
			return volume;
	}
	return NULL;
}
