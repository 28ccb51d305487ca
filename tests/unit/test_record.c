/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../src/policy/record.h"
#include "tmptree.h"

#define RECORD "boot/pvkprep/6.1.json"

static const struct kernel kernel = {
	.version = "6.1",
	.file = "vmlinuz-6.1",
	.packaged = "packaged-6.1",
	.record = "6.1.json",
};

struct world {
	struct tmptree tree;
	struct root root;
	struct bootdir boot;
	struct record record; /* as stored */
	struct stat st;
};

static int make_world(void **state)
{
	static struct world world;

	tmptree_init(&world.tree);
	tmptree_write_text(&world.tree, "boot/vmlinuz-6.1", "an image");
	tmptree_mkdir(&world.tree, "boot/pvkprep");
	world.st = tmptree_stat(&world.tree, "boot/vmlinuz-6.1");
	world.record = (struct record){
		.state = RECORD_PREPARED,
		.loader = "pvgrub",
		.container = "bzimage",
		.payload = "lz4",
		.source_size = 14186432,
		.source_md5 = {"0123456789abcdef0123456789abcdef"},
		.source_digest = {"xxh128:0123456789abcdef0123456789abcdef"},
		.result_digest = {"xxh128:fedcba9876543210fedcba9876543210"},
	};
	*state = &world;
	if (root_open(world.tree.path, &world.root, NULL) < 0 ||
	    bootdir_open(&world.root, &world.boot, NULL) < 0)
		return -1;
	return record_store(&world.boot, &kernel, &world.record, &world.st, NULL);
}

static int remove_world(void **state)
{
	struct world *world = *state;

	bootdir_close(&world->boot);
	root_close(&world->root);
	tmptree_done(&world->tree);
	return 0;
}

static void what_is_stored_is_loaded(void **state)
{
	struct world *world = *state;
	struct record loaded;

	memset(&loaded, 0x77, sizeof(loaded));
	assert_int_equal(record_load(&world->boot, &kernel, &loaded), 1);
	assert_int_equal(loaded.state, RECORD_PREPARED);
	assert_string_equal(loaded.loader, "pvgrub");
	assert_string_equal(loaded.container, "bzimage");
	assert_string_equal(loaded.payload, "lz4");
	assert_int_equal(loaded.source_size, 14186432);
	assert_string_equal(loaded.source_md5.s, world->record.source_md5.s);
	assert_string_equal(loaded.source_digest.s, world->record.source_digest.s);
	assert_int_equal(loaded.result_size, world->st.st_size);
	assert_string_equal(loaded.result_digest.s, world->record.result_digest.s);
	assert_int_equal(loaded.inode, world->st.st_ino);
	assert_true(record_matches(&loaded, &world->st));
	assert_int_equal(tmptree_stat(&world->tree, RECORD).st_mode & 07777, 0644);
}

static void state_and_a_missing_md5_come_back_too(void **state)
{
	struct world *world = *state;
	struct record loaded;

	world->record.state = RECORD_KEPT;
	world->record.source_md5.s[0] = '\0';
	assert_int_equal(record_store(&world->boot, &kernel, &world->record, &world->st, NULL), 0);
	assert_int_equal(record_load(&world->boot, &kernel, &loaded), 1);
	assert_int_equal(loaded.state, RECORD_KEPT);
	assert_string_equal(loaded.source_md5.s, "");
}

static void only_a_withheld_kernel_has_a_reason(void **state)
{
	const struct pvk_error reason = {.code = PVK_E_REFUSED, .msg = "belongs to \"user\" 1000"};
	struct world *world = *state;
	struct record loaded;

	record_note_reason(&world->boot, &kernel, &reason);
	assert_int_equal(record_load(&world->boot, &kernel, &loaded), 1);
	assert_int_equal(loaded.reason.code, 0);
	world->record.state = RECORD_WITHHELD;
	assert_int_equal(record_store(&world->boot, &kernel, &world->record, &world->st, NULL), 0);
	record_note_reason(&world->boot, &kernel, &reason);
	assert_int_equal(record_load(&world->boot, &kernel, &loaded), 1);
	assert_int_equal(loaded.reason.code, PVK_E_REFUSED);
	assert_string_equal(loaded.reason.msg, reason.msg);
	assert_int_equal(loaded.source_size, world->record.source_size);
	/* Without a record there is nothing to add it to. */
	record_remove(&world->boot, &kernel);
	record_note_reason(&world->boot, &kernel, &reason);
	assert_int_equal(record_load(&world->boot, &kernel, &loaded), 0);
}

