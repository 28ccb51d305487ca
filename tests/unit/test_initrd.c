/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/cpio.h"
#include "../../src/formats/initrd.h"
#include "mutate.h"
#include "streams.h"

#define VERSION "6.1.0-56-amd64"
#define MODULES "usr/lib/modules/" VERSION "/"

#define ROOM	     (1u << 20) /* for any file here, packed or not */
#define MEMORY_LIMIT (UINT64_C(64) << 20)

#define HEADER_SIZE   110
#define MAIN_ENTRIES  7
#define EARLY_ENTRIES 3
#define EARLY_SIZE    1024

/* --- building --- */

static void append(struct stream *file, const void *data, size_t size)
{
	assert_true(size <= ROOM - file->size);
	memcpy(file->data + file->size, data, size);
	file->size += size;
}

static void append_zeros(struct stream *file, size_t count)
{
	assert_true(count <= ROOM - file->size);
	memset(file->data + file->size, 0, count);
	file->size += count;
}

static void align(struct stream *file, size_t unit)
{
	append_zeros(file, (unit - file->size % unit) % unit);
}

static struct stream new_file(void)
{
	struct stream file = {.data = malloc(ROOM)};

	assert_non_null(file.data);
	return file;
}

static void add_header(struct stream *file, const char *magic, unsigned mode, unsigned body_size,
		       unsigned name_size, unsigned check)
{
	char header[HEADER_SIZE + 1];

	(void)snprintf(header, sizeof(header),
		       "%s%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", magic, 7u, mode,
		       0u, 0u, 1u, 0x6553f100u, body_size, 8u, 1u, 0u, 0u, name_size, check);
	append(file, header, HEADER_SIZE);
}

static void add(struct stream *file, unsigned mode, const char *name, const char *body)
{
	align(file, CPIO_ALIGN);
	add_header(file, "070701", mode, (unsigned)strlen(body), (unsigned)strlen(name) + 1, 0);
	append(file, name, strlen(name) + 1);
	align(file, CPIO_ALIGN);
	append(file, body, strlen(body));
	align(file, CPIO_ALIGN);
}

static void add_file(struct stream *file, const char *name)
{
	add(file, S_IFREG | 0644, name, "what is in it");
}

static void add_trailer(struct stream *file)
{
	add(file, 0, "TRAILER!!!", "");
}

static struct stream make_early(void)
{
	struct stream file = new_file();

	add(&file, S_IFDIR | 0755, "kernel", "");
	add(&file, S_IFDIR | 0755, "kernel/x86", "");
	add_file(&file, "kernel/x86/microcode/AuthenticAMD.bin");
	add_trailer(&file);
	align(&file, 512);
	assert_int_equal(file.size, EARLY_SIZE);
	return file;
}

static struct stream make_main(bool has_trailer)
{
	static char noise[6001];
	struct stream file = new_file();
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(noise) - 1; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (char)('0' + (x >> 26));
	}
	add(&file, S_IFDIR | 0755, ".", "");
	add(&file, S_IFREG | 0755, "init", "#!/bin/sh\n");
	add(&file, S_IFLNK | 0777, "bin", "usr/bin");
	add(&file, S_IFCHR | 0600, "dev/console", "");
	add(&file, S_IFREG | 0755, "usr/bin/busybox", noise);
	add_file(&file, MODULES "modules.dep");
	add_file(&file, MODULES "kernel/drivers/block/xen-blkfront.ko");
	if (has_trailer) {
		add_trailer(&file);
		align(&file, 512);
	}
	return file;
}

static void append_packed(struct stream *file, enum codec codec, const struct stream *plain)
{
	_cleanup_stream_ struct stream packed = stream_encode(codec, stream_view(plain));

	append(file, packed.data, packed.size);
}

/* --- running --- */

static void examine_for(struct bytes file, const char *version, const char *init, size_t capacity,
			uint64_t memory_limit, struct initrd *ret)
{
	struct decode_sink scratch = {.capacity = capacity, .memory_limit = memory_limit};
	struct guarded out;
	struct pvk_error err = {0};

	guarded_init(&out, capacity);
	scratch.data = out.data;
	assert_int_equal(initrd_examine(file, version, init, &scratch, ret, &err), 0);
	guarded_done(&out);
	assert_int_equal(err.code, 0);
	assert_int_equal(ret->is_complete, ret->problem.code == 0);
	assert_int_equal(ret->is_complete, ret->problem.msg[0] == '\0');
	if (ret->is_complete)
		assert_true(ret->segments > 0 && ret->plain_size > 0);
}

static void examine_within(struct bytes file, const char *version, size_t capacity,
			   uint64_t memory_limit, struct initrd *ret)
{
	examine_for(file, version, NULL, capacity, memory_limit, ret);
}

static void examine(const struct stream *file, struct initrd *ret)
{
	struct guarded copy;

	guarded_init_copy(&copy, stream_view(file));
	examine_within(guarded_tail(&copy, file->size), VERSION, ROOM, MEMORY_LIMIT, ret);
	guarded_done(&copy);
}

