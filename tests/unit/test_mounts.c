/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../src/policy/guestfs.h"
#include "tmptree.h"

static void a_device_name_is_disk_and_partition(void **state)
{
	static const struct {
		const char *device, *disk;
		unsigned partition;
	} rows[] = {
		{"/dev/xvda1", "xvda", 1},
		{"xvda", "xvda", 0},
		{"/dev/xvdb12", "xvdb", 12},
		{"sda3", "sda", 3},
		{"nvme0n1p2", "nvme0n1", 2},
		{"nvme0n1", "nvme0n1", 0},
		{"mmcblk0p1", "mmcblk0", 1},
		{"loop7", "loop7", 0},
		{"dm-0", "dm-0", 0},
		{"md127", "md127", 0},
		{"mapper/vg-root", "mapper/vg-root", 0},
		{"", "", 0},
		{"7", "7", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned partition = 99;
		char disk[64];

		mounts_split_device(rows[i].device, disk, &partition);
		assert_string_equal(disk, rows[i].disk);
		assert_int_equal(partition, rows[i].partition);
	}
}

struct place {
	struct tmptree tree;
	struct root root;
	struct guestfs guest;
};

static void open_tree(struct place *place, const char *fstab)
{
	tmptree_init(&place->tree);
	tmptree_mkdir(&place->tree, "boot/grub");
	tmptree_write_text(&place->tree, "boot/file", "x");
	if (fstab)
		tmptree_write_text(&place->tree, "etc/fstab", fstab);
	assert_int_equal(root_open(place->tree.path, &place->root, NULL), 0);
	assert_int_equal(guestfs_open(&place->root, &place->guest, NULL), 0);
}

static void close_tree(struct place *place)
{
	guestfs_close(&place->guest);
	root_close(&place->root);
	tmptree_done(&place->tree);
}

static void fstab_tells_a_trees_file_systems(void **state)
{
	struct place place;

	(void)state;
	open_tree(&place,
		  "# comment\nUUID=aa-bb / ext4 defaults 0 1\nLABEL=boot /boot ext2 ro 0 2\n"
		  "proc /proc proc defaults 0 0\n");
	assert_int_equal(place.guest.count, 2);
	assert_string_equal(place.guest.volumes[0].fs->mountpoint, "/");
	assert_string_equal(place.guest.volumes[0].fs->uuid, "aa-bb");
	assert_string_equal(place.guest.volumes[1].fs->label, "boot");
	assert_string_equal(place.guest.volumes[1].fs->type, "ext2");
	close_tree(&place);
}

static void a_plain_tree_holds_all_that_its_fstab_puts_on_disks(void **state)
{
	struct place place;

	(void)state;
	open_tree(&place, "UUID=a / ext4 defaults 0 1\n/dev/xvdb1 /boot/grub xfs defaults 0 2\n"
			  "/dev/xvda3 none swap sw 0 0\nnas:/x /nas nfs ro 0 0\n"
			  "/srv /mnt none bind 0 0\ntmpfs /tmp tmpfs defaults 0 0\n"
			  "/dev/sr0 /media/cdrom iso9660 ro,noauto 0 0\n");
	assert_int_equal(place.guest.count, 2);
	/* Whose device is known comes first; which of the two really does is not known. */
	assert_string_equal(place.guest.volumes[0].fs->mountpoint, "/boot/grub");
	assert_string_equal(place.guest.volumes[0].name, "xen/xvdb,1");
	assert_string_equal(place.guest.volumes[1].name, "guest/root");
	assert_string_equal(place.guest.volumes[1].fs->wanted, "");
	close_tree(&place);
}

static void disks_are_ordered_as_xen_names_them(void **state)
{
	static const char *const devices[] = {"xvda", "xvda1", "xvda2", "xvda10",
					      "xvdb", "xvdz9", "xvdaa1"};

	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		for (size_t j = 0; j < sizeof(devices) / sizeof(devices[0]); j++) {
			struct filesystem x = {0}, y = {0};
			int order;

			mounts_split_device(devices[i], x.disk, &x.partition);
			mounts_split_device(devices[j], y.disk, &y.partition);
			order = filesystem_compare(&x, &y);
			assert_int_equal(order < 0, i < j);
			assert_int_equal(order == 0, i == j);
		}
}

static void a_tree_without_fstab_has_its_top(void **state)
{
	struct place place;

	(void)state;
	open_tree(&place, NULL);
	assert_int_equal(place.guest.count, 1);
	assert_string_equal(place.guest.volumes[0].fs->uuid, "");
	close_tree(&place);
}

static void grubs_names_find_a_volume(void **state)
{
	static const struct {
		const char *name;
		bool is_zero_based;
		enum guestfs_found found;
		const char *mountpoint;
	} rows[] = {
		{"xen/xvda,1", false, GUESTFS_FOUND, "/boot"},
		{"xen/xvda,msdos2", false, GUESTFS_FOUND, "/"},
		{"hd0,gpt2", false, GUESTFS_FOUND, "/"},
		{"hd0,1", false, GUESTFS_FOUND, "/boot"},
		{"hd0,0", true, GUESTFS_FOUND, "/boot"},
		{"hd0,1", true, GUESTFS_FOUND, "/"},
		{"hd0", false, GUESTFS_ABSENT, NULL},
		{"hd0,3", false, GUESTFS_ABSENT, NULL},
		{"hd0,0", false, GUESTFS_ABSENT, NULL},
		{"hd1,1", false, GUESTFS_ABSENT, NULL},
		{"xen/xvdb,1", false, GUESTFS_ABSENT, NULL},
		{"hd0,", false, GUESTFS_ABSENT, NULL},
		{"", false, GUESTFS_ABSENT, NULL},
		{",1", false, GUESTFS_ABSENT, NULL},
		{"hd99999999999999999999,1", false, GUESTFS_ABSENT, NULL},
	};
	const struct guestfs_volume *volume;
	struct place place;
	char name[64];

	(void)state;
	open_tree(&place, "/dev/xvda2 / ext4 defaults 0 1\n/dev/xvda1 /boot ext4 defaults 0 2\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		place.guest.is_zero_based = rows[i].is_zero_based;
		if (guestfs_find_volume(&place.guest, rows[i].name, &volume) != rows[i].found)
			fail_msg("row %zu: %s", i, rows[i].name);
		if (rows[i].found == GUESTFS_FOUND)
			assert_string_equal(volume->fs->mountpoint, rows[i].mountpoint);
	}
	guestfs_legacy_name(&place.guest, &place.guest.volumes[0], name, sizeof(name));
	assert_string_equal(name, "hd0,0");
	close_tree(&place);
}

static void names_that_fstab_does_not_tell_are_unknown(void **state)
{
	const struct guestfs_volume *volume;
	struct place place;

	(void)state;
	open_tree(&place, "UUID=aa-bb / ext4 defaults 0 1\n");
	assert_int_equal(guestfs_find_volume(&place.guest, "hd0,1", &volume), GUESTFS_UNKNOWN);
	assert_int_equal(guestfs_find_volume(&place.guest, "guest/root", &volume), GUESTFS_FOUND);
	close_tree(&place);
}

static void the_directory_under_a_mount_point_is_empty(void **state)
{
	struct place place;
	int fd;

	(void)state;
	open_tree(&place, "UUID=a / ext4 defaults 0 1\nUUID=b /boot ext4 defaults 0 2\n");
	assert_int_equal(
		guestfs_open_file(&place.guest, &place.guest.volumes[0], "/boot/file", O_PATH),
		-ENOENT);
	assert_int_equal(
		guestfs_open_file(&place.guest, &place.guest.volumes[0], "/./boot//file", O_PATH),
		-ENOENT);
	fd = guestfs_open_file(&place.guest, &place.guest.volumes[1], "/file", O_PATH);
	assert_true(fd >= 0);
	(void)close(fd);
	close_tree(&place);
}

/* /vmlinuz leads to /boot in each Debian; with a /boot of its own that is an empty directory. */
static void a_link_does_not_lead_into_another_file_system(void **state)
{
	struct place place;
	struct stat st;

	(void)state;
	open_tree(&place, "UUID=a / ext4 defaults 0 1\n");
	tmptree_symlink(&place.tree, "boot/file", "vmlinuz");
	assert_int_equal(guestfs_look(&place.guest, &place.guest.volumes[0], "/vmlinuz", &st),
			 GUESTFS_FOUND);
	close_tree(&place);
	open_tree(&place, "UUID=a / ext4 defaults 0 1\nUUID=b /boot ext4 defaults 0 2\n");
	tmptree_symlink(&place.tree, "boot/file", "vmlinuz");
	assert_int_equal(guestfs_look(&place.guest, &place.guest.volumes[0], "/vmlinuz", &st),
			 GUESTFS_ABSENT);
	close_tree(&place);
}

static void devices_that_grub_makes_of_others_are_unknown(void **state)
{
	static const char *const names[] = {"lvmid/abc/def", "lvm/vg-root", "md/0", "mduuid/00",
					    "crypto0"};
	const struct guestfs_volume *volume;
	struct place place;

	(void)state;
	open_tree(&place, "/dev/xvda1 / ext4 defaults 0 1\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(guestfs_find_volume(&place.guest, names[i], &volume),
				 GUESTFS_UNKNOWN);
	assert_int_equal(guestfs_find_volume(&place.guest, "fd0", &volume), GUESTFS_ABSENT);
	close_tree(&place);
}

static void a_path_of_the_guest_has_its_links_followed(void **state)
{
	struct place place;
	char path[256];

	(void)state;
	open_tree(&place, "UUID=a / ext4 defaults 0 1\nUUID=b /boot ext4 defaults 0 2\n");
	tmptree_symlink(&place.tree, "file", "boot/link");
	guestfs_guest_path(&place.guest, &place.guest.volumes[1], "/link", path, sizeof(path));
	assert_string_equal(path, "/boot/file");
	guestfs_guest_path(&place.guest, &place.guest.volumes[1], "/absent", path, sizeof(path));
	assert_string_equal(path, "/boot/absent");
	close_tree(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_name_is_disk_and_partition),
		cmocka_unit_test(fstab_tells_a_trees_file_systems),
		cmocka_unit_test(a_plain_tree_holds_all_that_its_fstab_puts_on_disks),
		cmocka_unit_test(disks_are_ordered_as_xen_names_them),
		cmocka_unit_test(a_tree_without_fstab_has_its_top),
		cmocka_unit_test(grubs_names_find_a_volume),
		cmocka_unit_test(names_that_fstab_does_not_tell_are_unknown),
		cmocka_unit_test(the_directory_under_a_mount_point_is_empty),
		cmocka_unit_test(a_link_does_not_lead_into_another_file_system),
		cmocka_unit_test(devices_that_grub_makes_of_others_are_unknown),
		cmocka_unit_test(a_path_of_the_guest_has_its_links_followed),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
