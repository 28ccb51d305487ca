/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "../../src/base/errors.h"

static void what_is_of_the_moment_does_not_speak_of_the_file(void **state)
{
	static const struct {
		int result;
		bool is_of_file;
	} rows[] = {
		{0, false},
		{1, false},
		{-EIO, false},
		{-EAGAIN, false}, /* no process to be had */
		{-ENOMEM, false},
		{-PVK_E_WORKER, false},
		{-PVK_E_INTERRUPTED, false},
		{-PVK_E_CORRUPT, true},
		{-PVK_E_FORMAT, true},
		{-PVK_E_NOT_PV, true},
		{-PVK_E_UNSUPPORTED, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pvk_error_is_of_file(rows[i].result) != rows[i].is_of_file)
			fail_msg("%d", rows[i].result);
}

static void a_prefix_leaves_room_for_the_reason(void **state)
{
	struct pvk_error err;
	char name[PVK_ERROR_MSG_MAX];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(pvk_fail(&err, PVK_E_CORRUPT, "the reason"), -PVK_E_CORRUPT);
	pvk_error_prefix(&err, "%s", name);
	assert_non_null(strstr(err.msg, "a: the reason"));
	pvk_error_prefix(NULL, "nobody asked");
}

static void a_failed_call_tells_the_systems_words(void **state)
{
	struct pvk_error err;

	(void)state;
	assert_int_equal(pvk_fail_errno(&err, EROFS, "cannot write"), -EROFS);
	assert_int_equal(err.sys_errno, EROFS);
	assert_string_equal(err.msg, "cannot write: Read-only file system");
}

static void what_an_untrusted_process_says_is_ended_and_printable(void **state)
{
	struct pvk_error err;

	(void)state;
	memset(err.msg, '\x1b', sizeof(err.msg));
	pvk_error_make_safe(&err);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_int_equal(strspn(err.msg, "?"), sizeof(err.msg) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_of_the_moment_does_not_speak_of_the_file),
		cmocka_unit_test(a_prefix_leaves_room_for_the_reason),
		cmocka_unit_test(a_failed_call_tells_the_systems_words),
		cmocka_unit_test(what_an_untrusted_process_says_is_ended_and_printable),
	};

	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
