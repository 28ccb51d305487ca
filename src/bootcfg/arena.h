/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - all memory of one evaluation, given back in one call.
 *
 * An evaluation owns nothing but its arena. So running out of memory, or over the limit, need not
 * be handed up through every call: arena_alloc() then leaves by longjmp() to arena_run(), or to
 * what the entry function of the module has set itself, and that one frees the arena. No function
 * that holds anything else (a compiled regex) may allocate from the arena meanwhile.
 */
#ifndef PVK_ARENA_H
#define PVK_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/errors.h"

/* One evaluation may use this much. Debian's grub.cfg with six kernels takes about 0.3 MiB; loops
 * that build text without end are stopped here. */
#define ARENA_BYTES_MAX ((size_t)64 << 20)

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t total;
	jmp_buf *full; /* where to go when there is no more */
	int error;     /* set before the jump: PVK_E_LIMIT or ENOMEM */
};

/* Zeroed memory, aligned for any object. Does not return without it. */
void *arena_alloc(struct arena *arena, size_t size);

/* A terminated copy of `len` bytes. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);

char *arena_strdup(struct arena *arena, const char *text);

/* The formatted text, of any length. */
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What a full arena does: for limits that are not about memory. */
_Noreturn void arena_leave(struct arena *arena, int error);

/*
 * Calls run(context), and is where a full arena leaves to: false, and arena->error says why. The
 * setjmp() is here so that no caller has variables that a jump could spoil.
 */
bool arena_run(struct arena *arena, void (*run)(void *context), void *context);

/* Gives all back; the arena may be used again. */
void arena_free(struct arena *arena);

/* A growing text in an arena. Zeroed is empty. */
struct arena_text {
	char *s; /* NULL while nothing was added; terminated else */
	size_t len, room;
};

void arena_text_add(struct arena *arena, struct arena_text *text, const char *bytes, size_t len);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

#endif
