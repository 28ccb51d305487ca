/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubenv.c - see grubenv.h */
#include "grubenv.h"

static const char signature[] = "# GRUB Environment Block\n";

bool grubenv_open(struct grubenv_reader *ret, struct bytes file)
{
	size_t len = sizeof(signature) - 1;

	/* GRUB wants one byte behind the signature. */
	if (file.size <= len || !bytes_match(file, 0, signature, len))
		return false;
	*ret = (struct grubenv_reader){.block = file, .pos = len};
	return true;
}

/* The end of the line at pos: of its newline, or of the block. */
static size_t find_end(struct bytes block, size_t pos)
{
	while (pos < block.size && block.data[pos] != '\n')
		pos += block.data[pos] == '\\' ? 2 : 1;
	return pos;
}

bool grubenv_next(struct grubenv_reader *reader, struct grubenv_pair *ret)
{
	struct bytes block = reader->block;
	size_t pos = reader->pos, name, end;

	while (pos < block.size && block.data[pos] == '#')
		pos = find_end(block, pos) + 1;
	name = pos;
	while (pos < block.size && block.data[pos] != '=')
		pos++;
	end = find_end(block, pos < block.size ? pos + 1 : pos);
	if (pos >= block.size || end >= block.size) {
		reader->pos = block.size;
		return false;
	}
	reader->pos = end + 1;
	ret->name = bytes_make(block.data + name, pos - name);
	ret->value = bytes_make(block.data + pos + 1, end - pos - 1);
	return true;
}

void grubenv_unescape(struct bytes value, char *buf)
{
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '\\' && i + 1 < value.size)
			i++;
		*buf++ = (char)value.data[i];
	}
	*buf = '\0';
}
