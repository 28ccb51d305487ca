/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/policy/bootmodel.h"
#include "bzbuild.h"
#include "elfbuild.h"
#include "tmptree.h"

#define CMDLINE "root=/dev/xvda1 ro console=hvc0"

struct guest {
	struct tmptree tree;
	struct root root;
	struct config config;
	struct bootmodel model;
};

static int setup(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	assert_non_null(guest);
	tmptree_init(&guest->tree);
	tmptree_mkdir(&guest->tree, "boot");
	tmptree_write_text(&guest->tree, "etc/fstab", "/dev/xvda1 / ext4 defaults 0 1\n");
	assert_int_equal(root_open(guest->tree.path, &guest->root, NULL), 0);
	config_init(&guest->config);
	*state = guest;
	return 0;
}

static int teardown(void **state)
{
	struct guest *guest = *state;

	root_close(&guest->root);
	tmptree_done(&guest->tree);
	free(guest);
	return 0;
}

static void put_kernel(struct guest *guest, const char *path, struct stream kernel)
{
	tmptree_write(&guest->tree, path, stream_view(&kernel));
	stream_done(&kernel);
}

/* A configuration whose only entry starts /boot/vmlinuz-1, without an initrd. */
static void put_grub_cfg(struct guest *guest)
{
	tmptree_write_text(&guest->tree, "boot/grub/grub.cfg",
			   "set default=0\nset timeout=3\nset root=xen/xvda,1\n"
			   "menuentry 'Linux' {\n\tlinux /boot/vmlinuz-1 " CMDLINE "\n}\n");
}

static enum boot_verdict predict(struct guest *guest, enum guest_mode mode)
{
	const struct bootmodel_request request = {
		.root = &guest->root,
		.config = &guest->config,
		.guest = mode,
	};
	struct pvk_error err = {0};

	if (bootmodel_predict(&request, &guest->model, &err) < 0)
		fail_msg("%s", err.msg);
	return guest->model.verdict;
}

static bool found(const struct guest *guest, const char *code)
{
	for (size_t i = 0; i < guest->model.finding_count; i++)
		if (strcmp(guest->model.findings[i].code, code) == 0)
			return true;
	return false;
}

static const char *cure_of(const struct guest *guest, const char *code)
{
	for (size_t i = 0; i < guest->model.finding_count; i++)
		if (strcmp(guest->model.findings[i].code, code) == 0)
			return guest->model.findings[i].fix;
	return "";
}

/* The synthetic kernel has no modules directory, so nothing says what drivers it has. */
static void have_builtin(struct guest *guest, const char *drivers)
{
	const char *end = strchr(guest->model.boot.image.version, ' ');
	char path[256];

	(void)snprintf(path, sizeof(path), "lib/modules/%.*s/modules.builtin",
		       end ? (int)(end - guest->model.boot.image.version) : 100,
		       guest->model.boot.image.version);
	tmptree_write_text(&guest->tree, path, drivers);
}

static void have_builtin_driver(struct guest *guest)
{
	have_builtin(guest, "kernel/drivers/block/xen-blkfront.ko\nkernel/fs/ext4/ext4.ko\n");
}

