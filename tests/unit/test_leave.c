/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_leave.c - before the unpack of a kernel, at its removal, and when pvkprep itself goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../src/policy/leave.h"
#include "kerneltree.h"

#define OLD	 "6.1.0-1"
#define V	 "6.1.0-2"
#define IMAGE	 "boot/vmlinuz-" V
#define PACKAGED "boot/pvkprep/packaged-" V

/* --- before the unpack --- */

static void make_room(struct kerneltree *t, struct pvk_error *ret_why)
{
	const struct kernel kernel = kerneltree_name(V);
	struct pvk_error err = {0};

	memset(ret_why, 0, sizeof(*ret_why));
	kerneltree_reopen(t);
	if (leave_room_for_update(&t->apply, &kernel, ret_why, &err) < 0)
		fail_msg("%s", err.msg);
}

static void a_kernel_to_come_is_diverted_and_its_directory_is_there(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	make_room(t, &why);
	assert_true(kerneltree_is_diverted(t, V));
	assert_true(tmptree_exists(&t->tree, "boot/pvkprep"));
	assert_int_equal(why.code, 0);
}

static void an_installed_image_is_adopted_by_a_second_name(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	kerneltree_put_packed(t, V);
	kerneltree_own(t, V);
	make_room(t, &why);
	assert_true(kerneltree_is_diverted(t, V));
	assert_int_equal(tmptree_stat(&t->tree, IMAGE).st_ino,
			 tmptree_stat(&t->tree, PACKAGED).st_ino);
	make_room(t, &why); /* an upgrade right after */
	assert_true(kerneltree_is_diverted(t, V));
}

/* Stashed by another configuration: the kept one is the package's, the one in place is ours. */
static void a_stashed_original_is_adopted_as_it_is(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	kerneltree_own(t, V);
	kerneltree_put_elf(t, V);
	tmptree_write(&t->tree, PACKAGED, stream_view(&t->packed));
	make_room(t, &why);
	assert_true(kerneltree_is_diverted(t, V));
	assert_true(kerneltree_image_is(t, V, &t->elf));
}

static void an_image_that_is_not_the_packages_is_not_adopted(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	kerneltree_own(t, V);
	kerneltree_put_elf(t, V); /* the administrator's own */
	make_room(t, &why);
	assert_false(kerneltree_is_diverted(t, V));
	assert_false(kerneltree_has_packaged(t, V));
	assert_non_null(strstr(why.msg, "not the package's"));
}

static void an_image_of_no_package_is_not_adopted(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	kerneltree_put_packed(t, V);
	make_room(t, &why);
	assert_false(kerneltree_is_diverted(t, V));
	assert_non_null(strstr(why.msg, "no package"));
}

/* forky and later: 00-legacy-boot makes the image in /boot, dpkg never does. */
static void where_linux_base_copies_images_nothing_is_diverted(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	tmptree_write_text(&t->tree, "usr/share/kernel/postinst.d/00-legacy-boot", "#!/bin/sh\n");
	make_room(t, &why);
	assert_false(kerneltree_is_diverted(t, V));
	assert_int_not_equal(why.code, 0);
}

static void nothing_is_diverted_if_the_configuration_says_so(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	t->config.originals = ORIGINALS_STASH;
	make_room(t, &why);
	assert_false(kerneltree_is_diverted(t, V));
	assert_false(tmptree_exists(&t->tree, "boot/pvkprep"));
}

/* Somebody removed it all: dpkg would fail to unpack into a directory that is not there. */
static void a_diversion_of_before_has_its_directory(void **state)
{
	static const enum config_originals settings[] = {ORIGINALS_DIVERT, ORIGINALS_STASH};
	struct kerneltree *t = *state;
	struct pvk_error why;

	make_room(t, &why);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		t->config.originals = settings[i];
		assert_int_equal(unlinkat(t->boot.fd, PVK_OWN_DIR, AT_REMOVEDIR), 0);
		make_room(t, &why);
		assert_true(kerneltree_is_diverted(t, V));
		assert_true(tmptree_exists(&t->tree, "boot/pvkprep"));
	}
}

/* --- a kernel's package goes --- */

static bool leave_one(struct kerneltree *t, bool aborted)
{
	const struct kernel kernel = kerneltree_name(V);
	struct leave_removed removed = {0};
	struct pvk_error err = {0};

	kerneltree_reopen(t);
	if (leave_kernel(&t->apply, &kernel, aborted, &removed, &err) < 0)
		fail_msg("%s", err.msg);
	return removed.image || removed.other;
}

