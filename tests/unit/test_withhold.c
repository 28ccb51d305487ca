/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_withhold.c - what becomes of a kernel that could not be prepared: never the default, as long
 * as another one boots; and never worse than without us. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/policy/originals.h"
#include "../../src/policy/record.h"
#include "../../src/policy/withhold.h"
#include "kerneltree.h"

#define OLD    "6.1.0-1"
#define MIDDLE "6.1.0-2"
#define NEW    "6.1.0-3"

static bool fork_fails;

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
	if (!fork_fails)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

static struct withhold settle(struct kerneltree *t, const char *version, bool is_new)
{
	const struct kernel kernel = kerneltree_name(version);
	struct pvk_error err = {0};
	struct withhold ret;

	kerneltree_reopen(t);
	if (withhold_settle(&t->apply, &kernel, is_new, &ret, &err) < 0)
		fail_msg("%s", err.msg);
	return ret;
}

/* An older kernel boots, and there is another that cannot: */

static void put_unpackaged(struct kerneltree *t) /* of no package, in place */
{
	kerneltree_put_elf(t, OLD);
	kerneltree_put_packed(t, NEW);
}

static void put_diverted(struct kerneltree *t) /* that dpkg has just unpacked */
{
	kerneltree_put_elf(t, OLD);
	kerneltree_own(t, NEW);
	kerneltree_divert(t, NEW);
}

static void an_image_is_loadable_if_the_loader_starts_it(void **state)
{
	struct kerneltree *t = *state;
	const struct kernel elf = kerneltree_name(OLD), packed = kerneltree_name(NEW),
			    none = kerneltree_name("6.2");

	put_unpackaged(t);
	assert_true(withhold_is_loadable(&t->apply, &elf));
	assert_false(withhold_is_loadable(&t->apply, &packed));
	assert_false(withhold_is_loadable(&t->apply, &none));
}