static void which_image_boots_in_which_guest(void **state)
{
	static const struct {
		enum codec codec; /* of a bzImage; CODEC_COUNT: the bare ELF */
		enum guest_mode mode;
		bool starts;
	} rows[] = {
		{CODEC_COUNT, GUEST_PV, true},	     {CODEC_GZIP, GUEST_PV, true},
		{CODEC_XZ, GUEST_PV, true},	     {CODEC_LZ4_LEGACY, GUEST_PV, false},
		{CODEC_ZSTD, GUEST_PV, false},	     {CODEC_COUNT, GUEST_PVH, false},
		{CODEC_LZ4_LEGACY, GUEST_PVH, true}, {CODEC_ZSTD, GUEST_PVH, true},
		{CODEC_COUNT, GUEST_HVM, false},     {CODEC_LZ4_LEGACY, GUEST_HVM, true},
	};
	struct guest *guest = *state;

	put_grub_cfg(guest);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_kernel(guest, "boot/vmlinuz-1",
			   rows[i].codec == CODEC_COUNT ? bzbuild_elf()
							: bzbuild_kernel(rows[i].codec));
		(void)predict(guest, rows[i].mode);
		if (guest->model.has_boot != rows[i].starts)
			fail_msg("row %zu: has_boot is %d", i, guest->model.has_boot);
		if (!rows[i].starts)
			assert_int_equal(guest->model.verdict, VERDICT_FAILS);
		if (!rows[i].starts)
			assert_non_null(
				strstr(cure_of(guest, "kernel-refused"),
				       rows[i].mode == GUEST_PV ? " --prepare" : " --restore"));
		assert_int_equal(found(guest, "not-pv"), rows[i].mode != GUEST_PV);
	}
}

static const char *message_of(const struct guest *guest, const char *code)
{
	for (size_t i = 0; i < guest->model.finding_count; i++)
		if (strcmp(guest->model.findings[i].code, code) == 0)
			return guest->model.findings[i].message;
	return "";
}

/* --prepare would refuse it, and unpacking is not what it lacks. */
static void a_kernel_that_is_not_for_pv_has_no_cure(void **state)
{
	static const struct {
		enum codec codec;
		const char *loader_says;
	} rows[] = {{CODEC_LZ4_LEGACY, "GRUB cannot read lz4"},
		    {CODEC_ZSTD, "GRUB cannot read zstd"}};
	struct guest *guest = *state;
	struct elfbuild build;

	put_grub_cfg(guest);
	elfbuild_pvh_only(&build);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream elf = {0}, payload = {0};
		const char *reason, *packed;

		elf.data = elfbuild_make(&build, &elf.size);
		payload = bzbuild_payload(rows[i].codec, stream_view(&elf));
		put_kernel(guest, "boot/vmlinuz-1", bzbuild_wrap(stream_view(&payload)));
		assert_int_equal(predict(guest, GUEST_PV), VERDICT_FAILS);
		assert_string_equal(cure_of(guest, "kernel-refused"), "");
		reason = strstr(message_of(guest, "kernel-refused"),
				"no ENTRY note: not a PV kernel");
		packed = strstr(message_of(guest, "kernel-refused"), rows[i].loader_says);
		assert_true(reason && packed && reason < packed);
	}
}

static void a_driver_that_cannot_be_seen_is_unknown(void **state)
{
	struct guest *guest = *state;

	put_grub_cfg(guest);
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_UNKNOWN);
	assert_true(guest->model.has_boot);
	assert_true(found(guest, "blkfront-unknown"));
	have_builtin_driver(guest);
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_BOOTS);
	assert_string_equal(guest->model.boot.kernel, "/boot/vmlinuz-1");
	assert_string_equal(guest->model.boot.cmdline, CMDLINE);
	assert_int_equal(guest->model.boot.via, VIA_GRUB_CFG);
}

static void each_profile_reads_its_own_places(void **state)
{
	static const struct {
		enum config_profile profile;
		bool reads_grub_cfg, reads_menu_lst;
	} rows[] = {
		{PROFILE_BITFOLK, true, true},
		{PROFILE_DEBIAN, true, false},
		{PROFILE_PYGRUB, true, true},
		{PROFILE_PV_GRUB, false, true},
	};
	struct guest *guest = *state;

	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		guest->config.profile = rows[i].profile;
		put_grub_cfg(guest);
		(void)predict(guest, GUEST_PV);
		assert_int_equal(guest->model.has_boot, rows[i].reads_grub_cfg);
		tmptree_remove(&guest->tree, "boot/grub/grub.cfg");
		tmptree_write_text(&guest->tree, "boot/grub/menu.lst",
				   "default 0\ntimeout 1\ntitle Linux\nroot (hd0,0)\n"
				   "kernel /boot/vmlinuz-1 " CMDLINE "\n");
		(void)predict(guest, GUEST_PV);
		if (guest->model.has_boot != rows[i].reads_menu_lst)
			fail_msg("row %zu: menu.lst: has_boot is %d", i, guest->model.has_boot);
		tmptree_remove(&guest->tree, "boot/grub/menu.lst");
	}
}

