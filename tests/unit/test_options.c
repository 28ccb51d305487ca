/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <getopt.h>
#include <string.h>

#include "../../src/cli/options.h"

#define MAX_ARGS 12

static char argument_texts[MAX_ARGS][64];
static char *arguments[MAX_ARGS + 1];

/* The command line as one text, cut at its blanks. '' is an empty argument. */
static int parse(const char *line, struct options *ret, struct pvk_error *err)
{
	int count = 0;

	(void)snprintf(argument_texts[count], sizeof(argument_texts[0]), "pvkprep");
	arguments[count] = argument_texts[count];
	count++;
	while (*line) {
		size_t len = strcspn(line, " ");

		assert_true(count < MAX_ARGS);
		(void)snprintf(argument_texts[count], sizeof(argument_texts[0]), "%.*s", (int)len,
			       strncmp(line, "''", 2) == 0 ? "" : line);
		arguments[count] = argument_texts[count];
		count++;
		line += len;
		line += strspn(line, " ");
	}
	arguments[count] = NULL;
	optind = 0; /* getopt begins anew */
	return options_parse(count, arguments, ret, err);
}

static struct options parse_good(const char *line)
{
	struct pvk_error err = {0};
	struct options options;

	if (parse(line, &options, &err) < 0)
		fail_msg("'%s': %s", line, err.msg);
	return options;
}

static void every_mode_has_its_option(void **state)
{
	static const struct {
		const char *line;
		enum mode mode;
	} rows[] = {
		{"", MODE_NONE},
		{"-v", MODE_NONE},
		{"--prepare", MODE_PREPARE},
		{"--inspect file", MODE_INSPECT},
		{"--list", MODE_LIST},
		{"--restore", MODE_RESTORE},
		{"--help", MODE_HELP},
		{"-h", MODE_HELP},
		{"--version", MODE_VERSION},
		{"-V", MODE_VERSION},
		{"--prepare --prepare", MODE_PREPARE},
		/* Help wins, wherever it stands. */
		{"--prepare -h", MODE_HELP},
		{"-h --prepare", MODE_HELP},
		{"-V --inspect", MODE_VERSION},
		{"-h --list x", MODE_HELP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options;

		options = parse_good(rows[i].line);
		if (options.mode != rows[i].mode)
			fail_msg("'%s': mode %d", rows[i].line, options.mode);
	}
}

static void options_and_operands_may_be_mixed(void **state)
{
	struct options options;

	(void)state;
	options = parse_good("--prepare 6.1 --root /target -n --force 6.12 --format=elf");
	assert_int_equal(options.mode, MODE_PREPARE);
	assert_string_equal(options.root, "/target");
	assert_string_equal(options.format, "elf");
	assert_true(options.dry_run && options.force && !options.json);
	assert_int_equal(options.operand_count, 2);
	assert_string_equal(options.operands[0], "6.1");
	assert_string_equal(options.operands[1], "6.12");
	options = parse_good("--list --json --config=/x.conf --profile pygrub -q --color=never");
	assert_string_equal(options.config, "/x.conf");
	assert_string_equal(options.profile, "pygrub");
	assert_true(options.json && !options.dry_run);
	assert_int_equal(options.level, LOG_LEVEL_QUIET);
	assert_int_equal(options.color, COLOR_NEVER);
	options = parse_good("--inspect -v -- --odd-name -n");
	assert_int_equal(options.operand_count, 2);
	assert_string_equal(options.operands[0], "--odd-name");
	assert_int_equal(options.level, LOG_LEVEL_VERBOSE);
	assert_false(options.dry_run);
}

/* The shell completes directories with a slash; messages put "/boot" behind the name. */
static void slashes_after_the_root_do_not_count(void **state)
{
	static const struct {
		const char *line, *root;
	} rows[] = {
		{"--list --root /mnt/", "/mnt"},   {"--list --root=/mnt//", "/mnt"},
		{"--list --root mnt/./", "mnt/."}, {"--list --root /", "/"},
		{"--list --root ///", "/"},	   {"--list --root ''", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(parse_good(rows[i].line).root, rows[i].root);
}

static void nothing_is_set_by_itself(void **state)
{
	const struct options options = parse_good("--restore");

	(void)state;
	assert_null(options.root);
	assert_null(options.config);
	assert_null(options.format);
	assert_null(options.profile);
	assert_false(options.json || options.dry_run || options.force);
	assert_int_equal(options.level, LOG_LEVEL_NORMAL);
	assert_int_equal(options.color, COLOR_AUTO);
	assert_int_equal(options.operand_count, 0);
}

static const struct {
	const char *line, *word;
} faults[] = {
	{"--prepare --list", "only one mode"},
	{"--list --restore -h", "only one mode"}, /* the fault comes first */
	{"--prepare --bogus", "unknown option '--bogus'"},
	{"--prepare -x", "unknown option '-x'"},
	{"--prepare -nx", "unknown option '-x'"},
	{"--json=yes --list", "'--json=yes': this option takes no value"},
	{"--prepare --dry-run=1", "'--dry-run=1': this option takes no value"},
	{"--list -q=1", "unknown option '-='"},
	{"--list --root", "'--root' needs a value"},
	{"--config", "'--config' needs a value"},
	{"--list --color=blue", "'blue'"},
	{"--list --color=", "''"},
	{"--inspect", "--inspect needs a file"},
	{"--list 6.1", "'6.1'"},
	{"--list -n", "--dry-run"},
	{"--inspect file -n", "--dry-run"},
	{"--list --force", "--force"},
	{"--restore --format=elf", "--format"},
	{"--inspect --format=elf file", "--format"},
	{"--prepare --b\x1b[2J", "\\x1b"},
};

static void every_fault_is_told_in_one_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct pvk_error err = {0};
		struct options options, untouched;
		int r;

		memset(&untouched, 0x77, sizeof(untouched));
		memcpy(&options, &untouched, sizeof(options));
		r = parse(faults[i].line, &options, &err);
		if (r != -PVK_E_CONFIG || !strstr(err.msg, faults[i].word))
			fail_msg("'%s': %d, '%s'", faults[i].line, r, err.msg);
		assert_memory_equal(&options, &untouched, sizeof(options));
	}
}

/* 80 columns and 24 lines, less one for the prompt. */
static void the_help_fits_a_screen(void **state)
{
	unsigned lines = 0;

	(void)state;
	for (const char *line = options_help; *line; lines++) {
		const size_t len = strcspn(line, "\n");

		if (len > 80)
			fail_msg("%zu columns: %.*s", len, (int)len, line);
		line += len + (line[len] == '\n');
	}
	assert_in_range(lines, 5, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode_has_its_option),
		cmocka_unit_test(options_and_operands_may_be_mixed),
		cmocka_unit_test(slashes_after_the_root_do_not_count),
		cmocka_unit_test(nothing_is_set_by_itself),
		cmocka_unit_test(every_fault_is_told_in_one_sentence),
		cmocka_unit_test(the_help_fits_a_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
