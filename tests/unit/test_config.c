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

#include "../../src/policy/config.h"
#include "tmptree.h"

#define BIT(codec) (1u << (codec))
#define LZ4_BITS   (BIT(CODEC_LZ4_LEGACY) | BIT(CODEC_LZ4_FRAME))
#define ALL_BITS                                                                          \
	(BIT(CODEC_BZIP2) | BIT(CODEC_LZMA) | BIT(CODEC_XZ) | BIT(CODEC_LZO) | LZ4_BITS | \
	 BIT(CODEC_ZSTD))
#define FILE_NAME "etc/pvkprep.conf"

/* Reads `text` as the tree's own configuration, over the defaults. */
static int load(const char *text, struct config *config, struct pvk_error *err)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct root root;
	int r;

	tmptree_init(&tree);
	if (text)
		tmptree_write_text(&tree, FILE_NAME, text);
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	config_init(config);
	r = config_load(&root, NULL, config, err);
	root_close(&root);
	return r;
}

static void an_absent_file_gives_the_defaults(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load(NULL, &config, NULL), 0);
	assert_int_equal(config.convert, ALL_BITS);
	assert_int_equal(config.format, FORMAT_ELF);
	assert_int_equal(config.when, WHEN_PV);
	assert_int_equal(config.originals, 0); /* the first word of originals */
	assert_int_equal(config.profile, PROFILE_BITFOLK);
	assert_int_equal(config.grub_cfg, KEEP_AUTO);
	assert_int_equal(config.menu_lst, KEEP_AUTO);
	assert_int_equal(config.pvboot, KEEP_AUTO);
}

static const struct {
	const char *section, *key, *value;
	size_t offset;
	uint32_t result;
} good[] = {
#define FIELD(field) offsetof(struct config, field)
	{"kernel", "convert", "all", FIELD(convert), ALL_BITS},
	{"kernel", "convert", "lz4", FIELD(convert), LZ4_BITS},
	{"kernel", "convert", "zstd xz", FIELD(convert), BIT(CODEC_ZSTD) | BIT(CODEC_XZ)},
	{"kernel", "convert", "lzma, bzip2,lzo", FIELD(convert),
	 BIT(CODEC_LZMA) | BIT(CODEC_BZIP2) | BIT(CODEC_LZO)},
	{"kernel", "convert", " , zstd , ", FIELD(convert), BIT(CODEC_ZSTD)},
	{"kernel", "format", "elf", FIELD(format), FORMAT_ELF},
	{"kernel", "format", "hybrid", FIELD(format), FORMAT_HYBRID},
	{"kernel", "format", "auto", FIELD(format), FORMAT_AUTO},
	{"kernel", "when", "pv", FIELD(when), WHEN_PV},
	{"kernel", "when", "always", FIELD(when), WHEN_ALWAYS},
	{"kernel", "when", "never", FIELD(when), WHEN_NEVER},
	{"kernel", "originals", "stash", FIELD(originals), ORIGINALS_STASH},
	{"kernel", "originals", "none", FIELD(originals), ORIGINALS_NONE},
	{"boot", "profile", "bitfolk", FIELD(profile), PROFILE_BITFOLK},
	{"boot", "profile", "debian", FIELD(profile), PROFILE_DEBIAN},
	{"boot", "profile", "pygrub", FIELD(profile), PROFILE_PYGRUB},
	{"boot", "profile", "pv-grub", FIELD(profile), PROFILE_PV_GRUB},
	{"boot", "grub-cfg", "auto", FIELD(grub_cfg), KEEP_AUTO},
	{"boot", "grub-cfg", "never", FIELD(grub_cfg), KEEP_NEVER},
	{"boot", "menu-lst", "auto", FIELD(menu_lst), KEEP_AUTO},
	{"boot", "menu-lst", "always", FIELD(menu_lst), KEEP_ALWAYS},
	{"boot", "menu-lst", "never", FIELD(menu_lst), KEEP_NEVER},
	{"boot", "pvboot", "auto", FIELD(pvboot), KEEP_AUTO},
	{"boot", "pvboot", "always", FIELD(pvboot), KEEP_ALWAYS},
	{"boot", "pvboot", "never", FIELD(pvboot), KEEP_NEVER},
};

