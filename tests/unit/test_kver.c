/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/formats/kver.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ascending; each stands before all that follow it. */
static const char *const ascending[] = {
	"0~rc1",
	"",
	"1",
	"1a",
	"1a1",
	"1b",
	"1-1",
	"1.0~~",
	"1.0~rc1",
	"1.0",
	"1.0.1",
	"5.10.0-9-amd64",
	"5.10.0-32-amd64",
	"6.1.0-9-amd64",
	"6.1.0-10-amd64",
	"6.1.0-56-amd64",
	"6.1.0-56-cloud-amd64",
	"6.1.0-56-rt-amd64",
	"6.1.0-100-amd64",
	"6.12.57+deb12-amd64",
	"6.12.57+deb13-amd64",
	"6.12.107~rc1-amd64",
	"6.12.107+deb13-amd64", /* dpkg, which splits at the last hyphen, has these two the other
				   way */
	"6.12.107-amd64",
	"7.2.13+deb14-amd64",
	"18446744073709551617.1",
	"18446744073709551618.0",
};

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void every_pair_of_versions_is_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ascending); i++)
		for (size_t j = 0; j < COUNT(ascending); j++)
			if (sign(kver_compare(ascending[i], ascending[j])) != (i > j) - (i < j))
				fail_msg("'%s' against '%s': %d", ascending[i], ascending[j],
					 kver_compare(ascending[i], ascending[j]));
}

static void leading_zeros_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(kver_compare("6.01.0", "6.1.0"), 0);
	assert_int_equal(kver_compare("6.1.0", "6.1.000"), 0);
	assert_true(kver_compare("6.1.010", "6.1.9") > 0);
}

static void a_byte_above_127_is_a_character_like_others(void **state)
{
	(void)state;
	assert_true(kver_compare("1\xff", "1") > 0);
	assert_true(kver_compare("1\xff", "1a") > 0);
	assert_int_equal(kver_compare("1\xff", "1\xff"), 0);
}

/* update-grub sorts the whole names with it (grub-mkconfig_lib, version_sort). From
 * "5.10.0-9-amd64" on the list consists of names that kernels have. */
static void sort_of_coreutils_has_the_same_order(void **state)
{
	char command[2048];
	size_t used;

	(void)state;
	used = (size_t)snprintf(command, sizeof(command), "printf '%%s\\n'");
	for (size_t i = 11; i < COUNT(ascending); i++)
		used += (size_t)snprintf(command + used, sizeof(command) - used, " '%s'",
					 ascending[i]);
	(void)snprintf(command + used, sizeof(command) - used, " | LC_ALL=C sort -V -C");
	assert_string_equal(ascending[11], "5.10.0-9-amd64");
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_versions_is_in_order),
		cmocka_unit_test(leading_zeros_do_not_count),
		cmocka_unit_test(a_byte_above_127_is_a_character_like_others),
		cmocka_unit_test(sort_of_coreutils_has_the_same_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
