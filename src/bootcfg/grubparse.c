/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubparse.c - see grubparse.h. Each function is one rule of the grammar. */
#include "grubparse.h"

/* A rule reads from the current token on and leaves the one behind it current; false: no match. */
static bool parse_commands(struct grub_parser *p, struct grub_command **ret);

static enum grub_token next(struct grub_parser *p)
{
	return grublex_next(&p->lexer);
}

static bool is(const struct grub_parser *p, enum grub_token token)
{
	return p->lexer.token == token;
}

static bool expect(struct grub_parser *p, enum grub_token token)
{
	if (!is(p, token))
		return false;
	(void)next(p);
	return true;
}

static bool is_word(const struct grub_parser *p)
{
	return p->lexer.token >= GRUB_TOKEN_NAME;
}

static void skip_newlines(struct grub_parser *p)
{
	while (is(p, GRUB_TOKEN_NEWLINE))
		(void)next(p);
}

/* One ';' or newline, then any number of newlines; "a ;; b" and "a <newline> ; b" are errors. */
static bool parse_delimiters(struct grub_parser *p)
{
	if (!is(p, GRUB_TOKEN_SEMICOLON) && !is(p, GRUB_TOKEN_NEWLINE))
		return false;
	(void)next(p);
	skip_newlines(p);
	return true;
}

static struct grub_command *new_command(struct grub_parser *p, enum grub_command_kind kind)
{
	struct grub_command *command = ARENA_NEW(p->lexer.arena, struct grub_command);

	command->kind = kind;
	command->line = p->lexer.line;
	return command;
}

/* Words up to the first token that is none; reserved words are words here. */
static void parse_arguments(struct grub_parser *p, struct grub_word **tail)
{
	for (; is_word(p); tail = &(*tail)->next) {
		*tail = p->lexer.word;
		(void)next(p);
	}
}

/* "{" commands "}": the text between the braces is what a menu entry keeps. */
static bool parse_block(struct grub_parser *p, struct grub_block **ret)
{
	size_t start = p->lexer.pos, end;
	struct grub_command *commands;
	struct grub_block *block;

	p->depth++;
	(void)next(p);
	if (!parse_commands(p, &commands))
		return false;
	(void)parse_delimiters(p);
	if (!is(p, GRUB_TOKEN_CLOSE))
		return false;
	end = p->lexer.start;
	p->depth--;
	(void)next(p);
	block = ARENA_NEW(p->lexer.arena, struct grub_block);
	block->source = arena_strndup(p->lexer.arena, p->lexer.text + start, end - start);
	*ret = block;
	return true;
}

static bool parse_simple(struct grub_parser *p, struct grub_command **ret)
{
	struct grub_command *command = new_command(p, GRUB_COMMAND_SIMPLE);

	command->words = p->lexer.word;
	(void)next(p);
	parse_arguments(p, &command->words->next);
	if (is(p, GRUB_TOKEN_OPEN) && !parse_block(p, &command->block))
		return false;
	*ret = command;
	return true;
}

/* commands delimiters `end` */
static bool parse_until(struct grub_parser *p, enum grub_token end, struct grub_command **ret)
{
	return parse_commands(p, ret) && parse_delimiters(p) && expect(p, end);
}

/* Behind "if" or "elif", up to before "fi". */
static bool parse_if_clause(struct grub_parser *p, struct grub_command **ret)
{
	struct grub_command *command = new_command(p, GRUB_COMMAND_IF);

	if (!parse_until(p, GRUB_TOKEN_THEN, &command->condition) ||
	    !parse_commands(p, &command->body) || !parse_delimiters(p))
		return false;
	if (is(p, GRUB_TOKEN_ELIF)) {
		(void)next(p);
		if (++p->depth > GRUBPARSE_DEPTH_MAX)
			arena_leave(p->lexer.arena, PVK_E_LIMIT);
		if (!parse_if_clause(p, &command->otherwise))
			return false;
		p->depth--;
	} else if (is(p, GRUB_TOKEN_ELSE)) {
		(void)next(p);
		if (!parse_commands(p, &command->otherwise) || !parse_delimiters(p))
			return false;
	}
	*ret = command;
	return true;
}

/* Leaves the closing word current: what stands behind it is read with the outer depth. */
static bool parse_if(struct grub_parser *p, struct grub_command **ret)
{
	(void)next(p);
	return parse_if_clause(p, ret) && is(p, GRUB_TOKEN_FI);
}

static bool parse_for(struct grub_parser *p, struct grub_command **ret)
{
	struct grub_command *command = new_command(p, GRUB_COMMAND_FOR);

	if (next(p) != GRUB_TOKEN_NAME)
		return false;
	command->name = p->lexer.word->parts->text;
	(void)next(p);
	if (!expect(p, GRUB_TOKEN_IN))
		return false;
	parse_arguments(p, &command->words);
	*ret = command;
	return parse_delimiters(p) && expect(p, GRUB_TOKEN_DO) &&
	       parse_commands(p, &command->body) && parse_delimiters(p) && is(p, GRUB_TOKEN_DONE);
}

static bool parse_loop(struct grub_parser *p, enum grub_command_kind kind,
		       struct grub_command **ret)
{
	struct grub_command *command = new_command(p, kind);

	(void)next(p);
	*ret = command;
	return parse_until(p, GRUB_TOKEN_DO, &command->condition) &&
	       parse_commands(p, &command->body) && parse_delimiters(p) && is(p, GRUB_TOKEN_DONE);
}

