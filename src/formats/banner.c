/* SPDX-License-Identifier: GPL-2.0-or-later */
/* banner.c - see banner.h */
#include "banner.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* The one that counts is the second; a file full of them must not cost more than a scan. */
#define MAX_BANNERS 64

/* Longest line looked at: host, compiler and time make it about 200 bytes. */
#define MAX_BANNER_LINE 512

static size_t line_length(struct bytes line)
{
	size_t length = 0;

	while (length < line.size && length < MAX_BANNER_LINE && line.data[length] != '\n' &&
	       line.data[length] != '\0')
		length++;
	return length;
}

static void copy_printable(struct bytes text, char *buf, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < text.size && used < size - 1; i++) {
		if (text.data[i] >= 0x20 && text.data[i] < 0x7f)
			buf[used++] = (char)text.data[i];
	}
	buf[used] = '\0';
}

/* "#1 SMP ...": the running kernel's banner. The other one, with "# SMP", is a template. */
static bool has_build_number(struct bytes banner)
{
	for (size_t i = 0; i + 1 < banner.size; i++) {
		if (banner.data[i] == '#' && isdigit(banner.data[i + 1]))
			return true;
	}
	return false;
}

void banner_find(struct bytes loaded, char *buf, size_t size)
{
	static const char mark[] = "Linux version ";
	struct bytes rest = loaded;

	buf[0] = '\0';
	for (unsigned i = 0; i < MAX_BANNERS; i++) {
		const uint8_t *hit = memmem(rest.data, rest.size, mark, sizeof(mark) - 1);
		struct bytes banner;
		bool is_final;

		if (!hit)
			return;
		hit += sizeof(mark) - 1;
		rest = bytes_make(hit, rest.size - (size_t)(hit - rest.data));
		banner = bytes_make(rest.data, line_length(rest));
		if (banner.size == 0 || !isdigit(banner.data[0]))
			continue;
		is_final = has_build_number(banner);
		if (is_final || buf[0] == '\0')
			copy_printable(banner, buf, size);
		if (is_final)
			return;
	}
}
