/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any two texts (the first up to a NUL byte): their difference, applied as patch(1) does but
 * strictly, makes the second of the first. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/cleanup.h"
#include "../../src/base/udiff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct patch {
	struct bytes old; /* what is left of it */
	unsigned long line;
	char *out; /* room for all */
	size_t used;
	char last; /* the last line's mark */
};

/* The next line without its end. */
static struct bytes take_line(struct bytes *text)
{
	const uint8_t *end = memchr(text->data, '\n', text->size);
	const size_t len = end ? (size_t)(end - text->data) : text->size;
	const struct bytes line = bytes_make(text->data, len);
	const size_t taken = len + (end != NULL);

	assert(text->size > 0);
	*text = bytes_make(text->data + taken, text->size - taken);
	return line;
}

static void emit(struct patch *patch, struct bytes line)
{
	memcpy(patch->out + patch->used, line.data, line.size);
	patch->used += line.size;
	patch->out[patch->used++] = '\n';
}

static struct bytes take_old(struct patch *patch)
{
	patch->line++;
	return take_line(&patch->old);
}

/* "@@ -3,7 +3,8 @@": what stands before it in the old text is kept. */
static void begin_hunk(struct patch *patch, struct bytes line)
{
	unsigned long start, count = 1;
	char text[128];

	(void)snprintf(text, sizeof(text), "%.*s", (int)line.size, (const char *)line.data);
	assert(sscanf(text, "@@ -%lu,%lu ", &start, &count) >= 1);
	for (start += count == 0; patch->line < start;)
		emit(patch, take_old(patch));
	assert(patch->line == start || start == 0);
}

static void apply_line(struct patch *patch, struct bytes line)
{
	const struct bytes rest = bytes_make(line.data + 1, line.size - 1);
	const char mark = (char)line.data[0];

	if (mark == ' ' || mark == '-') {
		const struct bytes was = take_old(patch);

		assert(was.size == rest.size && memcmp(was.data, rest.data, rest.size) == 0);
	}
	if (mark == ' ' || mark == '+')
		emit(patch, rest);
	if (mark == '\\' && patch->last != '-')
		patch->used--;
	assert(mark == ' ' || mark == '-' || mark == '+' || mark == '\\');
	patch->last = mark;
}

static void apply(struct patch *patch, struct bytes diff)
{
	(void)take_line(&diff);
	(void)take_line(&diff);
	while (diff.size > 0) {
		const struct bytes line = take_line(&diff);

		assert(line.size > 0);
		if (line.data[0] == '@')
			begin_hunk(patch, line);
		else
			apply_line(patch, line);
	}
	if (patch->old.size > 0) {
		memcpy(patch->out + patch->used, patch->old.data, patch->old.size);
		patch->used += patch->old.size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	const size_t len = nul ? (size_t)(nul - data) : size;
	const struct bytes old = bytes_make(data, len);
	const struct bytes new = bytes_make(data + len + (nul != NULL), size - len - (nul != NULL));
	_cleanup_free_ char *diff = NULL, *out = NULL;
	struct patch patch = {.old = old, .line = 1};
	size_t diff_size;

	if (udiff_make(old, new, "a", "b", &diff, &diff_size, NULL) < 0)
		return 0;
	out = malloc(size + diff_size + 1);
	assert(out);
	patch.out = out;
	if (diff_size > 0)
		apply(&patch, bytes_make(diff, diff_size));
	else
		assert(old.size == new.size);
	if (diff_size > 0)
		assert(patch.used == new.size);
	assert(new.size == 0 ||
	       memcmp(diff_size > 0 ? (const uint8_t *)out : old.data, new.data, new.size) == 0);
	return 0;
}
