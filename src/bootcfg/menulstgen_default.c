/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menulstgen_default.c - updatedefaultentry: the number of the entry that boots by itself. */
#include "menulstgen_internal.h"

/* The text of the next title; false: there is none. */
static bool next_title(struct bytes file, size_t *pos, struct bytes *ret)
{
	struct bytes line;

	while (menulstgen_next_line(file, pos, &line))
		if (menulstgen_is_command(line, "title", ret))
			return true;
	return false;
}

static bool is_same(struct bytes a, struct bytes b)
{
	return a.size == b.size && bytes_match(a, 0, b.data, b.size);
}

/* Of the title that is number `old_number` in the old file: titles may be there more than once.
 * Where it is no more, 0, as the scripts have it. */
static size_t find_number(struct bytes old, size_t old_number, struct bytes changed)
{
	struct bytes wanted, title;
	size_t pos = 0, before = 0, found = 0;

	for (size_t i = 0; i <= old_number; i++)
		if (!next_title(old, &pos, &wanted))
			return 0;
	pos = 0;
	for (size_t i = 0; i < old_number; i++)
		before += next_title(old, &pos, &title) && is_same(title, wanted);
	pos = 0;
	for (size_t number = 0; next_title(changed, &pos, &title); number++) {
		if (!is_same(title, wanted))
			continue;
		found = number;
		if (before == 0)
			break;
		before--;
	}
	return found;
}

/* The one line `default` above the block and above all titles; false: none, or several. */
static bool find_line(struct bytes above, struct bytes *ret_value)
{
	size_t pos = 0, found = 0;
	struct bytes line, rest;

	while (menulstgen_next_line(above, &pos, &line) &&
	       !menulstgen_is_command(line, "title", &rest))
		if (menulstgen_is_command(line, "default", &rest)) {
			*ret_value = rest;
			found++;
		}
	return found == 1;
}

/* A decimal number as GRUB reads one; 010 and 0x10 are others to it. */
static bool read_number(struct arena *arena, struct bytes text, size_t *ret)
{
	const char *s = arena_strndup(arena, (const char *)text.data, text.size);
	size_t digits = strspn(s, "0123456789");

	if (digits == 0 || digits > 9 || digits != text.size || (*s == '0' && digits > 1))
		return false;
	*ret = (size_t)strtoul(s, NULL, 10);
	return true;
}

const char *menulstgen_find_default(struct arena *arena, struct bytes old, size_t begin,
				    struct bytes changed, size_t *ret_at, size_t *ret_len,
				    const char **ret_note)
{
	size_t old_number, number;
	struct bytes value;

	if (!find_line(bytes_make(old.data, begin), &value)) {
		*ret_note = "updatedefaultentry: there is not exactly one line `default' above the "
			    "generated entries, nothing was changed";
		return NULL;
	}
	if (!read_number(arena, value, &old_number)) {
		*ret_note = "updatedefaultentry: the line `default' has no number, nothing was "
			    "changed";
		return NULL;
	}
	number = find_number(old, old_number, changed);
	if (number == old_number)
		return NULL;
	*ret_at = (size_t)(value.data - old.data);
	*ret_len = value.size;
	return arena_printf(arena, "%zu", number);
}