static void expect_problem(const struct initrd *initrd, int code, const char *label)
{
	if (initrd->problem.code != code)
		fail_msg("%s: problem %d (%s), expected %d", label, initrd->problem.code,
			 initrd->problem.msg, code);
}

/* --- whole files, out of pieces --- */

static const struct {
	const char *name;
	enum codec codec;
} codecs[] = {
	{"plain", CODEC_NONE}, {"gzip", CODEC_GZIP},	  {"bzip2", CODEC_BZIP2},
	{"lzma", CODEC_LZMA},  {"xz", CODEC_XZ},	  {"lzo", CODEC_LZO},
	{"zstd", CODEC_ZSTD},  {"lz4", CODEC_LZ4_LEGACY}, {"lz4-frame", CODEC_LZ4_FRAME},
};

static enum codec codec_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (strcmp(codecs[i].name, name) == 0)
			return codecs[i].codec;
	fail_msg("no codec '%s'", name);
	return CODEC_NONE;
}

static void add_piece(struct stream *file, const char *piece)
{
	bool is_cut = strncmp(piece, "cut-", 4) == 0;
	_cleanup_stream_ struct stream part = {0};

	if (piece[0] >= '0' && piece[0] <= '9') {
		append_zeros(file, strtoul(piece, NULL, 10));
	} else if (piece[0] == '"') {
		append(file, piece + 1, strlen(piece + 1));
	} else if (strcmp(piece, "early") == 0) {
		part = make_early();
		append(file, part.data, part.size);
	} else {
		part = make_main(!is_cut);
		append_packed(file, codec_by_name(piece + (is_cut ? 4 : 0)), &part);
	}
}

/*
 * Pieces, separated by blanks: "early" (plain, padded to 512 bytes, see EARLY_SIZE); the name of a
 * codec: the main archive, packed so; "cut-" before it: without its trailer; a number of zeros;
 * text behind a double quote.
 */
static struct stream assemble(const char *pieces)
{
	struct stream file = new_file();
	char piece[32];
	int taken;

	while (sscanf(pieces, " %31s%n", piece, &taken) == 1) {
		add_piece(&file, piece);
		pieces += taken;
	}
	return file;
}

struct layout {
	const char *pieces;
	int code; /* of the problem; 0: complete */
	const char *words;
	uint32_t segments;
	uint64_t entries;
	enum codec codec;
};

#define BOTH (EARLY_ENTRIES + MAIN_ENTRIES)

