/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/system/digest.h"
#include "streams.h"

/* RFC 1321, A.5. */
static void md5_gives_the_sums_of_its_specification(void **state)
{
	static const struct {
		const char *text, *sum;
	} rows[] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		 "57edf4a22be3c955ac49da2e2107b67a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(digest_md5(bytes_make(rows[i].text, strlen(rows[i].text))).s,
				    rows[i].sum);
}

/* The empty input's sum is part of xxHash's frozen XXH3 (0.8.0). */
static void the_fast_digest_names_its_kind(void **state)
{
	const char *digest;
	char copy[48];

	(void)state;
	(void)snprintf(copy, sizeof(copy), "%s", digest_fast(bytes_make("", 0)).s);
	digest = copy;
	if (strncmp(digest, "xxh128:", 7) == 0)
		assert_string_equal(digest, "xxh128:99aa06d3014798d86001c324468d497f");
	else
		assert_string_equal(digest, "xxh64:ef46db3751d8e999");
}

static void the_fast_digest_is_what_the_command_says(void **state)
{
	_cleanup_stream_ struct stream plain = {0}, said = {0};
	struct digest_text digest = digest_fast(bytes_make("", 0));

	(void)state;
	if (strncmp(digest.s, "xxh128:", 7) != 0 || system("command -v xxh128sum >/dev/null") != 0)
		skip();
	plain = stream_plain(100000);
	digest = digest_fast(stream_view(&plain));
	said = stream_from_command("xxh128sum", stream_view(&plain));
	assert_true(said.size >= 32);
	assert_memory_equal(said.data, digest.s + 7, 32);
}

static void one_bit_changes_both(void **state)
{
	_cleanup_stream_ struct stream plain = stream_plain(4096);
	const struct digest_text md5 = digest_md5(stream_view(&plain));
	const struct digest_text fast = digest_fast(stream_view(&plain));

	(void)state;
	plain.data[4095] ^= 1;
	assert_string_not_equal(digest_md5(stream_view(&plain)).s, md5.s);
	assert_string_not_equal(digest_fast(stream_view(&plain)).s, fast.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_gives_the_sums_of_its_specification),
		cmocka_unit_test(the_fast_digest_names_its_kind),
		cmocka_unit_test(the_fast_digest_is_what_the_command_says),
		cmocka_unit_test(one_bit_changes_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