static void every_key_takes_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct pvk_error err = {0};
		struct config config;
		uint32_t found;

		config_init(&config);
		memset((char *)&config + good[i].offset, 0x5a, sizeof(found));
		if (config_set(&config, good[i].section, good[i].key, good[i].value, &err) < 0)
			fail_msg("%s = %s: %s", good[i].key, good[i].value, err.msg);
		memcpy(&found, (char *)&config + good[i].offset, sizeof(found));
		if (found != good[i].result)
			fail_msg("%s = %s: %#x", good[i].key, good[i].value, found);
	}
}

static const struct {
	const char *section, *key, *value, *word;
} bad[] = {
	{"kernel", "convert", "", "'zstd'"},
	{"kernel", "convert", " , ", "'bzip2'"},
	{"kernel", "convert", "gzip", "'gzip'"},
	{"kernel", "convert", "all lz4", "'all lz4'"},
	{"kernel", "convert", "LZ4", "'LZ4'"},
	{"kernel", "convert", "lz", "'lz'"},
	{"kernel", "convert", "lz4;xz", "'lz4;xz'"},
	{"kernel", "format", "bzimage", "'elf', 'hybrid' or 'auto'"},
	{"kernel", "format", "", "format cannot be ''"},
	{"kernel", "format", "elf ", "'elf '"},
	{"kernel", "when", "sometimes", "'pv', 'always' or 'never'"},
	{"kernel", "originals", "keep", "originals cannot be 'keep'"},
	{"boot", "profile", "grub", "'bitfolk', 'debian', 'pygrub' or 'pv-grub'"},
	{"boot", "profile", "pv_grub", "'pv_grub'"},
	{"boot", "grub-cfg", "always", "'auto' or 'never'"},
	{"boot", "menu-lst", "yes", "'auto', 'always' or 'never'"},
	{"boot", "pvboot", "\x1b[2J", "'\\x1b[2J'"},
	{"boot", "convert", "all", "unknown key 'convert' in section 'boot'"},
	{"kernel", "profile", "debian", "unknown key 'profile' in section 'kernel'"},
	{"", "format", "elf", "unknown key 'format' in section ''"},
	{"Kernel", "format", "elf", "section 'Kernel'"},
	{"kernel", "Format", "elf", "unknown key 'Format'"},
};

static void every_bad_value_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config config, before;
		struct pvk_error err = {0};

		config_init(&config);
		before = config;
		assert_int_equal(
			config_set(&config, bad[i].section, bad[i].key, bad[i].value, &err),
			-PVK_E_CONFIG);
		if (!strstr(err.msg, bad[i].word))
			fail_msg("%s = %s: '%s'", bad[i].key, bad[i].value, err.msg);
		assert_memory_equal(&config, &before, sizeof(config));
	}
}

static void a_whole_file_is_read(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load("# a comment\n"
			      "; another\n"
			      "\n"
			      "[kernel]   # of the kernels\n"
			      "convert=lz4 zstd\n"
			      "  # an indented comment\n"
			      "when = always   # why not\n"
			      "originals\t=\tnone ; so be it\n"
			      "[boot]\n"
			      "profile: pygrub\n"
			      "menu-lst = never", /* the last line may lack its end */
			      &config, NULL),
			 0);
	assert_int_equal(config.convert, LZ4_BITS | BIT(CODEC_ZSTD));
	assert_int_equal(config.when, WHEN_ALWAYS);
	assert_int_equal(config.originals, ORIGINALS_NONE);
	assert_int_equal(config.profile, PROFILE_PYGRUB);
	assert_int_equal(config.menu_lst, KEEP_NEVER);
	assert_int_equal(config_loader(&config), LOADER_XEN);
}

static void lines_may_end_as_on_windows(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(
		load("\xef\xbb\xbf[kernel]\r\nwhen = never\r\n# x\r\n[boot]\r\nprofile=debian\r\n",
		     &config, NULL),
		0);
	assert_int_equal(config.when, WHEN_NEVER);
	assert_int_equal(config.profile, PROFILE_DEBIAN);
}

