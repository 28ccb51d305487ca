/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menulsttext.h - words of a line of menu.lst, for menulst.c and menulstrules.c. */
#ifndef PVK_MENULSTTEXT_H
#define PVK_MENULSTTEXT_H

#include <stdbool.h>

/* GRUB's grub_isspace(). */
static inline bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline const char *skip_space(const char *s)
{
	while (is_space(*s))
		s++;
	return s;
}

static inline const char *skip_word(const char *s)
{
	while (*s && !is_space(*s))
		s++;
	return s;
}

#endif
