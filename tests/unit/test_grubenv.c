/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment block (lib/envblk.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/base/errors.h"
#include "../../src/bootcfg/grubenv.h"

#define SIGNATURE "# GRUB Environment Block\n"

static void pairs_come_out_in_order(void **state)
{
	static const struct {
		const char *block, *expected;
	} samples[] = {
		{SIGNATURE "a=1\nb=2\n####", "a=1;b=2;"},
		{SIGNATURE "####", ""},
		{SIGNATURE "a=\n#", "a=;"},
		{SIGNATURE "a=x\\\\y\\\nz\n#", "a=x\\y\nz;"},
		{SIGNATURE "a=1\n# comment\nb=2\n#", "a=1;b=2;"},
		{SIGNATURE "a=1=2\n#", "a=1=2;"},
		{SIGNATURE "a=1\nb=2", "a=1;"}, /* the last line is not ended: broken */
		{SIGNATURE "a=1\nb", "a=1;"},
		{SIGNATURE "a=1\\", ""},
		{SIGNATURE "a=1\nno\nb=2\n#", "a=1;no\nb=2;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct grubenv_reader reader;
		struct grubenv_pair pair;
		char found[256] = "", value[128];
		size_t len = 0;

		assert_true(grubenv_open(&reader,
					 bytes_make(samples[i].block, strlen(samples[i].block))));
		while (grubenv_next(&reader, &pair)) {
			assert_true(pair.value.size < sizeof(value));
			grubenv_unescape(pair.value, value);
			len += (size_t)snprintf(found + len, sizeof(found) - len, "%.*s=%s;",
						(int)pair.name.size, (const char *)pair.name.data,
						value);
		}
		assert_string_equal(found, samples[i].expected);
	}
}

static void a_file_without_the_signature_is_no_block(void **state)
{
	static const char *const blocks[] = {"", "a=1\n", "# GRUB Environment Bloc",
					     "# GRUB Environment Block\n"};
	struct grubenv_reader reader;

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		assert_false(grubenv_open(&reader, bytes_make(blocks[i], strlen(blocks[i]))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_come_out_in_order),
		cmocka_unit_test(a_file_without_the_signature_is_no_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