static void xens_builder_takes_what_grub_refuses(void **state)
{
	struct guest *guest = *state;

	put_grub_cfg(guest);
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_kernel(CODEC_LZ4_LEGACY));
	guest->config.profile = PROFILE_PYGRUB;
	(void)predict(guest, GUEST_PV);
	assert_true(guest->model.has_boot);
	assert_int_equal(guest->model.boot.loader.outcome, LOADER_STARTS);
}

static void a_pvboot_of_unknown_making_is_not_trusted(void **state)
{
	struct guest *guest = *state;

	put_grub_cfg(guest);
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	(void)predict(guest, GUEST_PV);
	have_builtin_driver(guest);
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_BOOTS);
	/* It starts, since it is an ELF with Xen notes; what it does then nobody can tell... */
	put_kernel(guest, "boot/xen/pvboot-x86_64.elf", bzbuild_elf());
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_UNKNOWN);
	assert_true(found(guest, "pvboot-foreign"));
	assert_string_equal(cure_of(guest, "pvboot-foreign"), ""); /* it may be the right one */
	assert_int_equal(guest->model.boot.via, VIA_PVBOOT);
	/* ...but grub-install leaves a copy of what it made, and that is known to read grub.cfg. */
	put_kernel(guest, "boot/grub/x86_64-xen/core.elf", bzbuild_elf());
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_BOOTS);
}

/* Such a GRUB, with the pattern of its modules' names in it, stops at its rescue prompt. */
static void a_pvboot_whose_modules_are_gone_fails(void **state)
{
	static const char *const dirs[] = {"boot/grub/x86_64-xen", "grub/x86_64-xen"};
	struct guest *guest = *state;
	struct elfbuild build;

	put_grub_cfg(guest);
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	(void)predict(guest, GUEST_PV);
	have_builtin_driver(guest);
	elfbuild_linux_6_1(&build);
	(void)snprintf(build.banner, sizeof(build.banner), "%%s/x86_64-xen/%%s.mod");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		struct stream elf[2];
		char path[64];

		for (size_t j = 0; j < 2; j++)
			elf[j].data = elfbuild_make(&build, &elf[j].size);
		put_kernel(guest, "boot/xen/pvboot-x86_64.elf", elf[0]);
		(void)snprintf(path, sizeof(path), "%s/core.elf", dirs[i]);
		put_kernel(guest, path, elf[1]);
		assert_int_equal(predict(guest, GUEST_PV), VERDICT_FAILS);
		assert_true(found(guest, "pvboot-without-modules"));
		assert_false(guest->model.has_boot);
		assert_non_null(strstr(cure_of(guest, "pvboot-without-modules"), "grub-install"));
		(void)snprintf(path, sizeof(path), "%s/normal.mod", dirs[i]);
		tmptree_write_text(&guest->tree, path, "a module");
		assert_int_equal(predict(guest, GUEST_PV), VERDICT_BOOTS);
		tmptree_remove(&guest->tree, path);
		(void)snprintf(path, sizeof(path), "%s/core.elf", dirs[i]);
		tmptree_remove(&guest->tree, path);
	}
}

