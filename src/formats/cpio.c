/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpio.c - see cpio.h */
#include "cpio.h"

#include <linux/limits.h>
#include <sys/stat.h>

#define MAGIC_SIZE  6
#define FIELD_SIZE  8
#define HEADER_SIZE (MAGIC_SIZE + 13 * FIELD_SIZE)

/* The fields looked at, by their place behind the magic. */
enum field {
	FIELD_MODE = 1,
	FIELD_LINKS = 4,
	FIELD_FILESIZE = 6,
	FIELD_NAMESIZE = 11,
	FIELD_CHECK = 12,
	FIELD_COUNT
};

static const char trailer[] = "TRAILER!!!";

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Stricter than strtoul(), which would take blanks, signs and "0x". */
static bool read_hex(const uint8_t *text, uint32_t *ret)
{
	uint32_t value = 0;

	for (size_t i = 0; i < FIELD_SIZE; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return true;
}

static int check_magic(struct bytes header, struct pvk_error *err)
{
	if (header.size >= MAGIC_SIZE && bytes_match(header, 0, "070707", MAGIC_SIZE))
		return pvk_fail(err, PVK_E_UNSUPPORTED,
				"cpio archive is of the old portable format, Linux needs newc");
	if (bytes_match(header, 0, "07070", header.size < 5 ? header.size : 5) &&
	    (header.size < MAGIC_SIZE || header.data[5] == '1' || header.data[5] == '2'))
		return 0;
	return pvk_fail(err, PVK_E_FORMAT, "cpio header expected, other bytes found");
}

static int read_header(struct bytes archive, uint64_t off, uint32_t fields[FIELD_COUNT],
		       struct pvk_error *err)
{
	struct bytes header = {0};
	uint64_t left = off < archive.size ? archive.size - off : 0;
	int rc;

	(void)bytes_sub(archive, off, left < HEADER_SIZE ? left : HEADER_SIZE, &header);
	rc = check_magic(header, err);
	if (rc < 0)
		return rc;
	if (header.size < HEADER_SIZE)
		return pvk_fail(err, PVK_E_TRUNCATED,
				"cpio archive ends in the middle of a header");
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!read_hex(header.data + MAGIC_SIZE + i * FIELD_SIZE, &fields[i]))
			return pvk_fail(err, PVK_E_CORRUPT,
					"cpio header holds something else than numbers");
	return 0;
}

static int read_name(struct bytes archive, uint64_t off, uint32_t size, struct bytes *ret,
		     struct pvk_error *err)
{
	struct bytes field;
	size_t length;

	if (size == 0 || size > PATH_MAX)
		return pvk_fail(err, PVK_E_CORRUPT, "cpio entry has a name of %lu bytes",
				(unsigned long)size);
	if (!bytes_sub(archive, off, size, &field))
		return pvk_fail(err, PVK_E_TRUNCATED, "cpio archive ends in the middle of a name");
	length = strnlen((const char *)field.data, size);
	if (length == size || length == 0)
		return pvk_fail(err, PVK_E_CORRUPT,
				length == 0 ? "cpio entry has an empty name"
					    : "cpio entry has a name without end");
	*ret = bytes_make(field.data, length);
	return 0;
}

/* init/initramfs.c sums what it copies, so regular files with content. */
static bool check_sum(const struct cpio_entry *entry, uint32_t stated)
{
	uint32_t sum = 0;

	if (!S_ISREG(entry->mode) || entry->body.size == 0)
		return true;
	for (size_t i = 0; i < entry->body.size; i++)
		sum += entry->body.data[i];
	return sum == stated;
}

static uint64_t align_up(uint64_t off)
{
	return (off + CPIO_ALIGN - 1) & ~(uint64_t)(CPIO_ALIGN - 1);
}

int cpio_read(struct bytes archive, uint64_t off, struct cpio_entry *ret, struct pvk_error *err)
{
	struct cpio_entry entry;
	uint32_t fields[FIELD_COUNT] = {0};
	uint64_t body;
	int rc;

	rc = read_header(archive, off, fields, err);
	if (rc == 0)
		rc = read_name(archive, off + HEADER_SIZE, fields[FIELD_NAMESIZE], &entry.name,
			       err);
	if (rc < 0)
		return rc;

	entry.mode = fields[FIELD_MODE];
	entry.links = fields[FIELD_LINKS];
	/* No overflow: off lies inside memory, and both sizes are below 4 GiB. */
	body = align_up(off + HEADER_SIZE + fields[FIELD_NAMESIZE]);
	if (!bytes_sub(archive, body, fields[FIELD_FILESIZE], &entry.body))
		return pvk_fail(err, PVK_E_TRUNCATED, "cpio archive ends in the middle of a file");
	if (archive.data[off + 5] == '2' && !check_sum(&entry, fields[FIELD_CHECK]))
		return pvk_fail(err, PVK_E_CORRUPT, "cpio entry has a wrong checksum");
	/* The padding of the last entry may be missing. */
	entry.end = align_up(body + fields[FIELD_FILESIZE]);
	if (entry.end > archive.size)
		entry.end = archive.size;
	*ret = entry;
	return 0;
}

bool cpio_is_trailer(const struct cpio_entry *entry)
{
	return entry->name.size == sizeof(trailer) - 1 &&
	       memcmp(entry->name.data, trailer, sizeof(trailer) - 1) == 0;
}

uint64_t cpio_skip_padding(struct bytes archive, uint64_t off)
{
	while (off < archive.size && archive.data[off] == 0)
		off++;
	return off;
}