static void times_keep_their_nanoseconds(void **state)
{
	static const struct timespec times[] = {
		{.tv_sec = 1763781480, .tv_nsec = 1},
		{.tv_sec = 1763781480, .tv_nsec = 999999999},
		{.tv_sec = 0, .tv_nsec = 0},
		{.tv_sec = INT64_C(1) << 33, .tv_nsec = 100},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct record loaded;

		world->st.st_mtim = times[i];
		world->st.st_ctim = times[(i + 1) % 4];
		assert_int_equal(
			record_store(&world->boot, &kernel, &world->record, &world->st, NULL), 0);
		assert_int_equal(record_load(&world->boot, &kernel, &loaded), 1);
		assert_true(record_matches(&loaded, &world->st));
	}
}

static void any_difference_of_the_file_is_no_match(void **state)
{
	struct world *world = *state;
	const struct stat same = world->st;
	struct stat st = same;

	assert_true(record_matches(&world->record, &st));
	st.st_ino++;
	assert_false(record_matches(&world->record, &st));
	st = same;
	st.st_size--;
	assert_false(record_matches(&world->record, &st));
	st = same;
	st.st_mtim.tv_sec++;
	assert_false(record_matches(&world->record, &st));
	st = same;
	st.st_mtim.tv_nsec ^= 1;
	assert_false(record_matches(&world->record, &st));
	st = same;
	st.st_ctim.tv_sec--;
	assert_false(record_matches(&world->record, &st));
	st = same;
	st.st_ctim.tv_nsec ^= 1;
	assert_false(record_matches(&world->record, &st));
	st = same;
	st.st_mode = S_IFLNK | 0777;
	assert_false(record_matches(&world->record, &st));
	/* After a reboot the device may have another number. */
	st = same;
	st.st_dev++;
	assert_true(record_matches(&world->record, &st));
}

/* A new original beside the prepared image is to be prepared; a removed one changes nothing. */
static void another_original_is_no_match(void **state)
{
	struct world *world = *state;
	const struct stat same = world->st;
	struct record loaded;
	struct stat st = same;

	record_set_source(&world->record, &same);
	assert_int_equal(record_store(&world->boot, &kernel, &world->record, &world->st, NULL), 0);
	assert_int_equal(record_load(&world->boot, &kernel, &loaded), 1);
	assert_true(record_matches_source(&loaded, &same));
	assert_true(record_matches_source(&loaded, NULL));
	st.st_ctim.tv_sec++; /* a link was made or removed */
	assert_true(record_matches_source(&loaded, &st));
	st.st_ino++;
	assert_false(record_matches_source(&loaded, &st));
	st = same;
	st.st_mtim.tv_nsec ^= 1;
	assert_false(record_matches_source(&loaded, &st));
	record_set_source(&world->record, NULL);
	assert_false(record_matches_source(&world->record, &same));
}

static void assert_ignored(const struct world *world, const char *what)
{
	struct record loaded, untouched;

	memset(&untouched, 0x77, sizeof(untouched));
	memcpy(&loaded, &untouched, sizeof(loaded));
	if (record_load(&world->boot, &kernel, &loaded) != 0)
		fail_msg("%s: was loaded", what);
	assert_memory_equal(&loaded, &untouched, sizeof(loaded));
}

static void a_record_cut_anywhere_is_ignored(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream whole = tmptree_read(&world->tree, RECORD);

	for (size_t size = 0; size + 1 < whole.size; size++) {
		tmptree_write(&world->tree, RECORD, bytes_make(whole.data, size));
		assert_ignored(world, "prefix");
	}
}

/* Each key in turn is missing, of another type, or of a value that nobody wrote. */
static void a_record_with_a_damaged_key_is_ignored(void **state)
{
	static const char *const keys[] = {"schema",  "state",	"format", "loader", "container",
					   "payload", "size",	"digest", "inode",  "mtime",
					   "ctime",   "source", "result"};
	struct world *world = *state;
	_cleanup_stream_ struct stream whole = tmptree_read(&world->tree, RECORD);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		_cleanup_stream_ struct stream damaged = stream_copy(stream_view(&whole));
		char quoted[32];
		uint8_t *at;

		(void)snprintf(quoted, sizeof(quoted), "\"%s\"", keys[i]);
		at = memmem(damaged.data, damaged.size, quoted, strlen(quoted));
		if (!at)
			fail_msg("no %s in the record", keys[i]);
		at[1] ^= 0x20; /* another letter case: another key */
		tmptree_write(&world->tree, RECORD, stream_view(&damaged));
		assert_ignored(world, keys[i]);
	}
}

