/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubast.h - a parsed GRUB script. Everything lies in the arena of the parse.
 *
 * Grammar: GRUB grub-core/script/parser.y and yylex.l (2.06; the same from 2.00 to 2.12).
 */
#ifndef PVK_GRUBAST_H
#define PVK_GRUBAST_H

#include <stddef.h>

enum grub_part_kind {
	GRUB_PART_TEXT,	   /* unquoted; still holds its backslashes, which expansion takes away */
	GRUB_PART_QUOTED,  /* 'x', or a plain stretch of "x": makes a word even when it is empty */
	GRUB_PART_VAR,	   /* $x outside quotes: its value is split at blanks */
	GRUB_PART_DQVAR,   /* $x inside "..." */
	GRUB_PART_GETTEXT, /* $"..." */
};

struct grub_part {
	enum grub_part_kind kind;
	const char *text; /* the text, or the variable's name */
	struct grub_part *next;
};

struct grub_word {
	struct grub_part *parts; /* NULL: an empty word, as "\<newline>" makes: it vanishes */
	struct grub_word *next;
};

struct grub_block {
	const char *source; /* what stands between the braces */
};

enum grub_command_kind {
	GRUB_COMMAND_SIMPLE, /* words, block */
	GRUB_COMMAND_IF,     /* condition, body, otherwise */
	GRUB_COMMAND_FOR,    /* name, words, body */
	GRUB_COMMAND_WHILE,  /* condition, body */
	GRUB_COMMAND_UNTIL,
};

struct grub_command {
	enum grub_command_kind kind;
	unsigned line; /* in the file, from 1 */
	const char *name;
	struct grub_word *words;
	struct grub_block *block; /* NULL: none */
	struct grub_command *condition, *body, *otherwise;
	struct grub_command *next;
};

struct grub_function {
	const char *name;
	struct grub_command *body;
	unsigned executing; /* how many calls are under way; GRUB refuses to redefine then */
	struct grub_function *next;
};

#endif
