/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initrd.c - see initrd.h */
#include "initrd.h"

#include <errno.h>
#include <string.h>

#include "initrd_content.h"

#define LZ4_LEGACY_MAGIC UINT32_C(0x184c2102)

#define XZ_CHECK_ID_OFFSET 7
#define XZ_CHECK_CRC32	   1

struct examination {
	struct bytes file;
	struct decode_sink *scratch;
	size_t capacity; /* left of the scratch for decoded bytes */
	struct initrd initrd;
	struct initrd_content content; /* what it holds so far */
};

static bool is_damage(int code)
{
	return code == PVK_E_TRUNCATED || code == PVK_E_CORRUPT;
}

bool initrd_is_bad(const struct initrd *initrd)
{
	int code = initrd->problem.code;

	return is_damage(code) || code == PVK_E_FORMAT || code == PVK_E_UNSUPPORTED;
}

static const char *describe_problem(const struct initrd *initrd, int code)
{
	if (code == PVK_E_FORMAT && initrd->entries == 0)
		return "is not an initrd";
	if (is_damage(code) || code == PVK_E_FORMAT)
		return "is damaged";
	if (code == PVK_E_UNSUPPORTED)
		return "cannot be read by the kernel";
	return "cannot be examined";
}

/* Makes it a sentence about the file. */
static void note_problem(struct initrd *initrd, const struct pvk_error *problem, uint64_t segment)
{
	const char *what = describe_problem(initrd, problem->code);

	initrd->problem = *problem;
	if (segment == 0)
		pvk_error_prefix(&initrd->problem, "%s", what);
	else
		pvk_error_prefix(&initrd->problem, "%s from byte %llu on", what,
				 (unsigned long long)segment);
}

/* --- archives --- */

/* One archive from *pos to behind its trailer. On failure *pos is where it happened. */
static int walk_archive(struct examination *ex, struct bytes area, uint64_t *pos,
			struct pvk_error *err)
{
	struct cpio_entry entry;
	int rc;

	for (;;) {
		/* The kernel does without a trailer, too, but everybody writes one: this is what a
		 * file that was cut between two entries looks like. */
		if (*pos == area.size || area.data[*pos] == 0)
			return pvk_fail(err, PVK_E_TRUNCATED,
					"cpio archive ends without its trailer");
		rc = cpio_read(area, *pos, &entry, err);
		if (rc < 0)
			return rc;
		*pos = entry.end;
		if (cpio_is_trailer(&entry))
			return 0;
		if (ex->initrd.entries == PVK_MAX_INITRD_ENTRIES)
			return pvk_fail(err, PVK_E_LIMIT, "cpio archives have over %llu entries",
					(unsigned long long)PVK_MAX_INITRD_ENTRIES);
		initrd_note_entry(&ex->content, &entry, &ex->initrd);
	}
}

static int fail_padding(struct pvk_error *err)
{
	return pvk_fail(err, PVK_E_CORRUPT, "the padding behind a cpio archive is broken");
}

/* What a compressed segment holds: archives and zeros, nothing else. */
static int walk_archives(struct examination *ex, struct bytes area, struct pvk_error *err)
{
	uint64_t pos = 0;
	int rc;

	do {
		rc = walk_archive(ex, area, &pos, err);
		if (rc < 0)
			return rc;
		pos = cpio_skip_padding(area, pos);
		if (pos < area.size && pos % CPIO_ALIGN != 0)
			return fail_padding(err);
	} while (pos < area.size);
	return 0;
}

/* --- compressed segments --- */

/*
 * The legacy lz4 container has no end mark. The kernel takes it to end at a block of size 0 and
 * where less than a size is left (lib/decompress_unlz4.c); it passes over the magic of a further
 * one, which here begins a segment of its own.
 */
static struct bytes cut_lz4_legacy(struct bytes in)
{
	uint64_t pos = sizeof(uint32_t);
	uint32_t size;

	while (bytes_le32(in, pos, &size) && size != 0 && size != LZ4_LEGACY_MAGIC) {
		if (!range_is_inside(pos + sizeof(size), size, in.size))
			return in;
		pos += sizeof(size) + size;
	}
	return pos < in.size ? bytes_make(in.data, (size_t)pos) : in;
}

/* Streams that our libraries read and the kernel does not. */
static int check_kernel_reads(const struct decoder *decoder, struct bytes in, struct pvk_error *err)
{
	uint8_t check_id;

	/* lib/decompress.c knows the magic of the legacy container only. */
	if (decoder->codec == CODEC_LZ4_FRAME)
		return pvk_fail(err, PVK_E_UNSUPPORTED,
				"lz4 in the new frame format, Linux needs the legacy one (lz4 -l)");
	/* Linux Documentation/staging/xz.rst, "Notes on compression options". */
	if (decoder->codec == CODEC_XZ && bytes_u8(in, XZ_CHECK_ID_OFFSET, &check_id) &&
	    check_id > XZ_CHECK_CRC32)
		return pvk_fail(
			err, PVK_E_UNSUPPORTED,
			"xz stream with a checksum that Linux does not know (use xz --check=crc32)");
	return 0;
}