static const char *const foreign[] = {
	"",
	"\n",
	"{}",
	"[]",
	"null",
	"42",
	"\"text\"",
	"not json at all",
	"{\"schema\": 2}",
	"{\"schema\": \"1\"}",
	"{\"schema\": -1}",
	"{\"schema\": 1.0}",
	"{\"schema\": 1, \"state\": \"prepared\", \"format\": \"elf\", \"loader\": \"pvgrub\"}",
	"{\"schema\": 1, \"state\": \"novel\", \"format\": \"elf\", \"loader\": \"pvgrub\","
	"\"source\": {\"container\": \"a\", \"payload\": \"b\", \"size\": 1, \"digest\": \"d\"},"
	"\"result\": {\"size\": 1, \"digest\": \"d\", \"inode\": 1, \"mtime\": \"1.000000001\","
	"\"ctime\": \"1.000000001\"}}",
	"{\"schema\": 1, \"state\": \"prepared\", \"format\": \"elf\", \"loader\": \"pvgrub\","
	"\"source\": [], \"result\": 3}",
	"{\"schema\": 1, \"state\": \"prepared\", \"format\": \"elf\","
	"\"loader\": \"a loader with a name that is longer than any\","
	"\"source\": {\"container\": \"a\", \"payload\": \"b\", \"size\": 1, \"digest\": \"d\"},"
	"\"result\": {\"size\": 1, \"digest\": \"d\", \"inode\": 1, \"mtime\": \"1.000000001\","
	"\"ctime\": \"1.000000001\"}}",
	"{\"schema\": 1, \"state\": \"prepared\", \"format\": \"elf\", \"loader\": \"pvgrub\","
	"\"source\": {\"container\": \"a\", \"payload\": \"b\", \"size\": -1, \"digest\": \"d\"},"
	"\"result\": {\"size\": 1, \"digest\": \"d\", \"inode\": 1, \"mtime\": \"1.000000001\","
	"\"ctime\": \"1.000000001\"}}",
	"{\"schema\": 1, \"state\": \"prepared\", \"format\": \"elf\", \"loader\": \"pvgrub\","
	"\"source\": {\"container\": \"a\", \"payload\": \"b\", \"size\": 1, \"digest\": \"d\"},"
	"\"result\": {\"size\": 1, \"digest\": \"d\", \"inode\": 1, \"mtime\": \"yesterday\","
	"\"ctime\": \"1.000000001\"}}",
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
};

static void foreign_json_is_ignored(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		tmptree_write_text(&world->tree, RECORD, foreign[i]);
		assert_ignored(world, foreign[i]);
	}
}

static void binary_noise_and_a_huge_file_are_ignored(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream noise = stream_plain(100000);

	tmptree_write(&world->tree, RECORD, stream_view(&noise));
	assert_ignored(world, "noise");
	memset(noise.data, ' ', noise.size);
	tmptree_write(&world->tree, RECORD, stream_view(&noise));
	assert_ignored(world, "blanks");
}

static void a_record_that_others_can_write_is_ignored(void **state)
{
	struct world *world = *state;

	tmptree_chmod(&world->tree, RECORD, 0666);
	assert_ignored(world, "mode 0666");
	tmptree_remove(&world->tree, RECORD);
	assert_ignored(world, "absent");
	tmptree_write_text(&world->tree, "elsewhere", "{}");
	tmptree_symlink(&world->tree, "../../elsewhere", RECORD);
	assert_ignored(world, "link");
	tmptree_remove(&world->tree, RECORD);
	tmptree_mkdir(&world->tree, RECORD);
	assert_ignored(world, "directory");
}

static void a_record_is_removed_and_may_be_absent(void **state)
{
	struct world *world = *state;
	struct bootdir bare = {.fd = world->boot.fd, .own_fd = -1};
	struct record loaded;

	record_remove(&world->boot, &kernel);
	assert_false(tmptree_exists(&world->tree, RECORD));
	record_remove(&world->boot, &kernel);
	record_remove(&bare, &kernel);
	assert_int_equal(record_load(&bare, &kernel, &loaded), 0);
}

static void a_record_that_cannot_be_written_is_an_error(void **state)
{
	struct world *world = *state;
	struct pvk_error err;

	tmptree_remove(&world->tree, RECORD);
	tmptree_mkdir(&world->tree, RECORD);
	assert_true(record_store(&world->boot, &kernel, &world->record, &world->st, &err) < 0);
	assert_non_null(strstr(err.msg, "cannot write the record"));
	assert_int_equal(tmptree_count(&world->tree, "boot/pvkprep"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)
	const struct CMUnitTest tests[] = {
		TEST(what_is_stored_is_loaded),
		TEST(state_and_a_missing_md5_come_back_too),
		TEST(only_a_withheld_kernel_has_a_reason),
		TEST(times_keep_their_nanoseconds),
		TEST(any_difference_of_the_file_is_no_match),
		TEST(another_original_is_no_match),
		TEST(a_record_cut_anywhere_is_ignored),
		TEST(a_record_with_a_damaged_key_is_ignored),
		TEST(foreign_json_is_ignored),
		TEST(binary_noise_and_a_huge_file_are_ignored),
		TEST(a_record_that_others_can_write_is_ignored),
		TEST(a_record_is_removed_and_may_be_absent),
		TEST(a_record_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