/* To inih an indented line goes on with the key before it. */
static void an_indented_line_is_a_line_of_its_own(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load("  [kernel]\n\twhen = never\n    originals = none\n \n  [boot]\n"
			      "  profile = debian # x\n",
			      &config, NULL),
			 0);
	assert_int_equal(config.when, WHEN_NEVER);
	assert_int_equal(config.originals, ORIGINALS_NONE);
	assert_int_equal(config.profile, PROFILE_DEBIAN);
}

static void an_empty_file_changes_nothing(void **state)
{
	struct config config, defaults;

	(void)state;
	config_init(&defaults);
	assert_int_equal(load("", &config, NULL), 0);
	assert_memory_equal(&config, &defaults, sizeof(config));
	assert_int_equal(load("\n# nothing\n[kernel]\n[boot]\n", &config, NULL), 0);
	assert_memory_equal(&config, &defaults, sizeof(config));
}

#define HUNDRED \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *text, *line, *word;
} faults[] = {
	{"[kernel]\nformat = elf\nfromat = elf\n", "line 3", "unknown key 'fromat'"},
	{"\n\n\n[boot]\n\nprofile = nobody\n", "line 6", "'nobody'"},
	{"when = pv\n", "line 1", "section ''"},
	{"[kernel]\n[kernl]\nwhen = pv\n", "line 3", "section 'kernl'"},
	{"[kernel]\nwhen\n", "line 2", "neither"},
	{"[kernel\n", "line 1", "neither"},
	{"[kernel]\nwhen = pv\n  format = elk\n", "line 3", "format cannot be 'elk'"},
	{"[kernel]\nconvert = " HUNDRED HUNDRED "\n", "line 2", "too long"},
	{"# " HUNDRED HUNDRED HUNDRED "\nwhen = pv\n", "line 1", "too long"},
};

static void every_fault_names_file_and_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct config config, defaults;
		struct pvk_error err = {0};
		int r = load(faults[i].text, &config, &err);

		if (r != -PVK_E_CONFIG || !strstr(err.msg, faults[i].line) ||
		    !strstr(err.msg, faults[i].word) || !strstr(err.msg, "/etc/pvkprep.conf'"))
			fail_msg("'%s': %d, '%s'", faults[i].text, r, err.msg);
		config_init(&defaults);
		assert_memory_equal(&config, &defaults, sizeof(config));
	}
}

/* For hooks: of an administrator's "never" nothing is lost by a mistake in another line. */
static void what_is_right_beside_a_fault_is_taken_and_the_first_fault_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct pvk_error err = {0};
		struct config config;
		char text[512];

		(void)snprintf(text, sizeof(text),
			       "%s[boot]\nno = good\nmenu-lst = never\n[kernel]\nwhen = never\n",
			       faults[i].text);
		assert_int_equal(load(text, &config, &err), -PVK_E_CONFIG);
		assert_int_equal(config.menu_lst, KEEP_NEVER);
		assert_int_equal(config.when, WHEN_NEVER);
		if (!strstr(err.msg, faults[i].line))
			fail_msg("'%s': '%s'", faults[i].text, err.msg);
	}
}

/* A longer line must not be taken for two, of which the second would be obeyed. */
static void a_line_of_the_greatest_length_is_taken_and_not_more(void **state)
{
	struct config config;
	char text[512];

	(void)state;
	for (int length = 190; length < 210; length++) {
		int r;

		(void)snprintf(text, sizeof(text), "[kernel]\nwhen = never%*s\n",
			       length - (int)strlen("when = never"), "");
		r = load(text, &config, NULL);
		assert_int_equal(r, length < 198 ? 0 : -PVK_E_CONFIG);
		assert_int_equal(config.when, length < 198 ? WHEN_NEVER : WHEN_PV);
	}
}

static int load_prepared(const struct tmptree *tree, const char *path, struct pvk_error *err)
{
	struct config config;
	struct root root;
	int r;

	config_init(&config);
	assert_int_equal(root_open(tree->path, &root, NULL), 0);
	r = config_load(&root, path, &config, err);
	root_close(&root);
	return r;
}