static bool parse_compound(struct grub_parser *p, struct grub_command **ret)
{
	switch (p->lexer.token) {
	case GRUB_TOKEN_IF:
		return parse_if(p, ret);
	case GRUB_TOKEN_FOR:
		return parse_for(p, ret);
	case GRUB_TOKEN_WHILE:
		return parse_loop(p, GRUB_COMMAND_WHILE, ret);
	case GRUB_TOKEN_UNTIL:
		return parse_loop(p, GRUB_COMMAND_UNTIL, ret);
	default:
		return false;
	}
}

static bool parse_command(struct grub_parser *p, struct grub_command **ret)
{
	if (is(p, GRUB_TOKEN_NAME) || is(p, GRUB_TOKEN_WORD))
		return parse_simple(p, ret);
	if (++p->depth > GRUBPARSE_DEPTH_MAX)
		arena_leave(p->lexer.arena, PVK_E_LIMIT);
	if (!parse_compound(p, ret))
		return false;
	p->depth--;
	(void)next(p);
	return true;
}

/* newlines command (delimiters command)*; a trailing delimiter is left for the caller. */
static bool parse_commands(struct grub_parser *p, struct grub_command **ret)
{
	struct grub_command **tail = ret;

	if (p->depth > GRUBPARSE_DEPTH_MAX)
		arena_leave(p->lexer.arena, PVK_E_LIMIT);
	*ret = NULL;
	skip_newlines(p);
	for (;;) {
		struct grub_lexer before;

		if (!parse_command(p, tail))
			return false;
		tail = &(*tail)->next;
		before = p->lexer;
		if (!parse_delimiters(p))
			return true;
		if (!is(p, GRUB_TOKEN_NAME) && !is(p, GRUB_TOKEN_WORD) && !is(p, GRUB_TOKEN_IF) &&
		    !is(p, GRUB_TOKEN_FOR) && !is(p, GRUB_TOKEN_WHILE) &&
		    !is(p, GRUB_TOKEN_UNTIL)) {
			if (!is(p, GRUB_TOKEN_BAD) && !is(p, GRUB_TOKEN_END))
				p->lexer = before;
			return !is(p, GRUB_TOKEN_BAD) && !is(p, GRUB_TOKEN_END);
		}
	}
}

static bool parse_function(struct grub_parser *p)
{
	struct grub_function *function = ARENA_NEW(p->lexer.arena, struct grub_function);

	if (next(p) != GRUB_TOKEN_NAME)
		return false;
	function->name = p->lexer.word->parts->text;
	p->depth++;
	(void)next(p);
	skip_newlines(p);
	if (!expect(p, GRUB_TOKEN_OPEN) || !parse_commands(p, &function->body) ||
	    !parse_delimiters(p) || !is(p, GRUB_TOKEN_CLOSE))
		return false;
	p->depth--;
	(void)next(p);
	function->next = p->functions;
	p->functions = function;
	return true;
}

void grubparse_init(struct grub_parser *parser, struct arena *arena, const char *text,
		    const unsigned *lines)
{
	*parser = (struct grub_parser){0};
	grublex_init(&parser->lexer, arena, text);
	parser->lexer.lines = lines;
}

/* The statements of one chunk, which ends at the first newline outside all blocks. */
static bool parse_chunk(struct grub_parser *p, struct grub_command **ret)
{
	struct grub_command **tail = ret;

	*ret = NULL;
	while (!is(p, GRUB_TOKEN_NEWLINE)) {
		if (is(p, GRUB_TOKEN_FUNCTION)) {
			if (!parse_function(p))
				return false;
		} else {
			if (!parse_command(p, tail))
				return false;
			tail = &(*tail)->next;
		}
		if (is(p, GRUB_TOKEN_SEMICOLON))
			(void)next(p);
		else if (!is(p, GRUB_TOKEN_NEWLINE))
			return false;
	}
	return true;
}

enum grub_chunk grubparse_next(struct grub_parser *parser, struct grub_command **ret_commands)
{
	parser->depth = 0;
	parser->functions = NULL;
	parser->problem = NULL;
	if (next(parser) == GRUB_TOKEN_END)
		return GRUB_CHUNK_END;
	if (parse_chunk(parser, ret_commands))
		return GRUB_CHUNK_READY;
	parser->problem = parser->lexer.problem ? parser->lexer.problem : "syntax error";
	parser->lexer.problem = NULL;
	if (is(parser, GRUB_TOKEN_END))
		parser->problem = "unexpected end of file";
	else
		grublex_skip_line(&parser->lexer);
	return GRUB_CHUNK_BROKEN;
}

struct check {
	struct arena arena;
	struct bytes file;
	struct grub_parser parser;
	enum grub_chunk last;
};

static void run_check(void *context)
{
	struct check *check = context;
	struct grub_command *commands;
	const unsigned *lines;
	const char *text = grublex_clean_file(&check->arena, check->file, &lines);

	grubparse_init(&check->parser, &check->arena, text, lines);
	do {
		check->last = grubparse_next(&check->parser, &commands);
	} while (check->last == GRUB_CHUNK_READY);
}

int grubparse_check(struct bytes file, struct pvk_error *err)
{
	struct check check = {.file = file};
	int ret = 0;

	if (!arena_run(&check.arena, run_check, &check))
		ret = pvk_fail(err, check.arena.error, "script too large or too deeply nested");
	else if (check.last != GRUB_CHUNK_END)
		ret = pvk_fail(err, PVK_E_FORMAT, "line %u: %s", check.parser.lexer.line,
			       check.parser.problem);
	arena_free(&check.arena);
	return ret;
}