static void what_cannot_be_found_out_is_an_error_and_no_refusal(void **state)
{
	struct kerneltree *t = *state;
	const struct kernel kernel = kerneltree_name(OLD);
	struct rlimit before, none = {.rlim_cur = 0};
	struct pvk_error err = {0};
	int r;

	kerneltree_put_elf(t, OLD);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = withhold_look(&t->apply, &kernel, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_non_null(strstr(err.msg, "/boot/vmlinuz-" OLD));
	assert_int_equal(withhold_look(&t->apply, &kernel, &err), 1);
}

static void a_record_is_believed_only_about_the_file_that_it_speaks_of(void **state)
{
	struct kerneltree *t = *state;
	const struct kernel kernel = kerneltree_name(NEW);

	t->config.originals = ORIGINALS_STASH;
	kerneltree_put_packed(t, NEW);
	kerneltree_prepare(t, NEW);
	assert_true(withhold_is_loadable(&t->apply, &kernel));
	tmptree_remove(&t->tree, "boot/vmlinuz-" NEW);
	kerneltree_put_packed(t, NEW);
	assert_false(withhold_is_loadable(&t->apply, &kernel));
}

/* dpkg wrote the update beside it: what is in /boot is that of before. */
static void the_image_of_before_an_update_stays(void **state)
{
	struct kerneltree *t = *state;
	struct withhold withhold;

	kerneltree_put_elf(t, NEW);
	kerneltree_own(t, NEW);
	kerneltree_divert(t, NEW);
	withhold = settle(t, NEW, true);
	assert_int_equal(withhold.kind, WITHHOLD_EARLIER);
	assert_false(withhold.changed);
	assert_true(kerneltree_image_is(t, NEW, &t->elf));
}

static void a_diverted_one_that_is_new_is_simply_not_there(void **state)
{
	struct kerneltree *t = *state;
	struct withhold withhold;

	put_diverted(t);
	withhold = settle(t, NEW, true);
	assert_int_equal(withhold.kind, WITHHOLD_DONE);
	assert_string_equal(withhold.fallback.version, OLD);
	assert_false(withhold.changed);
	assert_false(kerneltree_has_image(t, NEW));
	assert_true(kerneltree_has_packaged(t, NEW));
}

/* Its diversion was never made (pvkprep was killed): it is in place, and in the menus. */
static void one_that_dpkg_put_in_place_is_taken_out_and_diverted(void **state)
{
	struct kerneltree *t = *state;
	struct withhold withhold;

	put_unpackaged(t);
	kerneltree_own(t, NEW);
	withhold = settle(t, NEW, false);
	assert_int_equal(withhold.kind, WITHHOLD_DONE);
	assert_true(withhold.changed);
	assert_false(kerneltree_has_image(t, NEW));
	assert_true(kerneltree_is_diverted(t, NEW));
	assert_true(tmptree_holds(&t->tree, "boot/pvkprep/packaged-" NEW, stream_view(&t->packed)));
}

static void one_of_no_package_is_set_aside_and_still_known(void **state)
{
	struct kerneltree *t = *state;
	const struct kernel kernel = kerneltree_name(NEW);
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct originals originals;

	put_unpackaged(t);
	assert_int_equal(settle(t, NEW, true).kind, WITHHOLD_DONE);
	assert_false(kerneltree_has_image(t, NEW));
	assert_false(kerneltree_is_diverted(t, NEW));
	assert_int_equal(originals_look(&t->root, &t->boot, &kernel, &originals, NULL), 0);
	assert_true(originals_is_withheld(&originals));
	assert_int_equal(originals_list(&t->root, &t->boot, &list, NULL), 0);
	assert_int_equal(list.count, 2);
	/* settled once more, it is as it was */
	assert_false(settle(t, NEW, false).changed);
}

static bool is_known(struct kerneltree *t, const char *version)
{
	const struct kernel kernel = kerneltree_name(version);

	kerneltree_reopen(t);
	return withhold_is_known(&t->apply, &kernel);
}

/* The back-stop tells by it a kernel that failed from one that is being installed. */
static void a_withheld_one_is_known_until_its_package_brings_another(void **state)
{
	struct kerneltree *t = *state;

	put_diverted(t);
	kerneltree_put_packed(t, MIDDLE); /* of no package */
	assert_false(is_known(t, NEW));
	(void)settle(t, NEW, true);
	(void)settle(t, MIDDLE, true);
	assert_true(is_known(t, NEW));
	assert_true(is_known(t, MIDDLE));
	assert_false(is_known(t, OLD));
	tmptree_write(&t->tree, "boot/pvkprep/update", stream_view(&t->packed));
	assert_int_equal(renameat(t->boot.own_fd, "update", t->boot.own_fd, "packaged-" NEW), 0);
	assert_false(is_known(t, NEW));
}

/* Nobody wants to lose a kernel that is never the default anyway. */
static void an_older_one_than_what_boots_stays_unless_it_is_new(void **state)
{
	struct kerneltree *t = *state;
	struct withhold withhold;

	kerneltree_put_packed(t, OLD);
	kerneltree_put_elf(t, MIDDLE);
	withhold = settle(t, OLD, false);
	assert_int_equal(withhold.kind, WITHHOLD_NOT_NEEDED);
	assert_string_equal(withhold.fallback.version, MIDDLE);
	assert_true(kerneltree_has_image(t, OLD));
	assert_int_equal(settle(t, OLD, true).kind, WITHHOLD_DONE);
	assert_false(kerneltree_has_image(t, OLD));
}

static void the_fallback_is_the_newest_that_boots(void **state)
{
	struct kerneltree *t = *state;

	kerneltree_put_elf(t, OLD);
	kerneltree_put_elf(t, MIDDLE);
	kerneltree_put_packed(t, "6.1.0-10");
	kerneltree_put_packed(t, NEW);
	assert_string_equal(settle(t, NEW, true).fallback.version, MIDDLE);
}

static void without_a_fallback_the_packaged_image_is_in_place(void **state)
{
	struct kerneltree *t = *state;
	struct withhold withhold;

	kerneltree_own(t, NEW);
	kerneltree_divert(t, NEW);
	withhold = settle(t, NEW, true);
	assert_int_equal(withhold.kind, WITHHOLD_HOPELESS);
	assert_true(withhold.changed);
	assert_true(kerneltree_image_is(t, NEW, &t->packed));
	assert_true(kerneltree_has_packaged(t, NEW)); /* where dpkg looks for it */
	assert_false(settle(t, NEW, true).changed);
}

/* Another unreadable one is no fallback: both stay. */
static void an_unreadable_one_is_no_fallback(void **state)
{
	struct kerneltree *t = *state;

	kerneltree_put_packed(t, OLD);
	kerneltree_put_packed(t, NEW);
	assert_int_equal(settle(t, NEW, true).kind, WITHHOLD_HOPELESS);
	assert_true(kerneltree_has_image(t, NEW));
	assert_true(kerneltree_has_image(t, OLD));
}

static void assert_stays(struct kerneltree *t, const char *version, const char *word)
{
	const struct kernel kernel = kerneltree_name(version);
	struct pvk_error err = {0};
	struct withhold withhold;

	kerneltree_reopen(t);
	assert_true(withhold_settle(&t->apply, &kernel, true, &withhold, &err) < 0);
	assert_non_null(strstr(err.msg, word));
	assert_true(kerneltree_has_image(t, version));
}

/* A kept file is a regular one: anything else could not be found again. */
static void a_link_or_a_directory_stays_where_it_is(void **state)
{
	struct kerneltree *t = *state;

	kerneltree_put_elf(t, OLD);
	kerneltree_put_packed(t, OLD ".packed");
	tmptree_symlink(&t->tree, "vmlinuz-" OLD ".packed", "boot/vmlinuz-" MIDDLE);
	tmptree_mkdir(&t->tree, "boot/vmlinuz-" NEW);
	assert_stays(t, MIDDLE, "no regular file");
	assert_stays(t, NEW, "no regular file");
	assert_false(tmptree_exists(&t->tree, "boot/pvkprep"));
}

/* Stashed: dpkg writes to /boot itself, and what is kept is of the version before. */
static void an_update_in_place_is_nobodys_own(void **state)
{
	struct kerneltree *t = *state;
	_cleanup_stream_ struct stream update = bzbuild_kernel(CODEC_XZ);

	t->config.originals = ORIGINALS_STASH;
	put_unpackaged(t);
	kerneltree_prepare(t, NEW);
	tmptree_remove(&t->tree, "boot/vmlinuz-" NEW);
	tmptree_write(&t->tree, "boot/vmlinuz-" NEW, stream_view(&update));
	assert_int_equal(settle(t, NEW, true).kind, WITHHOLD_DONE);
	assert_false(kerneltree_has_image(t, NEW));
	assert_true(tmptree_holds(&t->tree, "boot/pvkprep/packaged-" NEW, stream_view(&update)));
}

/* The kept image is the package's: there is no place where it would be kept. */
static void somebodys_own_image_over_a_diverted_one_stays(void **state)
{
	struct kerneltree *t = *state;
	_cleanup_stream_ struct stream own = bzbuild_kernel(CODEC_XZ);

	put_unpackaged(t);
	kerneltree_own(t, NEW);
	kerneltree_prepare(t, NEW);
	tmptree_remove(&t->tree, "boot/vmlinuz-" NEW);
	tmptree_write(&t->tree, "boot/vmlinuz-" NEW, stream_view(&own));
	assert_stays(t, NEW, "somebody's own");
	assert_true(kerneltree_image_is(t, NEW, &own));
}

/* Nobody diverts it: the kept image is the only good one, with a stump over the prepared one. */
static void put_stump(struct kerneltree *t)
{
	kerneltree_put_packed(t, NEW);
	kerneltree_prepare(t, NEW);
	tmptree_remove(&t->tree, "boot/vmlinuz-" NEW);
	tmptree_write(&t->tree, "boot/vmlinuz-" NEW,
		      bytes_make(t->packed.data, t->packed.size / 2));
}

static void assert_earlier_boots(struct kerneltree *t)
{
	assert_true(kerneltree_image_is(t, NEW, &t->elf));
	assert_true(tmptree_holds(&t->tree, "boot/pvkprep/packaged-" NEW, stream_view(&t->packed)));
	assert_true(tmptree_holds(&t->tree, "boot/pvkprep/refused-" NEW,
				  bytes_make(t->packed.data, t->packed.size / 2)));
}

static void a_damaged_update_gives_way_to_the_image_that_is_kept(void **state)
{
	static const bool alone[] = {true, false}, recorded[] = {true, false};
	struct kerneltree *t = *state;
	struct withhold withhold;

	for (size_t i = 0; i < 4; i++) {
		if (!alone[i / 2])
			kerneltree_put_elf(t, OLD);
		put_stump(t);
		if (!recorded[i % 2])
			tmptree_remove(&t->tree, "boot/pvkprep/" NEW ".json");
		withhold = settle(t, NEW, true);
		assert_int_equal(withhold.kind, WITHHOLD_EARLIER);
		assert_true(withhold.changed);
		assert_earlier_boots(t);
		assert_false(settle(t, NEW, false).changed);
		tmptree_remove(&t->tree, "boot/vmlinuz-" NEW);
		tmptree_remove(&t->tree, "boot/pvkprep/packaged-" NEW);
		tmptree_remove(&t->tree, "boot/pvkprep/" NEW ".json");
	}
}

/* An update of dpkg's own, too: its list has the sum of the update by now. */
static void a_damaged_update_of_a_package_gives_way_as_well(void **state)
{
	struct kerneltree *t = *state;
	_cleanup_stream_ struct stream update = bzbuild_kernel(CODEC_XZ);
	const struct stream packed = t->packed;

	t->config.originals = ORIGINALS_STASH;
	put_stump(t);
	t->packed = update;
	kerneltree_own(t, NEW);
	t->packed = packed;
	assert_int_equal(settle(t, NEW, true).kind, WITHHOLD_EARLIER);
	assert_earlier_boots(t);
}

/* Nothing is known of an update that no worker could look at: it stays, and so does what is kept.
 */
static void an_update_that_cannot_be_looked_at_is_not_refused(void **state)
{
	struct kerneltree *t = *state;
	_cleanup_stream_ struct stream update = bzbuild_kernel(CODEC_XZ);

	kerneltree_put_packed(t, NEW);
	kerneltree_prepare(t, NEW);
	tmptree_remove(&t->tree, "boot/vmlinuz-" NEW);
	tmptree_write(&t->tree, "boot/vmlinuz-" NEW, stream_view(&update));
	fork_fails = true;
	assert_int_equal(settle(t, NEW, true).kind, WITHHOLD_HOPELESS);
	fork_fails = false;
	assert_true(tmptree_holds(&t->tree, "boot/vmlinuz-" NEW, stream_view(&update)));
	assert_true(tmptree_holds(&t->tree, "boot/pvkprep/packaged-" NEW, stream_view(&t->packed)));
	assert_false(tmptree_exists(&t->tree, "boot/pvkprep/refused-" NEW));
}

static void neither_of_two_damaged_ones_is_lost(void **state)
{
	struct kerneltree *t = *state;
	const struct bytes half = bytes_make(t->packed.data, t->packed.size / 2),
			   third = bytes_make(t->packed.data, t->packed.size / 3);

	kerneltree_put_elf(t, OLD);
	put_stump(t);
	tmptree_remove(&t->tree, "boot/pvkprep/packaged-" NEW);
	tmptree_write(&t->tree, "boot/pvkprep/packaged-" NEW, third);
	assert_int_equal(settle(t, NEW, true).kind, WITHHOLD_DONE);
	assert_false(kerneltree_has_image(t, NEW));
	assert_true(tmptree_holds(&t->tree, "boot/pvkprep/packaged-" NEW, third));
	assert_true(tmptree_holds(&t->tree, "boot/pvkprep/refused-" NEW, half));
}

/* The record needs a block, the rename none. */
static void without_room_for_a_record_it_is_withheld_all_the_same(void **state)
{
	struct kerneltree *t = *state;
	const struct kernel kernel = kerneltree_name(NEW);
	struct rlimit before, none = {.rlim_cur = 0};
	struct originals originals;
	struct withhold withhold;
	int r;

	put_unpackaged(t);
	assert_int_equal(mkdirat(t->boot.fd, PVK_OWN_DIR, 0755), 0);
	kerneltree_reopen(t);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	r = withhold_settle(&t->apply, &kernel, true, &withhold, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, 0);
	assert_int_equal(withhold.kind, WITHHOLD_DONE);
	assert_false(kerneltree_has_image(t, NEW));
	assert_true(is_known(t, NEW));
	assert_int_equal(originals_look(&t->root, &t->boot, &kernel, &originals, NULL), 0);
	assert_true(originals_is_withheld(&originals));
	/* with room again it has a whole one */
	assert_false(settle(t, NEW, false).changed);
	assert_true(tmptree_stat(&t->tree, "boot/pvkprep/" NEW ".json").st_size > 0);
	assert_true(is_known(t, NEW));
}

static void what_is_withheld_is_prepared_later(void **state)
{
	struct kerneltree *t = *state;

	put_unpackaged(t);
	(void)settle(t, NEW, true);
	kerneltree_reopen(t);
	kerneltree_prepare(t, NEW);
	assert_true(kerneltree_image_is(t, NEW, &t->elf));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kerneltree_make, kerneltree_done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_image_is_loadable_if_the_loader_starts_it),
		TEST(what_cannot_be_found_out_is_an_error_and_no_refusal),
		TEST(a_record_is_believed_only_about_the_file_that_it_speaks_of),
		TEST(the_image_of_before_an_update_stays),
		TEST(a_diverted_one_that_is_new_is_simply_not_there),
		TEST(one_that_dpkg_put_in_place_is_taken_out_and_diverted),
		TEST(one_of_no_package_is_set_aside_and_still_known),
		TEST(a_withheld_one_is_known_until_its_package_brings_another),
		TEST(an_older_one_than_what_boots_stays_unless_it_is_new),
		TEST(the_fallback_is_the_newest_that_boots),
		TEST(without_a_fallback_the_packaged_image_is_in_place),
		TEST(an_unreadable_one_is_no_fallback),
		TEST(a_link_or_a_directory_stays_where_it_is),
		TEST(somebodys_own_image_over_a_diverted_one_stays),
		TEST(an_update_in_place_is_nobodys_own),
		TEST(a_damaged_update_gives_way_to_the_image_that_is_kept),
		TEST(a_damaged_update_of_a_package_gives_way_as_well),
		TEST(an_update_that_cannot_be_looked_at_is_not_refused),
		TEST(neither_of_two_damaged_ones_is_lost),
		TEST(without_room_for_a_record_it_is_withheld_all_the_same),
		TEST(what_is_withheld_is_prepared_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