static void put_prepared(struct kerneltree *t)
{
	kerneltree_put_packed(t, V);
	kerneltree_own(t, V);
	kerneltree_prepare(t, V);
	assert_true(kerneltree_is_diverted(t, V));
	assert_true(kerneltree_image_is(t, V, &t->elf));
}

/* As dpkg leaves it: the diverted file is gone, the prepared image is not dpkg's. */
static void with_the_package_everything_made_of_it_goes(void **state)
{
	struct kerneltree *t = *state;

	put_prepared(t);
	tmptree_remove(&t->tree, PACKAGED);
	assert_true(leave_one(t, false));
	assert_false(kerneltree_has_image(t, V));
	assert_false(kerneltree_is_diverted(t, V));
	assert_int_equal(tmptree_count(&t->tree, "boot"), 0);
	assert_false(leave_one(t, false)); /* purge calls once more */
}

static void nothing_goes_while_dpkg_has_the_image(void **state)
{
	struct kerneltree *t = *state;

	put_prepared(t);
	assert_false(leave_one(t, false));
	assert_true(kerneltree_image_is(t, V, &t->elf));
	assert_true(kerneltree_has_packaged(t, V));
	assert_true(kerneltree_is_diverted(t, V));
}

static void a_stash_goes_only_when_the_image_is_gone(void **state)
{
	struct kerneltree *t = *state;

	t->config.originals = ORIGINALS_STASH;
	kerneltree_put_packed(t, V);
	kerneltree_prepare(t, V);
	assert_false(leave_one(t, false));
	assert_true(kerneltree_has_packaged(t, V));
	tmptree_remove(&t->tree, IMAGE);
	assert_true(leave_one(t, false));
	assert_int_equal(tmptree_count(&t->tree, "boot"), 0);
}

static void an_aborted_installation_takes_only_a_diversion_to_nowhere(void **state)
{
	struct kerneltree *t = *state;
	struct pvk_error why;

	make_room(t, &why);
	(void)leave_one(t, true);
	assert_false(kerneltree_is_diverted(t, V));
	assert_int_equal(tmptree_count(&t->tree, "boot"), 0);

	/* an earlier image boots: it stays, and its diversion with it */
	put_prepared(t);
	tmptree_remove(&t->tree, PACKAGED);
	assert_false(leave_one(t, true));
	assert_true(kerneltree_image_is(t, V, &t->elf));
	assert_true(kerneltree_is_diverted(t, V));
}

struct seen {
	unsigned count;
	struct leave_removed last;
};

static void see(void *context, const struct kernel *kernel, const struct leave_removed *removed)
{
	struct seen *seen = context;

	assert_string_equal(kernel->version, OLD);
	seen->count++;
	seen->last = *removed;
}

static struct seen leave_all_orphans(struct kerneltree *t)
{
	struct seen seen = {0};

	kerneltree_reopen(t);
	leave_orphans(&t->apply, see, &seen);
	return seen;
}

static void orphans_are_the_diverted_kernels_of_no_package(void **state)
{
	struct kerneltree *t = *state;
	struct seen seen;

	put_prepared(t);
	kerneltree_put_packed(t, OLD);
	kerneltree_divert(t, OLD);
	kerneltree_prepare(t, OLD);
	tmptree_remove(&t->tree, "boot/pvkprep/packaged-" OLD);
	seen = leave_all_orphans(t); /* its package went while our hooks were away */
	assert_int_equal(seen.count, 1);
	assert_true(seen.last.image && seen.last.other && !seen.last.image_stays);
	assert_false(kerneltree_has_image(t, OLD));
	assert_true(kerneltree_has_image(t, V));
	assert_int_equal(leave_all_orphans(t).count, 0);
	/* dpkg still has it: only its file is missing */
	tmptree_remove(&t->tree, PACKAGED);
	assert_int_equal(leave_all_orphans(t).count, 0);
	assert_true(kerneltree_has_image(t, V));
}