/* The stream at the beginning of `in`: *ret_area is what it holds, *ret_taken how long it is. */
static int decode_segment(struct examination *ex, struct bytes in, struct bytes *ret_area,
			  size_t *ret_taken, struct pvk_error *err)
{
	struct decode_sink *scratch = ex->scratch;
	const struct decoder *decoder = decoder_find(in);
	struct decode_sink sink = {
		.data = scratch->data,
		.capacity = ex->capacity,
		.memory_limit = scratch->memory_limit,
		.progress = scratch->progress,
	};
	int rc;

	ex->initrd.codec = decoder->codec;
	if (decoder->codec == CODEC_LZ4_LEGACY)
		in = cut_lz4_legacy(in);
	rc = check_kernel_reads(decoder, in, err);
	if (rc == 0)
		rc = decoder->decode(in, &sink, err);
	/* What follows is a segment of its own, or zeros. */
	if (rc < 0 && rc != -PVK_E_TRAILING)
		return rc;
	*ret_taken = sink.taken;
	ex->capacity -= sink.length;
	ex->initrd.plain_size += sink.length;
	*ret_area = bytes_make(sink.data, sink.length);
	return 0;
}

/* --- the file --- */

static int examine_plain(struct examination *ex, uint64_t *pos, struct pvk_error *err)
{
	uint64_t start = *pos;
	int rc;

	ex->initrd.segments++;
	rc = walk_archive(ex, ex->file, pos, err);
	ex->initrd.plain_size += *pos - start;
	return rc;
}

static int examine_compressed(struct examination *ex, uint64_t *pos, struct pvk_error *err)
{
	struct bytes in = bytes_make(ex->file.data + *pos, ex->file.size - (size_t)*pos);
	const struct decoder *decoder = decoder_find(in);
	struct bytes area = {0};
	size_t taken = 0;
	int rc;

	ex->initrd.is_junk_behind = !decoder && ex->initrd.entries > 0;
	if (!decoder)
		return pvk_fail(err, PVK_E_FORMAT,
				"neither a cpio archive nor a compression that Linux knows");
	ex->initrd.segments++;
	rc = decode_segment(ex, in, &area, &taken, err);
	*pos += taken;
	return rc < 0 ? rc : walk_archives(ex, area, err);
}

/* Zeros, an archive, and so on. The kernel stops at the first problem, and so do we. */
static int examine_segments(struct examination *ex, uint64_t *segment, struct pvk_error *err)
{
	bool is_behind_plain = false;
	uint64_t pos = 0;
	int rc = 0;

	while (rc == 0) {
		bool is_plain;

		pos = cpio_skip_padding(ex->file, pos);
		if (pos == ex->file.size)
			return ex->initrd.segments > 0
				       ? 0
				       : pvk_fail(err, PVK_E_FORMAT, "there is nothing in it");
		*segment = pos;
		is_plain = ex->file.data[pos] == '0';
		/* init/initramfs.c:do_reset(), and unpack_to_rootfs() for the second case. */
		if (pos % CPIO_ALIGN != 0 && (is_plain || is_behind_plain)) {
			ex->initrd.is_junk_behind = ex->initrd.entries > 0;
			return fail_padding(err);
		}
		rc = is_plain ? examine_plain(ex, &pos, err) : examine_compressed(ex, &pos, err);
		is_behind_plain = is_plain;
	}
	return rc;
}

int initrd_examine(struct bytes file, const char *kernel_version, const char *init,
		   struct decode_sink *scratch, struct initrd *ret, struct pvk_error *err)
{
	struct examination ex = {
		.file = file,
		.content.version = kernel_version && kernel_version[0] ? kernel_version : NULL,
		.content.init = init ? init + strspn(init, "/") : "init",
		.scratch = scratch,
		.capacity = scratch->capacity,
	};
	struct pvk_error problem = {0};
	uint64_t segment = 0;
	int rc;

	rc = examine_segments(&ex, &segment, &problem);
	if (rc == -ENOMEM) {
		if (err)
			*err = problem;
		return rc;
	}
	if (rc < 0)
		note_problem(&ex.initrd, &problem, segment);
	ex.initrd.is_complete = rc == 0;
	if (ex.initrd.is_complete)
		initrd_judge_init(&ex.content, &ex.initrd);
	if (ex.content.version && ex.initrd.has_modules)
		ex.initrd.modules_version[0] = '\0';
	*ret = ex.initrd;
	return 0;
}