static void the_boot_goes_on_behind_a_config_without_entries(void **state)
{
	struct guest *guest = *state;

	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	tmptree_write_text(&guest->tree, "boot/grub/grub.cfg", "set timeout=5\n");
	tmptree_write_text(&guest->tree, "boot/grub/menu.lst",
			   "default 0\ntimeout 1\ntitle Linux\nkernel /boot/vmlinuz-1 " CMDLINE
			   "\n");
	(void)predict(guest, GUEST_PV);
	assert_true(guest->model.has_boot);
	assert_int_equal(guest->model.boot.via, VIA_MENU_LST);
	assert_true(found(guest, "config-unusable"));
}

static void put_fstab(struct guest *guest, const char *text)
{
	tmptree_write_text(&guest->tree, "etc/fstab", text);
}

/*
 * Without the device names nobody knows which grub.cfg comes first; with them it is known: the
 * first disk, and of its partitions the last for GRUB 2, the first for pygrub.
 */
static void the_first_disk_with_the_file_wins(void **state)
{
	static const struct {
		const char *root, *srv;
		enum config_profile profile;
		const char *config; /* NULL: not known */
	} rows[] = {
		{"/dev/xvda1", "/dev/xvdb1", PROFILE_BITFOLK, "/boot/grub/grub.cfg"},
		{"/dev/xvdb1", "/dev/xvda1", PROFILE_BITFOLK, "/srv/boot/grub/grub.cfg"},
		{"/dev/xvda1", "UUID=11-22", PROFILE_BITFOLK, NULL},
		{"/dev/xvda1", "/dev/xvda2", PROFILE_BITFOLK, "/srv/boot/grub/grub.cfg"},
		{"/dev/xvda2", "/dev/xvda1", PROFILE_BITFOLK, "/boot/grub/grub.cfg"},
		{"/dev/xvda2", "/dev/xvda10", PROFILE_DEBIAN, "/srv/boot/grub/grub.cfg"},
		{"/dev/xvda", "/dev/xvda1", PROFILE_DEBIAN, "/boot/grub/grub.cfg"},
		{"/dev/xvda1", "/dev/xvda2", PROFILE_PYGRUB, "/boot/grub/grub.cfg"},
		{"/dev/xvda2", "/dev/xvda1", PROFILE_PYGRUB, "/srv/boot/grub/grub.cfg"},
		{"/dev/xvda1", "/dev/md0", PROFILE_BITFOLK, NULL},
	};
	char fstab[256];
	struct guest *guest = *state;

	tmptree_write_text(&guest->tree, "boot/grub/grub.cfg",
			   "set timeout=1\nmenuentry 'A' {\n\tlinux /boot/vmlinuz-1 ro\n}\n");
	tmptree_write_text(&guest->tree, "srv/boot/grub/grub.cfg",
			   "set timeout=1\nmenuentry 'B' {\n\tlinux /boot/vmlinuz-2 ro\n}\n");
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	put_kernel(guest, "srv/boot/vmlinuz-2", bzbuild_elf());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(fstab, sizeof(fstab),
			       "%s / ext4 defaults 0 1\n%s /srv ext4 ro 0 2\n", rows[i].root,
			       rows[i].srv);
		put_fstab(guest, fstab);
		guest->config.profile = rows[i].profile;
		(void)predict(guest, GUEST_PV);
		assert_true(found(guest, "tree-only"));
		if (guest->model.has_boot != (rows[i].config != NULL))
			fail_msg("row %zu: %s", i, guest->model.boot.config);
		if (rows[i].config)
			assert_string_equal(guest->model.boot.config, rows[i].config);
		else
			assert_int_equal(guest->model.verdict, VERDICT_UNKNOWN);
	}
}

/* pygrub stops at the first partition that has any configuration; GRUB asks all of them for one
 * file after the other. */