static const struct layout layouts[] = {
	{"plain", 0, "", 1, MAIN_ENTRIES, CODEC_NONE},
	{"gzip", 0, "", 1, MAIN_ENTRIES, CODEC_GZIP},
	{"bzip2", 0, "", 1, MAIN_ENTRIES, CODEC_BZIP2},
	{"lzma", 0, "", 1, MAIN_ENTRIES, CODEC_LZMA},
	{"xz", 0, "", 1, MAIN_ENTRIES, CODEC_XZ},
	{"lzo", 0, "", 1, MAIN_ENTRIES, CODEC_LZO},
	{"lz4", 0, "", 1, MAIN_ENTRIES, CODEC_LZ4_LEGACY},
	{"zstd", 0, "", 1, MAIN_ENTRIES, CODEC_ZSTD},
	{"early zstd", 0, "", 2, BOTH, CODEC_ZSTD},
	{"early plain", 0, "", 2, BOTH, CODEC_NONE},
	{"early 1024 plain", 0, "", 2, BOTH, CODEC_NONE},
	{"early early gzip", 0, "", 3, BOTH + EARLY_ENTRIES, CODEC_GZIP},
	{"8 plain", 0, "", 1, MAIN_ENTRIES, CODEC_NONE},
	{"7 gzip", 0, "", 1, MAIN_ENTRIES, CODEC_GZIP},
	{"gzip 1", 0, "", 1, MAIN_ENTRIES, CODEC_GZIP},
	{"gzip 5000", 0, "", 1, MAIN_ENTRIES, CODEC_GZIP},
	{"bzip2 3", 0, "", 1, MAIN_ENTRIES, CODEC_BZIP2},
	{"xz 4", 0, "", 1, MAIN_ENTRIES, CODEC_XZ},
	{"lzma 9", 0, "", 1, MAIN_ENTRIES, CODEC_LZMA},
	{"lzo 512", 0, "", 1, MAIN_ENTRIES, CODEC_LZO},
	{"lz4 3", 0, "", 1, MAIN_ENTRIES, CODEC_LZ4_LEGACY},
	{"lz4 512", 0, "", 1, MAIN_ENTRIES, CODEC_LZ4_LEGACY},
	{"zstd 512", 0, "", 1, MAIN_ENTRIES, CODEC_ZSTD},
	{"lz4 lz4", 0, "", 2, 2 * MAIN_ENTRIES, CODEC_LZ4_LEGACY},
	{"", PVK_E_FORMAT, "is not an initrd", 0, 0, CODEC_NONE},
	{"700", PVK_E_FORMAT, "is not an initrd", 0, 0, CODEC_NONE},
	{"\"not-an-initrd", PVK_E_FORMAT, "is not an initrd", 0, 0, CODEC_NONE},
	{"\"0123456789", PVK_E_FORMAT, "is not an initrd", 1, 0, CODEC_NONE},
	{"\"070707000000", PVK_E_UNSUPPORTED, "by the kernel", 1, 0, CODEC_NONE},
	{"early \"junk", PVK_E_FORMAT, "is damaged from byte 1024 on", 1, EARLY_ENTRIES,
	 CODEC_NONE},
	{"cut-plain", PVK_E_TRUNCATED, "without its trailer", 1, MAIN_ENTRIES, CODEC_NONE},
	{"cut-plain 512", PVK_E_TRUNCATED, "without its trailer", 1, MAIN_ENTRIES, CODEC_NONE},
	{"early cut-gzip", PVK_E_TRUNCATED, "is damaged from byte 1024 on: cpio", 2, BOTH,
	 CODEC_GZIP},
	{"lz4-frame", PVK_E_UNSUPPORTED, "by the kernel", 1, 0, CODEC_LZ4_FRAME},
	{"gzip gzip", 0, "", 2, 2 * MAIN_ENTRIES, CODEC_GZIP},
	{"bzip2 bzip2", 0, "", 2, 2 * MAIN_ENTRIES, CODEC_BZIP2},
	{"lzma lzma", 0, "", 2, 2 * MAIN_ENTRIES, CODEC_LZMA},
	{"lzo lzo", 0, "", 2, 2 * MAIN_ENTRIES, CODEC_LZO},
	{"xz xz", 0, "", 2, 2 * MAIN_ENTRIES, CODEC_XZ},
	{"zstd zstd", 0, "", 2, 2 * MAIN_ENTRIES, CODEC_ZSTD},
	{"early xz 3 gzip zstd 700 lz4", 0, "", 5, BOTH + 3 * MAIN_ENTRIES, CODEC_LZ4_LEGACY},
	{"gzip plain", PVK_E_CORRUPT, "padding", 1, MAIN_ENTRIES, CODEC_GZIP},
	{"gzip \"junk 100", PVK_E_FORMAT, "is damaged", 1, MAIN_ENTRIES, CODEC_GZIP},
	{"cut-gzip gzip", PVK_E_TRUNCATED, "without its trailer", 1, MAIN_ENTRIES, CODEC_GZIP},
	{"lz4 4 \"junk", PVK_E_FORMAT, "is damaged", 1, MAIN_ENTRIES, CODEC_LZ4_LEGACY},
	{"early 2 plain", PVK_E_CORRUPT, "padding", 1, EARLY_ENTRIES, CODEC_NONE},
	{"early 2 gzip", PVK_E_CORRUPT, "padding", 1, EARLY_ENTRIES, CODEC_NONE},
	{"3 plain", PVK_E_CORRUPT, "padding", 0, 0, CODEC_NONE},
};

#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static void every_layout_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < LAYOUTS; i++) {
		const struct layout *layout = &layouts[i];
		_cleanup_stream_ struct stream file = assemble(layout->pieces);
		struct initrd initrd;

		examine(&file, &initrd);
		expect_problem(&initrd, layout->code, layout->pieces);
		if (!strstr(initrd.problem.msg, layout->words))
			fail_msg("%s: %s", layout->pieces, initrd.problem.msg);
		if (initrd.segments != layout->segments || initrd.entries != layout->entries ||
		    initrd.codec != layout->codec)
			fail_msg("%s: %u segments, %llu entries, codec %d", layout->pieces,
				 initrd.segments, (unsigned long long)initrd.entries,
				 (int)initrd.codec);
		assert_int_equal(initrd_is_bad(&initrd), layout->code != 0);
		if (layout->code == 0)
			assert_true(initrd.has_init && initrd.has_blkfront && initrd.has_modules);
	}
}

