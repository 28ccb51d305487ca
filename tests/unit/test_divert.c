/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_divert.c - dpkg's register of diversions, and its own program on a tree that is not live. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/system/child.h"
#include "../../src/system/divert.h"
#include "tmptree.h"

#define REGISTER "var/lib/dpkg/diversions"
#define IMAGE	 "/boot/vmlinuz-6.1.0-1"
#define PACKAGED "/boot/pvkprep/packaged-6.1.0-1"

struct fixture {
	struct tmptree tree;
	struct root root;
};

static void fixture_done(struct fixture *fixture)
{
	root_close(&fixture->root);
	tmptree_done(&fixture->tree);
}

#define _cleanup_fixture_ __attribute__((cleanup(fixture_done)))

static void fixture_init(struct fixture *fixture)
{
	tmptree_init(&fixture->tree);
	tmptree_mkdir(&fixture->tree, "boot/pvkprep");
	tmptree_mkdir(&fixture->tree, "var/lib/dpkg");
	assert_int_equal(root_open(fixture->tree.path, &fixture->root, NULL), 0);
}

static void the_register_is_read_record_by_record(void **state)
{
	static const struct {
		const char *text;
		enum divert_owner owner;
	} cases[] = {
		{"", DIVERT_NOBODY},
		{IMAGE "\n" PACKAGED "\npvkprep\n", DIVERT_OURS},
		{IMAGE "\n" PACKAGED "\npvkprep", DIVERT_OURS}, /* no newline at the end */
		{"/bin/sh\n/bin/sh.distrib\ndash\n" IMAGE "\n" PACKAGED "\npvkprep\n", DIVERT_OURS},
		{IMAGE "\n" PACKAGED "\n:\n", DIVERT_OTHER},
		{IMAGE "\n" PACKAGED "\npvkprep-next\n", DIVERT_OTHER},
		{IMAGE "\n" IMAGE ".distrib\npvkprep\n", DIVERT_OTHER},
		/* the path as a target, or as a part of another path, is not the path */
		{"/x\n" IMAGE "\npvkprep\n", DIVERT_NOBODY},
		{IMAGE "0\n" PACKAGED "0\npvkprep\n", DIVERT_NOBODY},
		/* cut off: no record */
		{IMAGE "\n" PACKAGED "\n", DIVERT_NOBODY},
		{IMAGE "\n", DIVERT_NOBODY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_fixture_ struct fixture fixture;
		enum divert_owner owner = DIVERT_NOBODY;

		fixture_init(&fixture);
		tmptree_write_text(&fixture.tree, REGISTER, cases[i].text);
		assert_int_equal(divert_find(&fixture.root, IMAGE, PACKAGED, &owner, NULL), 0);
		if (owner != cases[i].owner)
			fail_msg("case %zu: %d", i, (int)owner);
	}
}

static void without_a_register_nothing_is_diverted(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	enum divert_owner owner = DIVERT_OTHER;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(divert_find(&fixture.root, IMAGE, PACKAGED, &owner, NULL), 0);
	assert_int_equal(owner, DIVERT_NOBODY);
}

static void an_unreadable_register_is_an_error(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	enum divert_owner owner = DIVERT_OTHER;
	struct pvk_error err = {0};

	(void)state;
	fixture_init(&fixture);
	tmptree_mkdir(&fixture.tree, REGISTER);
	assert_true(divert_find(&fixture.root, IMAGE, PACKAGED, &owner, &err) < 0);
	assert_non_null(strstr(err.msg, "diversions"));
	assert_int_equal(owner, DIVERT_OTHER);
}

static int count_ours(void *context, const char *path, const char *to)
{
	(void)to;
	assert_non_null(strstr(path, "/boot/vmlinuz-"));
	return ++*(int *)context == 3 ? -1 : 0;
}

static void only_our_diversions_are_walked(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	int seen = 0;

	(void)state;
	fixture_init(&fixture);
	tmptree_write_text(&fixture.tree, REGISTER,
			   "/bin/sh\n/bin/sh.distrib\ndash\n"
			   "/boot/vmlinuz-1\n/boot/pvkprep/packaged-1\npvkprep\n"
			   "/boot/vmlinuz-2\n/boot/pvkprep/packaged-2\n:\n"
			   "/boot/vmlinuz-3\n/boot/pvkprep/packaged-3\npvkprep\n");
	assert_int_equal(divert_each(&fixture.root, count_ours, &seen, NULL), 0);
	assert_int_equal(seen, 2);
}

static void dpkg_divert_registers_and_removes(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	enum divert_owner owner;
	struct pvk_error err = {0};

	(void)state;
	fixture_init(&fixture);
	tmptree_write_text(&fixture.tree, "boot/vmlinuz-6.1.0-1", "image");
	for (int twice = 0; twice < 2; twice++) {
		if (divert_add(&fixture.root, IMAGE, PACKAGED, &err) != 0)
			fail_msg("%s", err.msg);
		assert_int_equal(divert_find(&fixture.root, IMAGE, PACKAGED, &owner, NULL), 0);
		assert_int_equal(owner, DIVERT_OURS);
	}
	/* no file was moved */
	assert_true(tmptree_exists(&fixture.tree, "boot/vmlinuz-6.1.0-1"));
	for (int twice = 0; twice < 2; twice++) {
		if (divert_remove(&fixture.root, IMAGE, PACKAGED, &err) != 0)
			fail_msg("%s", err.msg);
		assert_int_equal(divert_find(&fixture.root, IMAGE, PACKAGED, &owner, NULL), 0);
		assert_int_equal(owner, DIVERT_NOBODY);
	}
	assert_true(tmptree_exists(&fixture.tree, "boot/vmlinuz-6.1.0-1"));
}

static void somebody_elses_diversion_is_left_alone(void **state)
{
	static const char text[] = IMAGE "\n" IMAGE ".mine\n:\n";
	_cleanup_fixture_ struct fixture fixture;
	struct pvk_error err = {0};

	(void)state;
	fixture_init(&fixture);
	tmptree_write_text(&fixture.tree, REGISTER, text);
	assert_int_equal(divert_add(&fixture.root, IMAGE, PACKAGED, &err), -PVK_E_REFUSED);
	assert_int_equal(divert_remove(&fixture.root, IMAGE, PACKAGED, &err), -PVK_E_REFUSED);
	assert_true(tmptree_holds(&fixture.tree, REGISTER, bytes_make(text, sizeof(text) - 1)));
}

static void a_tree_without_dpkg_cannot_divert(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	struct pvk_error err = {0};

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(unlinkat(fixture.tree.fd, "var/lib/dpkg", AT_REMOVEDIR), 0);
	assert_true(divert_add(&fixture.root, IMAGE, PACKAGED, &err) < 0);
	assert_int_not_equal(err.code, 0);
}

/* A tree may hold a link to a real system's directory; nothing is written there. */
static void a_link_out_of_the_tree_is_not_followed(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	_cleanup_tmptree_ struct tmptree outside;
	char target[128];

	(void)state;
	fixture_init(&fixture);
	tmptree_init(&outside);
	tmptree_mkdir(&outside, "dpkg");
	assert_int_equal(unlinkat(fixture.tree.fd, "var/lib/dpkg", AT_REMOVEDIR), 0);
	(void)snprintf(target, sizeof(target), "%s/dpkg", outside.path);
	tmptree_symlink(&fixture.tree, target, "var/lib/dpkg");
	assert_true(divert_add(&fixture.root, IMAGE, PACKAGED, NULL) < 0);
	assert_int_equal(tmptree_count(&outside, "dpkg"), 0);
}

/* --- the child behind it --- */

static int run(const char *const *argv, unsigned seconds, char output[CHILD_OUTPUT_MAX])
{
	return child_run(&(struct child){.argv = argv, .seconds = seconds}, output, NULL);
}

static void a_childs_status_and_output_come_back(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	assert_int_equal(
		run((const char *[]){"/bin/sh", "-c", "echo out; echo err >&2; exit 7", NULL}, 0,
		    output),
		7);
	assert_string_equal(output, "out\nerr\n");
}

/* As grub-mount does, or whatever a script in /etc/grub.d starts. */
static void what_a_child_leaves_running_is_not_waited_for(void **state)
{
	static const char script[] = "sleep 30 & echo $!";
	char output[CHILD_OUTPUT_MAX];
	pid_t left;

	(void)state;
	assert_int_equal(run((const char *[]){"/bin/sh", "-c", script, NULL}, 10, output), 0);
	left = (pid_t)strtol(output, NULL, 10);
	assert_true(left > 1);
	assert_int_equal(kill(left, SIGKILL), 0);
}

static void pipes_of_a_child_break_as_ever(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run((const char *[]){"/bin/sh", "-c", "kill -PIPE $$", NULL}, 0, output),
			 -ECHILD);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void a_childs_output_is_bounded(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	assert_int_equal(run((const char *[]){"/bin/sh", "-c",
					      "head -c 1000000 /dev/zero | tr '\\0' x", NULL},
			     0, output),
			 0);
	assert_int_equal(strlen(output), CHILD_OUTPUT_MAX - 1);
}

static void a_child_gets_a_fixed_environment_and_no_input(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	assert_int_equal(setenv("DPKG_ROOT", "/nowhere", 1), 0);
	assert_int_equal(run((const char *[]){"/usr/bin/env", NULL}, 0, output), 0);
	assert_null(strstr(output, "DPKG_ROOT"));
	assert_non_null(strstr(output, "LC_ALL=C\n"));
	assert_int_equal(run((const char *[]){"/bin/cat", NULL}, 0, output), 0);
	assert_string_equal(output, "");
}

static void a_program_that_is_not_there_is_enoent(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	assert_int_equal(run((const char *[]){"/nonexistent/program", NULL}, 0, output), -ENOENT);
}

static void a_child_that_hangs_or_is_killed_is_an_error(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	assert_int_equal(run((const char *[]){"/bin/sleep", "60", NULL}, 1, output), -ETIMEDOUT);
	assert_int_equal(run((const char *[]){"/bin/sh", "-c", "kill -9 $$", NULL}, 0, output),
			 -ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_register_is_read_record_by_record),
		cmocka_unit_test(without_a_register_nothing_is_diverted),
		cmocka_unit_test(an_unreadable_register_is_an_error),
		cmocka_unit_test(only_our_diversions_are_walked),
		cmocka_unit_test(dpkg_divert_registers_and_removes),
		cmocka_unit_test(somebody_elses_diversion_is_left_alone),
		cmocka_unit_test(a_tree_without_dpkg_cannot_divert),
		cmocka_unit_test(a_link_out_of_the_tree_is_not_followed),
		cmocka_unit_test(a_childs_status_and_output_come_back),
		cmocka_unit_test(what_a_child_leaves_running_is_not_waited_for),
		cmocka_unit_test(pipes_of_a_child_break_as_ever),
		cmocka_unit_test(a_childs_output_is_bounded),
		cmocka_unit_test(a_child_gets_a_fixed_environment_and_no_input),
		cmocka_unit_test(a_program_that_is_not_there_is_enoent),
		cmocka_unit_test(a_child_that_hangs_or_is_killed_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