static void pygrub_goes_through_the_places_partition_by_partition(void **state)
{
	static const struct {
		enum config_profile profile;
		const char *config;
	} rows[] = {
		{PROFILE_PYGRUB, "/srv/boot/grub/menu.lst"},
		{PROFILE_BITFOLK, "/boot/grub/grub.cfg"},
	};
	struct guest *guest = *state;

	put_fstab(guest, "/dev/xvda2 / ext4 defaults 0 1\n/dev/xvda1 /srv ext4 ro 0 2\n");
	tmptree_write_text(&guest->tree, "boot/grub/grub.cfg",
			   "set timeout=1\nmenuentry 'A' {\n\tlinux /boot/vmlinuz-1 ro\n}\n");
	tmptree_write_text(&guest->tree, "srv/boot/grub/menu.lst",
			   "default 0\ntimeout 1\ntitle B\nkernel /boot/vmlinuz-2 ro\n");
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	put_kernel(guest, "srv/boot/vmlinuz-2", bzbuild_elf());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		guest->config.profile = rows[i].profile;
		(void)predict(guest, GUEST_PV);
		assert_true(guest->model.has_boot);
		assert_string_equal(guest->model.boot.config, rows[i].config);
	}
}

/* fstab's type; what a loader cannot read is nothing to it, and its cure is no new menu. */
static void a_loader_reads_the_file_systems_that_it_has_drivers_for(void **state)
{
	static const struct {
		const char *type;
		enum config_profile profile;
		const char *code; /* NULL: it boots */
	} rows[] = {
		{"ext4", PROFILE_BITFOLK, NULL},
		{"btrfs", PROFILE_BITFOLK, NULL},
		{"auto", PROFILE_BITFOLK, NULL},
		{"auto", PROFILE_PYGRUB, NULL},
		{"ext4,ext3", PROFILE_PYGRUB, NULL},
		{"bcachefs", PROFILE_DEBIAN, "place-unreadable"},
		{"xfs", PROFILE_PYGRUB, NULL},
		{"btrfs", PROFILE_PYGRUB, "fs-not-read"},
		{"f2fs", PROFILE_PYGRUB, "fs-not-read"},
		{"f2fs", PROFILE_PV_GRUB, "fs-not-read"},
		{"btrfs", PROFILE_PV_GRUB, "place-unreadable"},
		{"jfs", PROFILE_PV_GRUB, NULL},
		{"\\033[2J", PROFILE_PYGRUB, "fs-not-read"},
	};
	struct guest *guest = *state;
	char fstab[128];

	put_grub_cfg(guest);
	tmptree_write_text(&guest->tree, "boot/grub/menu.lst",
			   "default 0\ntimeout 1\ntitle Linux\nroot (hd0,0)\n"
			   "kernel /boot/vmlinuz-1 " CMDLINE "\n");
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(fstab, sizeof(fstab), "/dev/xvda1 / %s defaults 0 1\n",
			       rows[i].type);
		put_fstab(guest, fstab);
		guest->config.profile = rows[i].profile;
		(void)predict(guest, GUEST_PV);
		if (guest->model.has_boot != (rows[i].code == NULL) ||
		    (rows[i].code && !found(guest, rows[i].code)))
			fail_msg("row %zu", i);
		assert_string_equal(cure_of(guest, "nothing-to-boot"), "");
		assert_null(strchr(message_of(guest, "fs-not-read"), '\033'));
		if (rows[i].code)
			assert_int_equal(guest->model.verdict,
					 strcmp(rows[i].code, "fs-not-read") == 0
						 ? VERDICT_FAILS
						 : VERDICT_UNKNOWN);
	}
}

