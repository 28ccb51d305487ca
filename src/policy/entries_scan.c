/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_scan.c - see entries_scan.h */
#include "entries_scan.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"

#define BLANKS " \t\r"

static struct bytes first_line(struct bytes text)
{
	const uint8_t *end = memchr(text.data, '\n', text.size);

	return bytes_make(text.data, end ? (size_t)(end - text.data) : text.size);
}

static bool is_blank(uint8_t c)
{
	return c != '\0' && strchr(BLANKS, c);
}

/*
 * Takes one word off the line, without quotes and backslashes. False: the line is at its end. A
 * word that does not fit is cut, and then names no file.
 */
static bool take_word(struct bytes *line, char *word, size_t size)
{
	size_t at = 0, used = 0;
	uint8_t quote = 0;

	while (at < line->size && is_blank(line->data[at]))
		at++;
	if (at == line->size)
		return false;
	for (; at < line->size; at++) {
		const uint8_t c = line->data[at];

		if (quote == 0 && is_blank(c))
			break;
		if (c == quote) {
			quote = 0;
		} else if (quote == 0 && (c == '\'' || c == '"')) {
			quote = c;
		} else if (c != '\\' && used + 1 < size) {
			word[used++] = (char)c;
		}
	}
	word[used] = '\0';
	*line = bytes_make(line->data + at, line->size - at);
	return true;
}

/* "(hd0,1)/vmlinuz" and "($root)/vmlinuz" without the device. */
static const char *without_device(const char *path)
{
	const char *end = path[0] == '(' ? strchr(path, ')') : NULL;

	return end ? end + 1 : path;
}

/* The first word that is no option: GRUB 0.97 has --type=… before the path. */
static bool take_path(struct bytes *line, char *path, size_t size)
{
	char word[512];

	while (take_word(line, word, sizeof(word))) {
		if (strncmp(word, "--", 2) == 0)
			continue;
		(void)snprintf(path, size, "%s", without_device(word));
		return true;
	}
	return false;
}

static void take_initrds(struct entries_scan *scan, struct bytes line)
{
	char path[512];

	while (take_path(&line, path, sizeof(path))) {
		const size_t used = strlen(scan->initrd);

		(void)snprintf(scan->initrd + used, sizeof(scan->initrd) - used, "%s%s",
			       used ? " " : "", path);
	}
}

bool entries_scan_next(struct entries_scan *scan)
{
	static const char *const kernels[] = {"linux", "linux16", "linuxefi", "kernel", NULL};
	static const char *const initrds[] = {"initrd", "initrd16", "initrdefi", NULL};
	static const char *const heads[] = {"menuentry", "submenu", "title", NULL};
	bool has_kernel = false;

	scan->kernel[0] = scan->initrd[0] = '\0';
	while (scan->rest.size > 0) {
		const struct bytes whole = first_line(scan->rest);
		struct bytes line = whole;
		const size_t taken = whole.size + (whole.size < scan->rest.size);
		char word[32];
		bool is_kernel;
		size_t len;

		if (!take_word(&line, word, sizeof(word)))
			word[0] = '\0';
		len = strlen(word);
		is_kernel = text_is_one_of(word, len, kernels);
		if (has_kernel && (is_kernel || text_is_one_of(word, len, heads)))
			return true;
		scan->rest = bytes_make(scan->rest.data + taken, scan->rest.size - taken);
		if (is_kernel)
			has_kernel = take_path(&line, scan->kernel, sizeof(scan->kernel));
		else if (has_kernel && text_is_one_of(word, len, initrds))
			take_initrds(scan, line);
	}
	return has_kernel;
}

bool entries_scan_is_opaque(const char *path)
{
	return strchr(path, '$') != NULL;
}