static void only_junk_behind_whole_archives_is_forgiven_by_the_kernel(void **state)
{
	static const struct {
		const char *pieces;
		bool is_junk_behind, has_init;
	} rows[] = {
		{"gzip \"junk 100", true, true}, {"zstd \"junk", true, true},
		{"lz4 4 \"junk", true, true},	 {"early \"junk", true, false},
		{"early 2 gzip", true, false},	 {"\"junk", false, false},
		{"gzip cut-gzip", false, true},	 {"3 plain", false, false},
		{"gzip lz4-frame", false, true}, {"gzip", false, true},
		{"\"0123456789", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = assemble(rows[i].pieces);
		struct initrd initrd;

		examine(&file, &initrd);
		if (initrd.is_junk_behind != rows[i].is_junk_behind ||
		    initrd.has_init != rows[i].has_init)
			fail_msg("%s: %d, %d", rows[i].pieces, initrd.is_junk_behind,
				 initrd.has_init);
	}
}

static void plain_size_counts_archives_without_padding(void **state)
{

	_cleanup_stream_ struct stream file = assemble("early xz 64");
	_cleanup_stream_ struct stream main_archive = make_main(true);
	struct stream early = new_file();
	struct initrd initrd;

	(void)state;
	add(&early, S_IFDIR | 0755, "kernel", "");
	add(&early, S_IFDIR | 0755, "kernel/x86", "");
	add_file(&early, "kernel/x86/microcode/AuthenticAMD.bin");
	add_trailer(&early);
	examine(&file, &initrd);
	assert_int_equal(initrd.plain_size, early.size + main_archive.size);
	stream_done(&early);
}

/* --- truncated, damaged --- */

struct cut {
	const char *name;
	size_t first_part; /* a file may well end behind the early archive */
	size_t needed;
};

static void check_cut(struct bytes mutant, size_t where, void *context)
{
	const struct cut *cut = context;
	struct initrd initrd;

	examine_within(mutant, VERSION, ROOM, MEMORY_LIMIT, &initrd);
	if (where >= cut->needed)
		return;
	if (initrd.is_complete && (initrd.has_init || where > cut->first_part))
		fail_msg("%s cut to %zu bytes is taken for whole", cut->name, where);
	/* Where the magic itself is cut it is no magic. */
	if (!initrd.is_complete && initrd.problem.code != PVK_E_TRUNCATED &&
	    where > cut->first_part + 12)
		fail_msg("%s cut to %zu bytes: %s", cut->name, where, initrd.problem.msg);
}

static void truncation_is_told_as_damage(void **state)
{
	static const struct {
		const char *pieces;
		const char *first_part;
	} rows[] = {
		{"plain", ""},
		{"gzip", ""},
		{"bzip2", ""},
		{"lzma", ""},
		{"xz", ""},
		{"lzo", ""},
		{"lz4", ""},
		{"zstd", ""},
		{"early plain", "early"},
		{"early gzip", "early"},
		{"early zstd", "early"},
		{"early lz4", "early"},
		{"early xz", "early"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = assemble(rows[i].pieces);
		_cleanup_stream_ struct stream first = assemble(rows[i].first_part);
		struct cut cut = {.name = rows[i].pieces, .first_part = first.size};

		cut.needed = file.size;
		/* What is missing there is only the padding behind the trailer. */
		while (strstr(rows[i].pieces, "plain") && file.data[cut.needed - 1] == 0)
			cut.needed--;
		mutate_each_prefix(stream_view(&file), 512, 64, check_cut, &cut);
		mutate_each_prefix(bytes_make(file.data, cut.needed), 512, 20, check_cut, &cut);
	}
}

static void check_damage(struct bytes mutant, size_t where, void *context)
{
	const struct cut *cut = context;
	struct initrd initrd;

	examine_within(mutant, VERSION, ROOM, MEMORY_LIMIT, &initrd);
	if (initrd.is_complete || !initrd_is_bad(&initrd) ||
	    !strstr(initrd.problem.msg, "is damaged"))
		fail_msg("%s, byte %zu bit %zu: \"%s\"", cut->name, where / 8, where % 8,
			 initrd.problem.msg);
}

static void damage_is_found_by_every_checksum(void **state)
{
	static const struct {
		const char *pieces;
		size_t sum_from_end; /* 0: not at the end */
	} rows[] = {
		{"early gzip", 8}, {"early zstd", 4},  {"early xz", 12},
		{"early lzo", 0},  {"early bzip2", 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = assemble(rows[i].pieces);
		struct bytes good = stream_view(&file);
		struct cut cut = {.name = rows[i].pieces};

		mutate_each_bit(good, EARLY_SIZE + (file.size - EARLY_SIZE) / 2, 6, check_damage,
				&cut);
		if (rows[i].sum_from_end > 0)
			mutate_each_bit(good, file.size - rows[i].sum_from_end, 4, check_damage,
					&cut);
	}
}

static void check_survival(struct bytes mutant, size_t where, void *context)
{
	struct initrd initrd;

	(void)where;
	(void)context;
	examine_within(mutant, VERSION, ROOM, MEMORY_LIMIT, &initrd);
}

static void no_flipped_bit_reads_outside_of_the_file(void **state)
{
	_cleanup_stream_ struct stream plain = make_early();
	_cleanup_stream_ struct stream packed = new_file();

	(void)state;
	append_packed(&packed, CODEC_LZ4_LEGACY, &plain);
	mutate_each_bit(stream_view(&plain), 0, plain.size, check_survival, NULL);
	mutate_each_bit(stream_view(&packed), 0, packed.size, check_survival, NULL);
}

/* --- headers --- */

static void every_broken_header_is_refused(void **state)
{
	static const struct {
		const char *name;
		size_t off; /* in the second entry's header */
		const char *text;
		int code;
	} rows[] = {
		{"lower case digits", 46, "6553f10a", 0},
		{"wrong magic", 0, "070703", PVK_E_FORMAT},
		{"old format", 0, "070707", PVK_E_UNSUPPORTED},
		{"blank in a number", 14, " 00081A4", PVK_E_CORRUPT},
		{"sign in a number", 14, "-00081A4", PVK_E_CORRUPT},
		{"0x in a number", 14, "0x0081A4", PVK_E_CORRUPT},
		{"letter in an unused field", 22, "0000000g", PVK_E_CORRUPT},
		{"letter in the checksum", 102, "0000000/", PVK_E_CORRUPT},
		{"file over the end", 54, "00001000", PVK_E_TRUNCATED},
		{"largest file", 54, "FFFFFFFF", PVK_E_TRUNCATED},
		{"no name", 94, "00000000", PVK_E_CORRUPT},
		{"name without NUL", 94, "00000004", PVK_E_CORRUPT},
		{"name over the end", 94, "00000400", PVK_E_TRUNCATED},
		{"longest name", 94, "00001001", PVK_E_CORRUPT},
		{"largest name", 94, "FFFFFFFF", PVK_E_CORRUPT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = new_file();
		struct initrd initrd;
		size_t second;

		add_file(&file, "first");
		second = file.size;
		add_file(&file, "init");
		add_trailer(&file);
		memcpy(file.data + second + rows[i].off, rows[i].text, strlen(rows[i].text));
		examine(&file, &initrd);
		expect_problem(&initrd, rows[i].code, rows[i].name);
		assert_int_equal(initrd.entries, rows[i].code == 0 ? 2 : 1);
	}
}

/* An archive with one file of that name. */
static void examine_one(const char *name, struct initrd *ret)
{
	_cleanup_stream_ struct stream file = new_file();

	add_file(&file, name);
	add_trailer(&file);
	examine(&file, ret);
}

static void empty_name_is_refused(void **state)
{
	struct initrd initrd;

	(void)state;
	examine_one("", &initrd);
	expect_problem(&initrd, PVK_E_CORRUPT, "empty name");
}

static void name_of_path_max_is_fine(void **state)
{
	char name[PATH_MAX];
	struct initrd initrd;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	examine_one(name, &initrd);
	expect_problem(&initrd, 0, "long name");
}

static void missing_padding_at_the_end_is_fine(void **state)
{
	_cleanup_stream_ struct stream file = new_file();
	struct initrd initrd;

	(void)state;
	add_file(&file, "init");
	add_trailer(&file);
	add_header(&file, "070701", S_IFREG, 1, 11, 0);
	append(&file, "TRAILER!!!\0\0\0x", 15);
	examine(&file, &initrd);
	expect_problem(&initrd, 0, "trailer of odd size");
	assert_int_equal(initrd.segments, 2);
}

static void checksum_of_the_crc_format_is_checked(void **state)
{
	static const struct {
		const char *magic;
		unsigned mode, check;
		int code;
	} rows[] = {
		{"070702", S_IFREG, 'a' + 'b' + 'c', 0},
		{"070702", S_IFREG, 'a' + 'b' + 'd', PVK_E_CORRUPT},
		{"070702", S_IFREG, 0, PVK_E_CORRUPT},
		{"070702", S_IFLNK, 0, 0}, /* as cpio(1) makes it */
		{"070701", S_IFREG, 5, 0}, /* the field means nothing there */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = new_file();
		struct initrd initrd;

		add_header(&file, rows[i].magic, rows[i].mode, 3, 5, rows[i].check);
		append(&file, "init\0", 5);
		align(&file, CPIO_ALIGN);
		append(&file, "abc", 3);
		add_trailer(&file);
		examine(&file, &initrd);
		expect_problem(&initrd, rows[i].code, "crc format");
		assert_int_equal(initrd.has_init, rows[i].code == 0);
	}
}

/* --- content --- */

static void content_is_found_by_name(void **state)
{
	static const struct {
		const char *name;
		unsigned mode;
		bool has_init, has_blkfront, has_modules;
		const char *modules_version;
	} rows[] = {
		{"init", S_IFREG, true, false, false, ""},
		{"/init", S_IFREG, true, false, false, ""},
		{"./init", S_IFREG, true, false, false, ""},
		{"init", S_IFLNK, true, false, false, ""},
		{"init", S_IFDIR, false, false, false, ""},
		{"sbin/init", S_IFREG, false, false, false, ""},
		{"initrd", S_IFREG, false, false, false, ""},
		{"ini", S_IFREG, false, false, false, ""},
		{"xen-blkfront.ko", S_IFREG, false, true, false, ""},
		{MODULES "xen-blkfront.ko", S_IFREG, false, true, true, ""},
		{MODULES "a/xen-blkfront.ko.xz", S_IFREG, false, true, true, ""},
		{MODULES "a/xen-blkfront.ko.zst", S_IFREG, false, true, true, ""},
		{MODULES "a/xen-blkfront.ko.gz", S_IFREG, false, true, true, ""},
		{MODULES "a/xen-blkfront.ko.lz4", S_IFREG, false, false, true, ""},
		{MODULES "a/my-xen-blkfront.ko", S_IFREG, false, false, true, ""},
		{MODULES "xen-blkfront.ko/a", S_IFREG, false, false, true, ""},
		{MODULES "xen-blkfront.ko", S_IFDIR, false, false, true, ""},
		{MODULES "kernel", S_IFDIR, false, false, true, ""},
		{MODULES, S_IFDIR, false, false, false, ""},
		{"usr/lib/modules/" VERSION, S_IFDIR, false, false, false, ""},
		{"lib/modules/" VERSION "/modules.dep", S_IFREG, false, false, true, ""},
		{"./lib/modules/" VERSION "/modules.dep", S_IFREG, false, false, true, ""},
		{"/usr/lib/modules/" VERSION "/modules.dep", S_IFREG, false, false, true, ""},
		{"x/lib/modules/" VERSION "/modules.dep", S_IFREG, false, false, false, ""},
		{"lib/modules/" VERSION "x/modules.dep", S_IFREG, false, false, false, VERSION "x"},
		{"lib/modules/6.1.0/modules.dep", S_IFREG, false, false, false, "6.1.0"},
		{"lib/modules//modules.dep", S_IFREG, false, false, false, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = new_file();
		struct initrd initrd;

		add(&file, rows[i].mode, rows[i].name, "");
		add_trailer(&file);
		examine(&file, &initrd);
		expect_problem(&initrd, 0, rows[i].name);
		if (initrd.has_init != rows[i].has_init ||
		    initrd.has_blkfront != rows[i].has_blkfront ||
		    initrd.has_modules != rows[i].has_modules ||
		    strcmp(initrd.modules_version, rows[i].modules_version) != 0)
			fail_msg("%s: %d %d %d '%s'", rows[i].name, initrd.has_init,
				 initrd.has_blkfront, initrd.has_modules, initrd.modules_version);
	}
}

static void an_init_that_the_kernel_cannot_run_is_found(void **state)
{
	static const struct {
		unsigned mode;
		const char *body;
		const char *other; /* a further file; NULL: none */
		enum initrd_fault fault;
	} rows[] = {
		{S_IFREG | 0755, "#!/bin/sh\n", NULL, INITRD_INIT_FINE},
		{S_IFREG | 0700, "#!/bin/sh\n", NULL, INITRD_INIT_FINE},
		{S_IFREG | 0644, "#!/bin/sh\n", NULL, INITRD_INIT_NOT_EXECUTABLE},
		{S_IFREG | 0755, "", NULL, INITRD_INIT_EMPTY},
		{S_IFLNK | 0777, "usr/lib/systemd/systemd", NULL, INITRD_INIT_DANGLING},
		{S_IFLNK | 0777, "/lib/systemd/systemd", "usr/lib/systemd/systemd",
		 INITRD_INIT_FINE},
		{S_IFLNK | 0777, "sbin/init", NULL, INITRD_INIT_DANGLING},
		{S_IFLNK | 0777, "sbin/init", "usr/sbin/init", INITRD_INIT_FINE},
		{S_IFLNK | 0777, "init", NULL, INITRD_INIT_DANGLING},
		{S_IFLNK | 0777, "../run/x/init", NULL, INITRD_INIT_FINE},
		{S_IFLNK | 0777, "/root/sbin/init", NULL, INITRD_INIT_FINE},
		{S_IFLNK | 0777, "..", NULL, INITRD_INIT_FINE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = new_file();
		struct initrd initrd;

		add(&file, S_IFREG | 0644, "init", ""); /* the last one counts */
		add(&file, rows[i].mode, "init", rows[i].body);
		if (rows[i].other)
			add_file(&file, rows[i].other);
		add_trailer(&file);
		examine(&file, &initrd);
		expect_problem(&initrd, 0, rows[i].body);
		if (!initrd.has_init || initrd.init_fault != rows[i].fault)
			fail_msg("row %zu: %d", i, (int)initrd.init_fault);
	}
}

/* As rdinit= names it. Behind a directory that may be a link nothing is sure but a name that no
 * file has. */
static void another_init_is_found_as_it_is_named(void **state)
{
	static const struct {
		const char *init, *name;
		unsigned mode;
		bool has_init, may_have_init;
		enum initrd_fault fault;
	} rows[] = {
		{"/usr/bin/x", "usr/bin/x", S_IFREG | 0755, true, false, INITRD_INIT_FINE},
		{"//usr/bin/x", "./usr/bin/x", S_IFREG | 0755, true, false, INITRD_INIT_FINE},
		{"usr/bin/x", "usr/bin/x", S_IFREG | 0644, true, false, INITRD_INIT_NOT_EXECUTABLE},
		{"/bin/x", "usr/bin/x", S_IFREG | 0755, false, true, INITRD_INIT_FINE},
		{"/bin/y", "usr/bin/x", S_IFREG | 0755, false, false, INITRD_INIT_FINE},
		{"/x", "usr/bin/x", S_IFREG | 0755, false, false, INITRD_INIT_FINE},
		{"/init", "usr/bin/x", S_IFREG | 0755, true, false, INITRD_INIT_FINE},
		{NULL, "usr/bin/init", S_IFREG | 0755, true, false, INITRD_INIT_FINE},
		{"", "x", S_IFREG | 0755, false, false, INITRD_INIT_FINE},
		{"/", "x", S_IFREG | 0755, false, false, INITRD_INIT_FINE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_stream_ struct stream file = new_file();
		struct initrd initrd;

		add(&file, S_IFREG | 0755, "init", "#!/bin/sh\n");
		add(&file, rows[i].mode, rows[i].name, "#!/bin/sh\n");
		add_trailer(&file);
		examine_for(stream_view(&file), VERSION, rows[i].init, ROOM, MEMORY_LIMIT, &initrd);
		expect_problem(&initrd, 0, rows[i].name);
		if (initrd.has_init != rows[i].has_init ||
		    initrd.may_have_init != rows[i].may_have_init ||
		    initrd.init_fault != rows[i].fault)
			fail_msg("row %zu: %d %d %d", i, initrd.has_init, initrd.may_have_init,
				 (int)initrd.init_fault);
	}
}

static void who_made_it_is_known_by_a_file(void **state)
{
	static const struct {
		const char *name;
		enum initrd_maker maker;
	} rows[] = {
		{"conf/initramfs.conf", INITRD_INITRAMFS_TOOLS},
		{"usr/lib/dracut-lib.sh", INITRD_DRACUT},
		{"lib/dracut-lib.sh", INITRD_DRACUT},
		{"etc/my-initramfs.conf", INITRD_MAKER_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct initrd initrd;

		examine_one(rows[i].name, &initrd);
		assert_int_equal(initrd.maker, rows[i].maker);
	}
}

/* GNU cpio: of hard links only the last one has the content. */
static void an_init_with_several_names_may_have_its_content_elsewhere(void **state)
{
	_cleanup_stream_ struct stream file = new_file();
	struct initrd initrd;

	(void)state;
	add(&file, S_IFREG | 0755, "init", "");
	memcpy(file.data + 6 + 4 * 8, "00000002", 8); /* nlink */
	add_trailer(&file);
	examine(&file, &initrd);
	assert_int_equal(initrd.init_fault, INITRD_INIT_FINE);
}

static void drivers_of_file_systems_are_found_by_name(void **state)
{
	static const struct {
		const char *name;
		enum initrd_fs fs;
	} rows[] = {
		{MODULES "kernel/fs/ext4/ext4.ko", INITRD_EXT4},
		{MODULES "kernel/fs/xfs/xfs.ko.xz", INITRD_XFS},
		{MODULES "kernel/fs/btrfs/btrfs.ko.zst", INITRD_BTRFS},
		{MODULES "kernel/fs/ext4/ext4.c", INITRD_FS_COUNT},
		{MODULES "kernel/fs/gfs/gxfs.ko", INITRD_FS_COUNT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct initrd initrd;

		examine_one(rows[i].name, &initrd);
		for (enum initrd_fs fs = 0; fs < INITRD_FS_COUNT; fs++)
			if (initrd.has_fs[fs] != (fs == rows[i].fs))
				fail_msg("%s: %d", rows[i].name, (int)fs);
	}
	assert_int_equal(initrd_find_fs("xfs"), INITRD_XFS);
	assert_int_equal(initrd_find_fs("ext3"), INITRD_FS_COUNT);
}

static void first_other_version_is_named_unless_ours_is_there(void **state)
{
	_cleanup_stream_ struct stream file = new_file();
	const struct {
		const char *ours;
		bool has_modules;
		const char *named;
	} rows[] = {
		{"5.1", true, ""}, {"5.2", true, ""},	{"5.3", false, "5.1"},
		{"", true, "5.1"}, {NULL, true, "5.1"},
	};

	(void)state;
	add_file(&file, "lib/modules/5.1/modules.dep");
	add_file(&file, "lib/modules/5.2/modules.dep");
	add_trailer(&file);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct initrd initrd;

		examine_within(stream_view(&file), rows[i].ours, 0, MEMORY_LIMIT, &initrd);
		assert_int_equal(initrd.has_modules, rows[i].has_modules);
		assert_string_equal(initrd.modules_version, rows[i].named);
	}
}

static void long_version_is_cut(void **state)
{
	char name[400];
	struct initrd initrd;

	(void)state;
	(void)snprintf(name, sizeof(name), "lib/modules/%0300d/a", 7);
	examine_one(name, &initrd);
	assert_int_equal(strlen(initrd.modules_version), sizeof(initrd.modules_version) - 1);
}

/* --- what only we cannot tell --- */

static void xz_checksum_that_linux_lacks_is_refused(void **state)
{
	static const struct {
		lzma_check check;
		int code;
	} rows[] = {
		{LZMA_CHECK_NONE, 0},
		{LZMA_CHECK_CRC32, 0},
		{LZMA_CHECK_CRC64, PVK_E_UNSUPPORTED},
		{LZMA_CHECK_SHA256, PVK_E_UNSUPPORTED},
	};
	_cleanup_stream_ struct stream plain = make_main(true);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xz_options options = {.check = rows[i].check, .dictionary = 1u << 16};
		_cleanup_stream_ struct stream file =
			stream_encode_xz(stream_view(&plain), &options);
		struct initrd initrd;

		examine(&file, &initrd);
		expect_problem(&initrd, rows[i].code, "xz check");
	}
}

static void limits_are_not_the_fault_of_the_file(void **state)
{

	_cleanup_stream_ struct stream plain = make_main(true);
	_cleanup_stream_ struct stream file = assemble("lz4 lz4");
	const struct {
		size_t capacity;
		uint64_t memory_limit;
		int code;
		uint32_t segments;
	} rows[] = {
		{2 * plain.size, MEMORY_LIMIT, 0, 2},
		{2 * plain.size - 1, MEMORY_LIMIT, PVK_E_LIMIT, 2},
		{plain.size - 1, MEMORY_LIMIT, PVK_E_LIMIT, 1},
	};
	struct initrd initrd;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		examine_within(stream_view(&file), VERSION, rows[i].capacity, rows[i].memory_limit,
			       &initrd);
		expect_problem(&initrd, rows[i].code, "capacity");
		assert_int_equal(initrd.segments, rows[i].segments);
		assert_false(initrd_is_bad(&initrd));
	}
	stream_done(&file);
	file = new_file();
	append_packed(&file, CODEC_XZ, &plain);
	examine_within(stream_view(&file), VERSION, ROOM, 1000, &initrd);
	expect_problem(&initrd, PVK_E_LIMIT, "memory");
	assert_false(initrd_is_bad(&initrd));
}

static void number_of_entries_is_limited(void **state)
{
	_cleanup_stream_ struct stream entry = new_file();
	_cleanup_stream_ struct stream trailer = new_file();
	_cleanup_stream_ struct stream file = {0};
	const size_t entries = (size_t)PVK_MAX_INITRD_ENTRIES;
	struct initrd initrd;

	(void)state;
	add(&entry, S_IFREG, "a", "");
	add_trailer(&trailer);
	file.data = malloc((entries + 1) * entry.size + trailer.size);
	assert_non_null(file.data);
	for (size_t i = 0; i <= entries; i++)
		memcpy(file.data + i * entry.size, entry.data, entry.size);

	file.size = entries * entry.size;
	memcpy(file.data + file.size, trailer.data, trailer.size);
	file.size += trailer.size;
	examine_within(stream_view(&file), VERSION, 0, MEMORY_LIMIT, &initrd);
	expect_problem(&initrd, 0, "all entries");
	assert_int_equal(initrd.entries, entries);

	file.size = (entries + 1) * entry.size;
	memcpy(file.data + file.size - entry.size, entry.data, entry.size);
	memcpy(file.data + file.size, trailer.data, trailer.size);
	file.size += trailer.size;
	examine_within(stream_view(&file), VERSION, 0, MEMORY_LIMIT, &initrd);
	expect_problem(&initrd, PVK_E_LIMIT, "one more");
	assert_false(initrd_is_bad(&initrd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_is_told_apart),
		cmocka_unit_test(only_junk_behind_whole_archives_is_forgiven_by_the_kernel),
		cmocka_unit_test(plain_size_counts_archives_without_padding),
		cmocka_unit_test(truncation_is_told_as_damage),
		cmocka_unit_test(damage_is_found_by_every_checksum),
		cmocka_unit_test(no_flipped_bit_reads_outside_of_the_file),
		cmocka_unit_test(every_broken_header_is_refused),
		cmocka_unit_test(empty_name_is_refused),
		cmocka_unit_test(name_of_path_max_is_fine),
		cmocka_unit_test(missing_padding_at_the_end_is_fine),
		cmocka_unit_test(checksum_of_the_crc_format_is_checked),
		cmocka_unit_test(content_is_found_by_name),
		cmocka_unit_test(an_init_that_the_kernel_cannot_run_is_found),
		cmocka_unit_test(another_init_is_found_as_it_is_named),
		cmocka_unit_test(who_made_it_is_known_by_a_file),
		cmocka_unit_test(an_init_with_several_names_may_have_its_content_elsewhere),
		cmocka_unit_test(drivers_of_file_systems_are_found_by_name),
		cmocka_unit_test(first_other_version_is_named_unless_ours_is_there),
		cmocka_unit_test(long_version_is_cut),
		cmocka_unit_test(xz_checksum_that_linux_lacks_is_refused),
		cmocka_unit_test(limits_are_not_the_fault_of_the_file),
		cmocka_unit_test(number_of_entries_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