/* Who makes a menu that this loader never reads is no cure, and nobody is without a kernel. */
static void no_menu_is_cured_by_the_owner_of_one_that_is_read(void **state)
{
	static const struct {
		const char *owner, *text;
		enum config_profile profile;
		const char *cure;
	} rows[] = {
		{"usr/sbin/update-grub", "exec grub-mkconfig -o /boot/grub/grub.cfg\n",
		 PROFILE_DEBIAN, " update-grub"},
		{"usr/sbin/update-grub", "exec grub-mkconfig -o /boot/grub/grub.cfg\n",
		 PROFILE_PV_GRUB, NULL},
		{"usr/sbin/update-menu-lst", "menu_file=menu.lst\n", PROFILE_PV_GRUB,
		 " update-menu-lst"},
		{"usr/sbin/update-menu-lst", "menu_file=menu.lst\n", PROFILE_DEBIAN, " --prepare"},
	};
	struct guest *guest = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *cure;

		tmptree_write_text(&guest->tree, rows[i].owner, rows[i].text);
		guest->config.profile = rows[i].profile;
		assert_int_equal(predict(guest, GUEST_PV), VERDICT_FAILS);
		assert_string_equal(cure_of(guest, "nothing-to-boot"), "");
		put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
		(void)predict(guest, GUEST_PV);
		cure = cure_of(guest, "nothing-to-boot");
		if (rows[i].cure ? !strstr(cure, rows[i].cure) : cure[0] != '\0')
			fail_msg("row %zu: %s", i, cure);
		tmptree_remove(&guest->tree, rows[i].owner);
		tmptree_remove(&guest->tree, "boot/vmlinuz-1");
	}
}

/* One file system whose UUID is not known: the search finds it, or finds nothing and leaves root as
 * it was, which is the same. */
static void a_search_that_can_only_find_one_needs_no_uuid(void **state)
{
	struct guest *guest = *state;

	tmptree_write_text(&guest->tree, "boot/grub/grub.cfg",
			   "set timeout=1\nmenuentry A {\n\tsearch --fs-uuid --set=root 12-34\n"
			   "\tlinux /boot/vmlinuz-1 " CMDLINE "\n}\n");
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	(void)predict(guest, GUEST_PV);
	assert_true(guest->model.has_boot);
	have_builtin_driver(guest);
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_BOOTS);
	tmptree_mkdir(&guest->tree, "srv");
	put_fstab(guest, "/dev/xvda1 / ext4 defaults 0 1\n/dev/xvda2 /srv ext4 defaults 0 2\n");
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_UNKNOWN);
	put_fstab(guest, "UUID=12-34 / ext4 defaults 0 1\n/dev/xvda2 /srv ext4 defaults 0 2\n");
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_BOOTS);
}

/* Linux init/do_mounts.c: without an initrd nobody looks up a UUID. */
static void what_the_kernel_finds_without_an_initrd(void **state)
{
	static const struct {
		const char *root;
		bool has_ext4;
		enum boot_verdict verdict;
		const char *code;
	} rows[] = {
		{"root=/dev/xvda1", true, VERDICT_BOOTS, NULL},
		{"root=/dev/xvda1", false, VERDICT_FAILS, "root-needs-initrd"},
		{"root=PARTUUID=2d2e6de3-01", true, VERDICT_BOOTS, "root-not-checked"},
		{"root=UUID=12-34", true, VERDICT_FAILS, "root-needs-initrd"},
		{"root=LABEL=system", true, VERDICT_FAILS, "root-needs-initrd"},
		{"root=/dev/disk/by-uuid/12-34", true, VERDICT_FAILS, "root-needs-initrd"},
		{"root=/dev/vg/root", true, VERDICT_FAILS, "root-needs-initrd"},
		{"root=/dev/xvda2", true, VERDICT_FAILS, "root-not-found"},
		{"quiet", true, VERDICT_FAILS, "root-not-named"},
	};
	struct guest *guest = *state;
	char config[256];

	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	put_grub_cfg(guest);
	(void)predict(guest, GUEST_PV);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		have_builtin(guest, rows[i].has_ext4
					    ? "drivers/block/xen-blkfront.ko\nfs/ext4/ext4.ko\n"
					    : "drivers/block/xen-blkfront.ko\n");
		(void)snprintf(config, sizeof(config),
			       "set timeout=1\nmenuentry A {\n\tlinux /boot/vmlinuz-1 %s\n}\n",
			       rows[i].root);
		tmptree_write_text(&guest->tree, "boot/grub/grub.cfg", config);
		if (predict(guest, GUEST_PV) != rows[i].verdict)
			fail_msg("row %zu: %s", i, boot_verdict_name(guest->model.verdict));
		if (rows[i].code && !found(guest, rows[i].code))
			fail_msg("row %zu: no finding %s", i, rows[i].code);
	}
}