static void a_file_that_others_can_write_is_refused(void **state)
{
	static const mode_t modes[] = {0664, 0646, 0666};
	_cleanup_tmptree_ struct tmptree tree;
	struct pvk_error err;

	(void)state;
	tmptree_init(&tree);
	tmptree_write_text(&tree, FILE_NAME, "[kernel]\n");
	assert_int_equal(load_prepared(&tree, NULL, &err), 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		tmptree_chmod(&tree, FILE_NAME, modes[i]);
		assert_int_equal(load_prepared(&tree, NULL, &err), -PVK_E_REFUSED);
		assert_non_null(strstr(err.msg, "written by others"));
		assert_non_null(strstr(err.msg, "/etc/pvkprep.conf'"));
	}
}

static void a_file_of_another_user_is_refused(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct pvk_error err;

	(void)state;
	if (geteuid() != 0)
		skip();
	tmptree_init(&tree);
	tmptree_write_text(&tree, FILE_NAME, "[kernel]\n");
	assert_int_equal(fchownat(tree.fd, FILE_NAME, 4711, 0, 0), 0);
	assert_int_equal(load_prepared(&tree, NULL, &err), -PVK_E_REFUSED);
	assert_non_null(strstr(err.msg, "4711"));
}

static void what_is_no_regular_file_is_refused(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct pvk_error err;

	(void)state;
	tmptree_init(&tree);
	tmptree_mkdir(&tree, "etc");
	assert_int_equal(mkfifoat(tree.fd, FILE_NAME, 0644), 0);
	assert_int_equal(load_prepared(&tree, NULL, &err), -PVK_E_REFUSED);
	tmptree_remove(&tree, FILE_NAME);
	tmptree_mkdir(&tree, FILE_NAME);
	assert_int_equal(load_prepared(&tree, NULL, &err), -PVK_E_REFUSED);
}

static void a_file_that_is_named_must_be_there(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct pvk_error err;
	char path[128];

	(void)state;
	tmptree_init(&tree);
	tmptree_write_text(&tree, "other.conf", "[kernel]\nwhen = x\n");
	assert_int_equal(load_prepared(&tree, "/nowhere/pvkprep.conf", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "'/nowhere/pvkprep.conf': cannot open"));
	(void)snprintf(path, sizeof(path), "%s/other.conf", tree.path);
	assert_int_equal(load_prepared(&tree, path, &err), -PVK_E_CONFIG);
	assert_non_null(strstr(err.msg, "/other.conf': line 2"));
}

static void every_profile_has_its_loader_and_name(void **state)
{
	static const struct {
		enum config_profile profile;
		enum loader_family loader;
		const char *name;
	} rows[] = {
		{PROFILE_BITFOLK, LOADER_PVGRUB, "bitfolk"},
		{PROFILE_DEBIAN, LOADER_PVGRUB, "debian"},
		{PROFILE_PYGRUB, LOADER_XEN, "pygrub"},
		{PROFILE_PV_GRUB, LOADER_XEN, "pv-grub"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config config = {.profile = rows[i].profile};

		assert_int_equal(config_loader(&config), rows[i].loader);
		assert_string_equal(config_profile_name(rows[i].profile), rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_absent_file_gives_the_defaults),
		cmocka_unit_test(every_key_takes_its_words),
		cmocka_unit_test(every_bad_value_is_refused_and_changes_nothing),
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(lines_may_end_as_on_windows),
		cmocka_unit_test(an_indented_line_is_a_line_of_its_own),
		cmocka_unit_test(an_empty_file_changes_nothing),
		cmocka_unit_test(every_fault_names_file_and_line),
		cmocka_unit_test(what_is_right_beside_a_fault_is_taken_and_the_first_fault_told),
		cmocka_unit_test(a_line_of_the_greatest_length_is_taken_and_not_more),
		cmocka_unit_test(a_file_that_others_can_write_is_refused),
		cmocka_unit_test(a_file_of_another_user_is_refused),
		cmocka_unit_test(what_is_no_regular_file_is_refused),
		cmocka_unit_test(a_file_that_is_named_must_be_there),
		cmocka_unit_test(every_profile_has_its_loader_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
