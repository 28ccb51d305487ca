/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena.c - see arena.h */
#include "arena.h"

#include <errno.h>

#define BLOCK_SIZE ((size_t)32 << 10)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	max_align_t data[];
};

void arena_leave(struct arena *arena, int error)
{
	arena->error = error;
	longjmp(*arena->full, 1);
}

bool arena_run(struct arena *arena, void (*run)(void *context), void *context)
{
	jmp_buf *const outer = arena->full;
	jmp_buf full;
	/* Not kept in a register: it is asked after a longjmp. */
	volatile bool is_done = false;

	arena->full = &full;
	if (setjmp(full) == 0) {
		run(context);
		is_done = true;
	}
	arena->full = outer;
	return is_done;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
	struct arena_block *block;

	if (size < BLOCK_SIZE)
		size = BLOCK_SIZE;
	if (size > ARENA_BYTES_MAX - arena->total)
		arena_leave(arena, PVK_E_LIMIT);
	block = malloc(sizeof(*block) + size);
	if (!block)
		arena_leave(arena, ENOMEM);
	block->next = arena->blocks;
	block->used = 0;
	block->size = size;
	arena->blocks = block;
	arena->total += size;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *memory;

	if (size > ARENA_BYTES_MAX)
		arena_leave(arena, PVK_E_LIMIT);
	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!block || size > block->size - block->used)
		block = add_block(arena, size);
	memory = (char *)block->data + block->used;
	block->used += size;
	return memset(memory, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char start[256];
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(start, sizeof(start), fmt, args);
	va_end(args);
	if (len < 0)
		arena_leave(arena, EINVAL);
	text = arena_alloc(arena, (size_t)len + 1);
	va_start(args, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	return text;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->total = 0;
}

void arena_text_add(struct arena *arena, struct arena_text *text, const char *bytes, size_t len)
{
	if (!text->s || len >= text->room - text->len) {
		size_t room = (text->len + len + 1) * 2;
		char *grown = arena_alloc(arena, room < 32 ? 32 : room);

		if (text->s)
			memcpy(grown, text->s, text->len);
		text->s = grown;
		text->room = room < 32 ? 32 : room;
	}
	if (len > 0)
		memcpy(text->s + text->len, bytes, len);
	text->len += len;
	text->s[text->len] = '\0';
}
