/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - text for people: bytes that we did not write are quoted and escaped before they reach a
 * terminal or a log; sizes and durations have one form everywhere.
 *
 * The functions return a small struct by value, to be used at once: text_quote(name).s
 */
#ifndef PVK_TEXT_H
#define PVK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "banned.h"

struct text_quoted {
	char s[288]; /* a NAME_MAX name fits; longer text ends in "..." */
};

struct text_number {
	char s[32];
};

/*
 * 'text' in single ticks; control bytes, backslash, tick and everything outside ASCII become \n,
 * \t, \\, \' or \xHH, so that no name can move the cursor or fake a line of a log.
 */
struct text_quoted text_quote(const char *text);

/* The same without the ticks, for columns. */
struct text_quoted text_escape(const char *text);

/* "53.2 MB" (powers of 1000, as disks and dpkg count), "812 bytes" below 10 kB. */
struct text_number text_size(uint64_t bytes);

/* Are the first `len` bytes of the text one of the words, whose list ends with NULL? */
bool text_is_one_of(const char *text, size_t len, const char *const *words);

/* "0.35 s". */
struct text_number text_seconds(double seconds);

#endif
