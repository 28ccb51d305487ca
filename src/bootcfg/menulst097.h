/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menulst097.h - the lines of a menu.lst, as GRUB 0.97 (stage2/stage2.c, char_io.c) reads them;
 * for menulst097.c. */
#ifndef PVK_MENULST097_H
#define PVK_MENULST097_H

#include <stdbool.h>

#include "../base/bytes.h"
#include "arena.h"

struct menulst097_line {
	const char *name, *rest;
	unsigned number;
	struct menulst097_line *next;
};

struct menulst097_entry {
	const char *title;
	struct menulst097_line *lines;
	struct menulst097_entry *next;
};

struct menulst097_menu {
	struct menulst097_line *preset; /* commands before the first title */
	struct menulst097_entry *entries;
	const char *fallback;
	long default_entry, timeout;
	unsigned count;
	bool is_saved;
};

/* skip_to(): behind the word and what separates it; '=' separates behind a command. */
const char *menulst097_skip_word(const char *s, bool is_command);

long menulst097_read_number(const char *s, long otherwise);

/* False: more entries than GRUB_ENTRIES_MAX. */
bool menulst097_read(struct arena *arena, struct bytes file, struct menulst097_menu *menu);

#endif
