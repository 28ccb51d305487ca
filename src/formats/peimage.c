/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peimage.c - see peimage.h */
#include "peimage.h"

#include "limits.h"

enum {
	OFF_PE_POINTER = 0x3c,	/* in the MS-DOS header */
	COFF_SECTION_COUNT = 6, /* from the "PE\0\0" signature */
	COFF_OPTIONAL_SIZE = 20,
	COFF_END = 24, /* where the optional header begins */
	SECTION_SIZE = 40,
	SECTION_VIRTUAL_SIZE = 8, /* without the padding to the file alignment */
	SECTION_RAW_SIZE = 16,
	SECTION_RAW_POINTER = 20,
};

/* Offset of the section table and the number of its rows; false if this is no PE file. */
static bool find_sections(struct bytes file, uint64_t *ret_table, unsigned *ret_count)
{
	uint32_t pe;
	uint16_t count, optional_size;

	if (!bytes_match(file, 0, "MZ", 2) || !bytes_le32(file, OFF_PE_POINTER, &pe) ||
	    !bytes_match(file, pe, "PE\0", 4) ||
	    !bytes_le16(file, (uint64_t)pe + COFF_SECTION_COUNT, &count) ||
	    !bytes_le16(file, (uint64_t)pe + COFF_OPTIONAL_SIZE, &optional_size))
		return false;
	*ret_table = (uint64_t)pe + COFF_END + optional_size;
	*ret_count = count < PVK_MAX_PE_SECTIONS ? count : PVK_MAX_PE_SECTIONS;
	return true;
}

bool peimage_find_linux(struct bytes file, struct bytes *ret_linux)
{
	uint64_t table;
	unsigned count;

	if (!find_sections(file, &table, &count))
		return false;
	for (unsigned i = 0; i < count; i++) {
		const uint64_t row = table + (uint64_t)i * SECTION_SIZE;
		uint32_t virtual_size, raw_size, pointer;

		if (!bytes_match(file, row, ".linux\0", 8))
			continue;
		return bytes_le32(file, row + SECTION_VIRTUAL_SIZE, &virtual_size) &&
		       bytes_le32(file, row + SECTION_RAW_SIZE, &raw_size) &&
		       bytes_le32(file, row + SECTION_RAW_POINTER, &pointer) &&
		       bytes_sub(file, pointer, virtual_size < raw_size ? virtual_size : raw_size,
				 ret_linux);
	}
	return false;
}

bool peimage_is_zboot(struct bytes file, char name[32])
{
	/* zboot-header.S: "MZ", "zimg" at 4, offset and size, compression name at 24. */
	if (!bytes_match(file, 0, "MZ", 2) || !bytes_match(file, 4, "zimg", 4))
		return false;
	(void)bytes_string(file, 24, name, 32);
	return true;
}
