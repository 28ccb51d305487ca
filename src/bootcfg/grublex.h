/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grublex.h - the lexer of GRUB's script language (grub-core/script/yylex.l, lexer.c).
 *
 * GRUB feeds its lexer line by line; an unclosed quote or a backslash at the end of a line makes
 * it take the next one. Over the whole text that comes to the same, with two exceptions that are
 * kept: lines of a *file* that begin with '#' vanish even in the middle of a quoted word, and a
 * backslash at the very end is an error.
 */
#ifndef PVK_GRUBLEX_H
#define PVK_GRUBLEX_H

#include <stdbool.h>

#include "../base/bytes.h"
#include "arena.h"
#include "grubast.h"

enum grub_token {
	GRUB_TOKEN_END,
	GRUB_TOKEN_BAD,	    /* nothing that the language knows */
	GRUB_TOKEN_NEWLINE, /* what follows up to SYMBOL are the tokens that are no words */
	GRUB_TOKEN_SEMICOLON,
	GRUB_TOKEN_OPEN,   /* { */
	GRUB_TOKEN_CLOSE,  /* } */
	GRUB_TOKEN_SYMBOL, /* || && ;; | & < > [[ ]]: known to the lexer, used by no rule */
	GRUB_TOKEN_NAME,
	GRUB_TOKEN_WORD,
	GRUB_TOKEN_DO, /* from here: reserved words, which may also be arguments */
	GRUB_TOKEN_DONE,
	GRUB_TOKEN_ELIF,
	GRUB_TOKEN_ELSE,
	GRUB_TOKEN_FI,
	GRUB_TOKEN_FOR,
	GRUB_TOKEN_FUNCTION,
	GRUB_TOKEN_IF,
	GRUB_TOKEN_IN,
	GRUB_TOKEN_THEN,
	GRUB_TOKEN_UNTIL,
	GRUB_TOKEN_WHILE,
	GRUB_TOKEN_RESERVED, /* case esac select: reserved, but no rule uses them */
};

struct grub_lexer {
	struct arena *arena;
	const char *text; /* as grublex_clean_*() made it */
	size_t size;
	size_t pos;   /* behind the token */
	size_t start; /* of the token */
	enum grub_token token;
	const char *problem;	/* why the token is BAD */
	struct grub_word *word; /* of a NAME, WORD or reserved word */
	unsigned line;		/* in the file, where the token begins; from 1 */
	unsigned row;		/* the same in the text, from 0 */
	size_t counted;		/* `row` was counted up to here */
	const unsigned *lines;	/* number in the file of each row of the text; NULL: 1, 2, 3... */
};

/*
 * The lines of a file as GRUB's reader hands them out (grub-core/lib/getline.c, normal/main.c):
 * no carriage returns, a NUL ends its line, lines that begin with '#' are gone, every line ends
 * with a newline. *ret_lines: see struct grub_lexer.
 */
const char *grublex_clean_file(struct arena *arena, struct bytes file, const unsigned **ret_lines);

void grublex_init(struct grub_lexer *lexer, struct arena *arena, const char *text);

/* Reads the next token into the lexer. */
enum grub_token grublex_next(struct grub_lexer *lexer);

/* Leaves the rest of the line that the last token stands in, as GRUB does after an error. */
void grublex_skip_line(struct grub_lexer *lexer);

#endif