/* A root= that names /boot, or a disk of data, is as good as none. */
static void the_root_must_have_a_system_in_it(void **state)
{
	struct guest *guest = *state;

	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	put_grub_cfg(guest);
	(void)predict(guest, GUEST_PV);
	have_builtin_driver(guest);
	tmptree_mkdir(&guest->tree, "srv");
	tmptree_write_text(&guest->tree, "boot/grub/grub.cfg",
			   "set timeout=1\nset root=xen/xvda,2\n"
			   "menuentry A {\n\tlinux /boot/vmlinuz-1 " CMDLINE "\n}\n");
	put_fstab(guest, "/dev/xvda2 / ext4 defaults 0 1\n/dev/xvda1 /srv ext4 defaults 0 2\n");
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_FAILS);
	assert_true(found(guest, "root-not-found"));
	tmptree_mkdir(&guest->tree, "srv/etc");
	assert_int_equal(predict(guest, GUEST_PV), VERDICT_BOOTS);
}

/* GRUB compares UUIDs without case, initramfs-tools with it. */
static void what_root_names_is_looked_up(void **state)
{
	static const struct {
		const char *root, *code;
	} rows[] = {
		{"UUID=ab-cd", NULL},
		{"/dev/disk/by-uuid/ab-cd", NULL},
		{"/dev/disk/by-uuid/ab-ce", "root-not-found"},
		{"UUID=AB-CD", "root-not-checked"},
		{"/dev/xvda3", "root-not-checked"},
		{"ZFS=pool/root", "root-not-checked"},
	};
	struct guest *guest = *state;
	char config[256];

	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	put_kernel(guest, "boot/initrd-1", bzbuild_elf());
	put_fstab(guest, "UUID=ab-cd / ext4 defaults 0 1\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(config, sizeof(config),
			       "set timeout=1\nsearch --set=root --fs-uuid AB-CD\nmenuentry A {\n"
			       "\tlinux /boot/vmlinuz-1 root=%s\n\tinitrd /boot/initrd-1\n}\n",
			       rows[i].root);
		tmptree_write_text(&guest->tree, "boot/grub/grub.cfg", config);
		(void)predict(guest, GUEST_PV);
		if (found(guest, "root-not-found") + found(guest, "root-not-checked") !=
		    (rows[i].code != NULL))
			fail_msg("row %zu", i);
		if (rows[i].code && !found(guest, rows[i].code))
			fail_msg("row %zu: no finding %s", i, rows[i].code);
	}
}

static void every_place_is_in_the_chain(void **state)
{
	struct guest *guest = *state;

	put_grub_cfg(guest);
	put_kernel(guest, "boot/vmlinuz-1", bzbuild_elf());
	(void)predict(guest, GUEST_PV);
	assert_int_equal(guest->model.step_count, 6);
	assert_int_equal(guest->model.steps[0].state, STEP_ABSENT);
	assert_int_equal(guest->model.steps[2].state, STEP_USED);
	assert_int_equal(guest->model.steps[3].state, STEP_NOT_REACHED);
	assert_int_equal(guest->model.steps[5].state, STEP_NOT_REACHED);
}

static void add(struct bootmodel *model, enum boot_severity severity, const char *code,
		enum boot_verdict verdict)
{
	bootmodel_find(model, severity, code, NULL, "%s", code);
	if (verdict != VERDICT_BOOTS)
		bootmodel_worsen(model, verdict);
}

