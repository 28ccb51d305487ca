/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubparse.h - the parser of GRUB's script language (grub-core/script/parser.y), chunk by chunk.
 *
 * GRUB parses and runs one complete statement at a time: a line, or as many lines as its blocks
 * and quotes span. A syntax error costs that chunk (none of it runs) and the rest of the line where
 * it was noticed; the script goes on behind it.
 */
#ifndef PVK_GRUBPARSE_H
#define PVK_GRUBPARSE_H

#include "grublex.h"

/* Blocks, ifs and loops inside one another; GRUB's own limit is its stack. */
#define GRUBPARSE_DEPTH_MAX 100

struct grub_parser {
	struct grub_lexer lexer;
	unsigned depth;
	struct grub_function *functions; /* defined by the chunk, the last one first */
	const char *problem;		 /* of a chunk that does not parse */
};

enum grub_chunk {
	GRUB_CHUNK_END,	   /* no more text */
	GRUB_CHUNK_READY,  /* *ret_commands: what to run, may be NULL */
	GRUB_CHUNK_BROKEN, /* parser->problem, parser->lexer.line */
};

/* `text` ends in a newline; see grublex_clean_file(). `lines` as in struct grub_lexer. */
void grubparse_init(struct grub_parser *parser, struct arena *arena, const char *text,
		    const unsigned *lines);

/*
 * Parses the next chunk. Functions are defined while parsing, before the chunk runs, and even when
 * it turns out broken behind them.
 */
enum grub_chunk grubparse_next(struct grub_parser *parser, struct grub_command **ret_commands);

/*
 * Is the file free of syntax errors? What grub-script-check answers. 0, or -PVK_E_FORMAT with the
 * line in the message, or another error when it cannot be told.
 */
int grubparse_check(struct bytes file, struct pvk_error *err);

#endif
