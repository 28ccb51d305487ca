/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.c - see config.h */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../system/infile.h"
#include "../system/reopen.h"

/* inih keeps a line of 200 bytes; a longer one is refused instead of being read as two. */
#define LINE_MAX_BYTES 199

struct word {
	const char *word;
	int value;
};

static const struct word format_words[] = {
	{"elf", FORMAT_ELF}, {"hybrid", FORMAT_HYBRID}, {"auto", FORMAT_AUTO}, {0}};
static const struct word when_words[] = {
	{"pv", WHEN_PV}, {"always", WHEN_ALWAYS}, {"never", WHEN_NEVER}, {0}};
static const struct word originals_words[] = {
	{"divert", ORIGINALS_DIVERT}, {"stash", ORIGINALS_STASH}, {"none", ORIGINALS_NONE}, {0}};
static const struct word profile_words[] = {{"bitfolk", PROFILE_BITFOLK},
					    {"debian", PROFILE_DEBIAN},
					    {"pygrub", PROFILE_PYGRUB},
					    {"pv-grub", PROFILE_PV_GRUB},
					    {0}};
static const struct word grub_cfg_words[] = {{"auto", KEEP_AUTO}, {"never", KEEP_NEVER}, {0}};
static const struct word keep_words[] = {
	{"auto", KEEP_AUTO}, {"always", KEEP_ALWAYS}, {"never", KEEP_NEVER}, {0}};
static const struct word codec_words[] = {
	{"bzip2", 1u << CODEC_BZIP2},
	{"lzma", 1u << CODEC_LZMA},
	{"xz", 1u << CODEC_XZ},
	{"lzo", 1u << CODEC_LZO},
	{"lz4", 1u << CODEC_LZ4_LEGACY | 1u << CODEC_LZ4_FRAME},
	{"zstd", 1u << CODEC_ZSTD},
	{0},
};

void config_init(struct config *ret)
{
	*ret = (struct config){0}; /* the first word of each enum is its default */
	for (const struct word *word = codec_words; word->word; word++)
		ret->convert |= (uint32_t)word->value;
}

static int find_word(const struct word *words, const char *text, size_t len)
{
	for (; words->word; words++)
		if (strlen(words->word) == len && strncmp(words->word, text, len) == 0)
			return words->value;
	return -1;
}

/* "'a', 'b' or 'c'": what would have been right. */
static void list_words(const struct word *words, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (const struct word *word = words; word->word && used < size; word++)
		used += (size_t)snprintf(buf + used, size - used, "%s'%s'",
					 word == words	? ""
					 : word[1].word ? ", "
							: " or ",
					 word->word);
}

static int refuse_value(const struct word *words, const char *key, const char *value,
			struct pvk_error *err)
{
	char choices[160];

	list_words(words, choices, sizeof(choices));
	return pvk_fail(err, PVK_E_CONFIG, "%s cannot be %s: it is %s", key, text_quote(value).s,
			choices);
}

static int set_convert(struct config *config, const char *value, struct pvk_error *err)
{
	uint32_t mask = 0;

	if (strcmp(value, "all") == 0) {
		struct config defaults;

		config_init(&defaults);
		config->convert = defaults.convert;
		return 0;
	}
	for (const char *at = value + strspn(value, " \t,"); *at; at += strspn(at, " \t,")) {
		const size_t len = strcspn(at, " \t,");
		const int bits = find_word(codec_words, at, len);

		if (bits < 0)
			return refuse_value(codec_words, "convert (beside 'all')", value, err);
		mask |= (uint32_t)bits;
		at += len;
	}
	if (mask == 0)
		return refuse_value(codec_words, "convert (beside 'all')", value, err);
	config->convert = mask;
	return 0;
}

struct key {
	const char *section, *name;
	const struct word *words; /* NULL: convert */
	size_t offset;
};

_Static_assert(sizeof(enum config_format) == sizeof(int), "set through int");

static const struct key keys[] = {
	{"kernel", "convert", NULL, offsetof(struct config, convert)},
	{"kernel", "format", format_words, offsetof(struct config, format)},
	{"kernel", "when", when_words, offsetof(struct config, when)},
	{"kernel", "originals", originals_words, offsetof(struct config, originals)},
	{"boot", "profile", profile_words, offsetof(struct config, profile)},
	{"boot", "grub-cfg", grub_cfg_words, offsetof(struct config, grub_cfg)},
	{"boot", "menu-lst", keep_words, offsetof(struct config, menu_lst)},
	{"boot", "pvboot", keep_words, offsetof(struct config, pvboot)},
};