static void the_cause_is_the_first_that_forces_the_verdict(void **state)
{
	struct bootmodel *model = calloc(1, sizeof(*model));

	(void)state;
	assert_non_null(model);
	model->verdict = VERDICT_BOOTS;
	assert_null(bootmodel_cause(model));
	add(model, SEVERITY_INFO, "hint", VERDICT_BOOTS);
	add(model, SEVERITY_WARNING, "warning", VERDICT_BOOTS);
	assert_string_equal(bootmodel_cause(model)->code, "warning");
	add(model, SEVERITY_ERROR, "doubt", VERDICT_UNKNOWN);
	assert_string_equal(bootmodel_cause(model)->code, "doubt");
	add(model, SEVERITY_ERROR, "failure", VERDICT_FAILS);
	add(model, SEVERITY_ERROR, "second", VERDICT_FAILS);
	assert_string_equal(bootmodel_cause(model)->code, "failure");
	free(model);
}

static void what_decides_has_room_behind_any_number_of_warnings(void **state)
{
	struct bootmodel *model = calloc(1, sizeof(*model));

	(void)state;
	assert_non_null(model);
	model->verdict = VERDICT_BOOTS;
	for (size_t i = 0; i < (size_t)2 * BOOT_FINDINGS_MAX; i++)
		add(model, SEVERITY_WARNING, "loader-error", VERDICT_BOOTS);
	add(model, SEVERITY_ERROR, "failure", VERDICT_FAILS);
	add(model, SEVERITY_WARNING, "dropped", VERDICT_UNKNOWN);
	assert_string_equal(bootmodel_cause(model)->code, "failure");
	assert_int_equal(model->verdict, VERDICT_FAILS);
	for (size_t i = 0; i < BOOT_FINDINGS_MAX; i++)
		add(model, SEVERITY_ERROR, "more", VERDICT_BOOTS);
	assert_int_equal(model->finding_count, BOOT_FINDINGS_MAX);
	free(model);
}

static void the_verdict_only_gets_worse(void **state)
{
	struct bootmodel model = {.verdict = VERDICT_BOOTS};

	(void)state;
	bootmodel_worsen(&model, VERDICT_UNKNOWN);
	assert_int_equal(model.verdict, VERDICT_UNKNOWN);
	bootmodel_worsen(&model, VERDICT_FAILS);
	bootmodel_worsen(&model, VERDICT_UNKNOWN);
	bootmodel_worsen(&model, VERDICT_BOOTS);
	assert_int_equal(model.verdict, VERDICT_FAILS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(which_image_boots_in_which_guest),
		TEST(a_kernel_that_is_not_for_pv_has_no_cure),
		TEST(a_driver_that_cannot_be_seen_is_unknown),
		TEST(each_profile_reads_its_own_places),
		TEST(xens_builder_takes_what_grub_refuses),
		TEST(a_pvboot_of_unknown_making_is_not_trusted),
		TEST(a_pvboot_whose_modules_are_gone_fails),
		TEST(the_boot_goes_on_behind_a_config_without_entries),
		TEST(the_first_disk_with_the_file_wins),
		TEST(pygrub_goes_through_the_places_partition_by_partition),
		TEST(a_loader_reads_the_file_systems_that_it_has_drivers_for),
		TEST(no_menu_is_cured_by_the_owner_of_one_that_is_read),
		TEST(a_search_that_can_only_find_one_needs_no_uuid),
		TEST(what_the_kernel_finds_without_an_initrd),
		TEST(the_root_must_have_a_system_in_it),
		TEST(what_root_names_is_looked_up),
		TEST(every_place_is_in_the_chain),
		cmocka_unit_test(the_cause_is_the_first_that_forces_the_verdict),
		cmocka_unit_test(what_decides_has_room_behind_any_number_of_warnings),
		cmocka_unit_test(the_verdict_only_gets_worse),
	};

	return cmocka_run_group_tests_name("bootmodel", tests, NULL, NULL);
}