/* A preinst diverted a kernel that was never unpacked, and its name was taken meanwhile. */
static void an_image_that_is_not_ours_survives_an_orphaned_diversion(void **state)
{
	struct kerneltree *t = *state;
	struct seen seen;

	for (int has_record = 0; has_record < 2; has_record++) {
		kerneltree_put_packed(t, OLD);
		kerneltree_divert(t, OLD);
		if (has_record) { /* of an image that was in its place */
			kerneltree_prepare(t, OLD);
			tmptree_remove(&t->tree, "boot/vmlinuz-" OLD);
			kerneltree_put_packed(t, OLD);
		}
		tmptree_remove(&t->tree, "boot/pvkprep/packaged-" OLD);
		seen = leave_all_orphans(t);
		assert_int_equal(seen.count, 1);
		assert_true(seen.last.image_stays && !seen.last.image);
		assert_true(kerneltree_image_is(t, OLD, &t->packed));
		assert_false(kerneltree_is_diverted(t, OLD));
	}
}

/* The record can be lost at any time; a package's removal takes what dpkg would have taken. */
static void without_a_record_a_removal_takes_the_forms_that_we_make(void **state)
{
	struct kerneltree *t = *state;

	put_prepared(t);
	tmptree_remove(&t->tree, PACKAGED);
	tmptree_remove(&t->tree, "boot/pvkprep/" V ".json");
	assert_true(leave_one(t, false));
	assert_false(kerneltree_has_image(t, V));

	kerneltree_divert(t, V);
	tmptree_remove(&t->tree, PACKAGED);
	kerneltree_put_packed(t, V);
	(void)leave_one(t, false);
	assert_true(kerneltree_image_is(t, V, &t->packed));
}

/* --- pvkprep goes --- */

static struct leave leave_all(struct kerneltree *t, const char *version, bool needs_prepared)
{
	const struct kernel kernel = kerneltree_name(version);
	struct pvk_error err = {0};
	struct leave ret;

	kerneltree_reopen(t);
	if (leave_for_good(&t->apply, &kernel, needs_prepared, &ret, &err) < 0)
		fail_msg("%s", err.msg);
	leave_own_dir(&t->boot);
	return ret;
}

static void where_the_loader_needs_it_the_prepared_image_stays(void **state)
{
	struct kerneltree *t = *state;
	struct leave leave;

	put_prepared(t);
	leave = leave_all(t, V, true);
	assert_int_equal(leave.kind, LEAVE_PREPARED);
	assert_false(leave.original_stays);
	assert_true(kerneltree_image_is(t, V, &t->elf));
	assert_false(kerneltree_is_diverted(t, V));
	assert_false(tmptree_exists(&t->tree, "boot/pvkprep"));
	assert_int_equal(leave_all(t, V, true).kind, LEAVE_UNTOUCHED);
}

static void elsewhere_the_packaged_image_comes_back(void **state)
{
	struct kerneltree *t = *state;

	put_prepared(t);
	assert_int_equal(leave_all(t, V, false).kind, LEAVE_RESTORED);
	assert_true(kerneltree_image_is(t, V, &t->packed));
	assert_false(kerneltree_is_diverted(t, V));
	assert_false(tmptree_exists(&t->tree, "boot/pvkprep"));
}

/* Nobody else has the packaged image: P2, nothing is lost. */
static void the_only_original_there_is_stays(void **state)
{
	struct kerneltree *t = *state;
	struct leave leave;

	kerneltree_put_packed(t, V);
	kerneltree_prepare(t, V);
	leave = leave_all(t, V, true);
	assert_int_equal(leave.kind, LEAVE_PREPARED);
	assert_true(leave.original_stays);
	assert_true(tmptree_holds(&t->tree, PACKAGED, stream_view(&t->packed)));
	assert_true(kerneltree_image_is(t, V, &t->elf));
}

static void a_withheld_kernel_stays_out_while_another_one_boots(void **state)
{
	struct kerneltree *t = *state;

	kerneltree_put_elf(t, OLD);
	kerneltree_own(t, V);
	kerneltree_divert(t, V);
	assert_int_equal(leave_all(t, V, true).kind, LEAVE_ABSENT);
	assert_false(kerneltree_has_image(t, V));
	assert_false(kerneltree_is_diverted(t, V));
	assert_false(kerneltree_has_packaged(t, V));
}

static void the_only_kernel_is_put_where_its_package_had_it(void **state)
{
	struct kerneltree *t = *state;

	kerneltree_own(t, V);
	kerneltree_divert(t, V);
	assert_int_equal(leave_all(t, V, true).kind, LEAVE_RESTORED);
	assert_true(kerneltree_image_is(t, V, &t->packed));
	assert_false(kerneltree_is_diverted(t, V));
}

