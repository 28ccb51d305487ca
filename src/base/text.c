/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c - see text.h */
#include "text.h"

#include <stdio.h>
#include <string.h>

/* Writes the escaped form of one byte (at most 4 characters) and returns its length. A tick needs
 * escaping only between ticks. */
static size_t escape_byte(unsigned char byte, bool in_ticks, char out[5])
{
	int n;

	switch (byte) {
	case '\n':
		n = snprintf(out, 5, "\\n");
		break;
	case '\t':
		n = snprintf(out, 5, "\\t");
		break;
	case '\r':
		n = snprintf(out, 5, "\\r");
		break;
	case '\'':
		n = snprintf(out, 5, in_ticks ? "\\'" : "'");
		break;
	case '\\':
		n = snprintf(out, 5, "\\\\");
		break;
	default:
		n = byte >= 0x20 && byte < 0x7f ? snprintf(out, 5, "%c", byte)
						: snprintf(out, 5, "\\x%02x", byte);
	}
	return (size_t)n;
}

static struct text_quoted escape(const char *text, const char *tick)
{
	static const char ellipsis[] = "...";
	struct text_quoted q;
	size_t used = strlen(tick);
	/* Room that must stay free: the ellipsis, the closing tick, the NUL. */
	const size_t end = sizeof(q.s) - sizeof(ellipsis) - strlen(tick);

	memcpy(q.s, tick, used);
	for (; *text; text++) {
		char escaped[5];
		size_t len = escape_byte((unsigned char)*text, tick[0] != '\0', escaped);

		if (used + len > end) {
			memcpy(q.s + used, ellipsis, sizeof(ellipsis) - 1);
			used += sizeof(ellipsis) - 1;
			break;
		}
		memcpy(q.s + used, escaped, len);
		used += len;
	}
	memcpy(q.s + used, tick, strlen(tick) + 1);
	return q;
}

struct text_quoted text_quote(const char *text)
{
	return escape(text, "'");
}

struct text_quoted text_escape(const char *text)
{
	return escape(text, "");
}

struct text_number text_size(uint64_t bytes)
{
	struct text_number t;

	if (bytes < 10000)
		(void)snprintf(t.s, sizeof(t.s), "%u byte%s", (unsigned)bytes,
			       bytes == 1 ? "" : "s");
	else if (bytes < 1000000)
		(void)snprintf(t.s, sizeof(t.s), "%.1f kB", (double)bytes / 1e3);
	else if (bytes < 1000000000)
		(void)snprintf(t.s, sizeof(t.s), "%.1f MB", (double)bytes / 1e6);
	else
		(void)snprintf(t.s, sizeof(t.s), "%.1f GB", (double)bytes / 1e9);
	return t;
}

struct text_number text_seconds(double seconds)
{
	struct text_number t;

	(void)snprintf(t.s, sizeof(t.s), "%.2f s", seconds);
	return t;
}

bool text_is_one_of(const char *text, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == len && strncmp(text, *words, len) == 0)
			return true;
	return false;
}