int config_set(struct config *config, const char *section, const char *name, const char *value,
	       struct pvk_error *err)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int found;

		if (strcmp(keys[i].section, section) != 0 || strcmp(keys[i].name, name) != 0)
			continue;
		if (!keys[i].words)
			return set_convert(config, value, err);
		found = find_word(keys[i].words, value, strlen(value));
		if (found < 0)
			return refuse_value(keys[i].words, name, value, err);
		memcpy((char *)config + keys[i].offset, &found, sizeof(found));
		return 0;
	}
	return pvk_fail(err, PVK_E_CONFIG, "unknown key %s in section %s", text_quote(name).s,
			text_quote(section).s);
}

/* --- reading the file --- */

struct reading {
	FILE *stream;
	struct config *config;
	unsigned line; /* the one that inih has in hand */
	unsigned bad_line;
	int result; /* of the first mistake, in bad_line; 0: none */
	struct pvk_error *err;
};

/* "key = value   # why": inih knows only ';' for that, and no value of ours holds a '#'. */
static void cut_comment(char *line)
{
	char *hash = strchr(line, '#');

	if (hash && hash > line && strchr(" \t", hash[-1]))
		memcpy(hash, "\n", 2);
}

static void skip_rest(FILE *stream)
{
	int c;

	do
		c = getc(stream);
	while (c != '\n' && c != EOF);
}

/* One too long is passed over whole: its second half must not be obeyed. */
static void refuse_line(struct reading *reading, char *line)
{
	if (reading->result == 0) {
		reading->bad_line = reading->line;
		reading->result =
			pvk_fail(reading->err, PVK_E_CONFIG, "line %u is too long", reading->line);
	}
	if (!strchr(line, '\n'))
		skip_rest(reading->stream);
	line[0] = '\0';
}

/* Hands inih one line and counts it: inih itself tells its handler no line number. */
static char *next_line(char *buf, int size, void *context)
{
	struct reading *reading = context;
	char *line = fgets(buf, size, reading->stream);

	if (!line)
		return NULL;
	reading->line++;
	if (strlen(line) >= LINE_MAX_BYTES)
		refuse_line(reading, line);
	/* To inih an indented line goes on with the key before it: never meant here. */
	memmove(line, line + strspn(line, " \t"), strlen(line + strspn(line, " \t")) + 1);
	cut_comment(line);
	return line;
}

static int take_key(void *context, const char *section, const char *name, const char *value)
{
	struct reading *reading = context;
	struct pvk_error *err = reading->result == 0 ? reading->err : NULL;
	int r = config_set(reading->config, section, name, value, err);

	if (r < 0 && reading->result == 0) {
		reading->result = r;
		reading->bad_line = reading->line;
		pvk_error_prefix(err, "line %u", reading->line);
	}
	return 1; /* inih: the line was one that we know how to handle */
}

static int read_stream(FILE *stream, struct config *config, struct pvk_error *err)
{
	struct reading reading = {.stream = stream, .config = config, .err = err};
	int bad_line = ini_parse_stream(next_line, &reading, take_key, &reading);

	if (ferror(stream))
		return pvk_fail_errno(err, EIO, "cannot read");
	if (bad_line < 0)
		return pvk_fail(err, ENOMEM, "no memory to read it");
	if (bad_line > 0 && (reading.result == 0 || (unsigned)bad_line < reading.bad_line))
		return pvk_fail(err, PVK_E_CONFIG, "line %d: neither a [section] nor key = value",
				bad_line);
	return reading.result;
}

int config_load(const struct root *root, const char *path, struct config *config,
		struct pvk_error *err)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	_cleanup_infile_ struct infile file = INFILE_INIT;
	_cleanup_fclose_ FILE *stream = NULL;
	char shown[PATH_MAX + 32];
	int fd, r;

	fd = path ? reopen_openat(AT_FDCWD, path, flags)
		  : root_openat(root, PVK_CONFIG_PATH, flags);
	if (!path && (fd == -ENOENT || fd == -ENOTDIR))
		return 0;
	if (fd < 0)
		r = pvk_fail_errno(err, -fd, "cannot open");
	else
		r = infile_take(fd, INFILE_TRUSTED, &file, err);
	if (r == 0) {
		stream = fdopen(file.fd, "r");
		if (stream)
			(void)take_fd(&file.fd);
		r = stream ? read_stream(stream, config, err)
			   : pvk_fail_errno(err, errno, "cannot read");
	}
	if (r < 0) {
		(void)snprintf(shown, sizeof(shown), "%s%s", path ? "" : root->path,
			       path ? path : PVK_CONFIG_PATH);
		pvk_error_prefix(err, "%s", text_quote(shown).s);
	}
	return r;
}

const char *config_profile_name(enum config_profile profile)
{
	return profile_words[profile].word;
}

const char *config_format_name(enum config_format format)
{
	return format_words[format].word;
}

enum loader_family config_loader(const struct config *config)
{
	switch (config->profile) {
	case PROFILE_PYGRUB:
	case PROFILE_PV_GRUB:
		return LOADER_XEN;
	case PROFILE_BITFOLK:
	case PROFILE_DEBIAN:
		break;
	}
	return LOADER_PVGRUB;
}