/* An image that was left as it is has two names; one of them goes, whatever the guest. */
static void an_image_that_was_kept_as_it_is_loses_its_second_name(void **state)
{
	struct kerneltree *t = *state;
	struct stream gzip = bzbuild_kernel(CODEC_GZIP);

	stream_done(&t->packed);
	t->packed = gzip;
	kerneltree_put_packed(t, V);
	kerneltree_own(t, V);
	kerneltree_divert(t, V);
	kerneltree_prepare(t, V);
	assert_int_equal(leave_all(t, V, true).kind, LEAVE_RESTORED);
	assert_true(kerneltree_image_is(t, V, &t->packed));
	assert_false(tmptree_exists(&t->tree, "boot/pvkprep"));
}

static void put_zeros(struct kerneltree *t)
{
	static const uint8_t zeros[4096];

	tmptree_remove(&t->tree, IMAGE);
	tmptree_write(&t->tree, IMAGE, bytes_make(zeros, sizeof(zeros)));
}

static void a_damaged_image_is_made_again_before_its_original_goes(void **state)
{
	struct kerneltree *t = *state;
	struct leave leave;

	put_prepared(t);
	put_zeros(t);
	leave = leave_all(t, V, true);
	assert_int_equal(leave.kind, LEAVE_PREPARED);
	assert_true(kerneltree_image_is(t, V, &t->elf));
	assert_false(kerneltree_has_packaged(t, V));
}

static void an_original_outlives_an_image_that_cannot_be_made_again(void **state)
{
	struct kerneltree *t = *state;
	struct leave leave;
	_cleanup_stream_ struct stream own = bzbuild_kernel(CODEC_XZ);

	/* somebody's own, which GRUB cannot start: not overwritten, and no reason to lose ours */
	put_prepared(t);
	own.data[own.size / 2] ^= 1;
	tmptree_remove(&t->tree, IMAGE);
	tmptree_write(&t->tree, IMAGE, stream_view(&own));
	leave = leave_all(t, V, true);
	assert_int_equal(leave.kind, LEAVE_UNLOADABLE);
	assert_true(leave.original_stays);
	assert_true(leave.why.msg[0] != '\0');
	assert_false(kerneltree_is_diverted(t, V));
	assert_true(kerneltree_image_is(t, V, &own));
	assert_true(tmptree_holds(&t->tree, PACKAGED, stream_view(&t->packed)));
}

static void a_refused_update_goes_only_where_a_package_has_the_image(void **state)
{
	static const char refused[] = "boot/pvkprep/refused-" V;
	struct kerneltree *t = *state;

	kerneltree_put_elf(t, V);
	tmptree_write_text(&t->tree, refused, "x");
	assert_true(leave_all(t, V, true).refused_stays);
	assert_true(tmptree_exists(&t->tree, refused));
	kerneltree_own(t, V);
	assert_false(leave_all(t, V, true).refused_stays);
	assert_false(tmptree_exists(&t->tree, refused));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kerneltree_make, kerneltree_done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_kernel_to_come_is_diverted_and_its_directory_is_there),
		TEST(an_installed_image_is_adopted_by_a_second_name),
		TEST(a_stashed_original_is_adopted_as_it_is),
		TEST(an_image_that_is_not_the_packages_is_not_adopted),
		TEST(an_image_of_no_package_is_not_adopted),
		TEST(where_linux_base_copies_images_nothing_is_diverted),
		TEST(nothing_is_diverted_if_the_configuration_says_so),
		TEST(a_diversion_of_before_has_its_directory),
		TEST(with_the_package_everything_made_of_it_goes),
		TEST(nothing_goes_while_dpkg_has_the_image),
		TEST(a_stash_goes_only_when_the_image_is_gone),
		TEST(an_aborted_installation_takes_only_a_diversion_to_nowhere),
		TEST(orphans_are_the_diverted_kernels_of_no_package),
		TEST(an_image_that_is_not_ours_survives_an_orphaned_diversion),
		TEST(without_a_record_a_removal_takes_the_forms_that_we_make),
		TEST(a_damaged_image_is_made_again_before_its_original_goes),
		TEST(an_original_outlives_an_image_that_cannot_be_made_again),
		TEST(a_refused_update_goes_only_where_a_package_has_the_image),
		TEST(where_the_loader_needs_it_the_prepared_image_stays),
		TEST(elsewhere_the_packaged_image_comes_back),
		TEST(the_only_original_there_is_stays),
		TEST(a_withheld_kernel_stays_out_while_another_one_boots),
		TEST(the_only_kernel_is_put_where_its_package_had_it),
		TEST(an_image_that_was_kept_as_it_is_loses_its_second_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
