/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grublex.c - see grublex.h */
#include "grublex.h"

static const char end_of_file[] = "unexpected end of file";

static const struct {
	const char *text;
	enum grub_token token;
} reserved_words[] = {
	{"case", GRUB_TOKEN_RESERVED},
	{"do", GRUB_TOKEN_DO},
	{"done", GRUB_TOKEN_DONE},
	{"elif", GRUB_TOKEN_ELIF},
	{"else", GRUB_TOKEN_ELSE},
	{"esac", GRUB_TOKEN_RESERVED},
	{"fi", GRUB_TOKEN_FI},
	{"for", GRUB_TOKEN_FOR},
	{"function", GRUB_TOKEN_FUNCTION},
	{"if", GRUB_TOKEN_IF},
	{"in", GRUB_TOKEN_IN},
	{"select", GRUB_TOKEN_RESERVED},
	{"then", GRUB_TOKEN_THEN},
	{"until", GRUB_TOKEN_UNTIL},
	{"while", GRUB_TOKEN_WHILE},
	{"[[", GRUB_TOKEN_SYMBOL},
	{"]]", GRUB_TOKEN_SYMBOL},
};

/* ASCII only: the C library's would follow the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_char(char c)
{
	return is_name_start(c) || is_digit(c);
}

static bool is_word_char(char c)
{
	return c != '\0' && !strchr("{}|&$;<> \t\n'\"\\", c);
}

const char *grublex_clean_file(struct arena *arena, struct bytes file, const unsigned **ret_lines)
{
	/* A line may lack its newline, which is added. */
	char *out = arena_alloc(arena, file.size + 2);
	size_t in = 0, used = 0, count = 0, room = 2;
	unsigned *lines, number = 0;

	for (size_t i = 0; i < file.size; i++)
		room += file.data[i] == '\n';
	lines = arena_alloc(arena, room * sizeof(*lines));
	while (in < file.size) {
		size_t start = used;
		bool is_cut = false;

		for (number++; in < file.size && file.data[in] != '\n'; in++) {
			is_cut |= file.data[in] == '\0';
			if (!is_cut && file.data[in] != '\r')
				out[used++] = (char)file.data[in];
		}
		in++;
		if (used > start && out[start] == '#') {
			used = start;
			continue;
		}
		out[used++] = '\n';
		lines[count++] = number;
	}
	out[used] = '\0';
	*ret_lines = lines;
	return out;
}

void grublex_init(struct grub_lexer *lexer, struct arena *arena, const char *text)
{
	*lexer = (struct grub_lexer){.arena = arena, .text = text, .size = strlen(text)};
}

/* Positions only grow, so each byte is looked at once. */
static void count_lines(struct grub_lexer *lexer)
{
	for (; lexer->counted < lexer->start; lexer->counted++)
		lexer->row += lexer->text[lexer->counted] == '\n';
	lexer->line = lexer->lines ? lexer->lines[lexer->row] : lexer->row + 1;
}

/* Length of the variable reference behind a '$', 0 if there is none. Its name: *ret_name. */
static size_t match_variable(const char *s, const char **ret_name, size_t *ret_len)
{
	size_t brace = s[0] == '{', n = brace;

	if (is_name_start(s[n])) {
		while (is_name_char(s[n]))
			n++;
	} else if (is_digit(s[n])) {
		while (is_digit(s[n]))
			n++;
	} else if (s[n] != '\0' && strchr("?#*@", s[n])) {
		n++;
	}
	if (n == brace || (brace && s[n] != '}'))
		return 0;
	*ret_name = s + brace;
	*ret_len = n - brace;
	return n + brace;
}

/* Length of a quoted string from its opening quote to the closing one; 0 if it is not closed. */
static size_t match_quoted(const char *s, char quote)
{
	size_t n = 1;

	for (; s[n] != quote; n++) {
		if (quote == '"' && s[n] == '\\')
			n++;
		if (s[n] == '\0')
			return 0;
	}
	return n + 1;
}

/* Length of the piece of a word at s; 0: the word ends here, SIZE_MAX: never closed. */
static size_t match_piece(const char *s)
{
	const char *name;
	size_t len;

	if (is_word_char(s[0]))
		return 1;
	switch (s[0]) {
	case '\\':
		/* A backslash and a newline at the very end call for a line that is not there. */
		return s[1] == '\0' || (s[1] == '\n' && s[2] == '\0') ? SIZE_MAX : 2;
	case '\'':
	case '"':
		len = match_quoted(s, s[0]);
		return len > 0 ? len : SIZE_MAX;
	case '$':
		if (s[1] == '"') {
			len = match_quoted(s + 1, '"');
			return len > 0 ? len + 1 : SIZE_MAX;
		}
		len = match_variable(s + 1, &name, &len);
		return len > 0 ? len + 1 : 0;
	default:
		return 0;
	}
}

static void add_part(struct grub_lexer *lexer, struct grub_part ***tail, enum grub_part_kind kind,
		     const char *text, size_t len)
{
	struct grub_part *part = ARENA_NEW(lexer->arena, struct grub_part);

	part->kind = kind;
	part->text = arena_strndup(lexer->arena, text, len);
	**tail = part;
	*tail = &part->next;
}

/*
 * The inside of "...": \$ \\ \" lose the backslash, a backslash-newline vanishes, any other
 * backslash stays. False: a '$' with no variable behind it, which GRUB takes for an error.
 */
static bool split_double(struct grub_lexer *lexer, struct grub_part ***tail, const char *s,
			 const char *end)
{
	struct arena_text text = {0};

	arena_text_add(lexer->arena, &text, "", 0);
	while (s < end) {
		const char *name;
		size_t len, name_len;

		if (*s == '\\' && strchr("$\\\"\n", s[1])) {
			if (s[1] != '\n')
				arena_text_add(lexer->arena, &text, s + 1, 1);
			s += 2;
			continue;
		}
		if (*s != '$') {
			arena_text_add(lexer->arena, &text, s++, 1);
			continue;
		}
		len = match_variable(s + 1, &name, &name_len);
		if (len == 0)
			return false;
		add_part(lexer, tail, GRUB_PART_QUOTED, text.s, text.len);
		add_part(lexer, tail, GRUB_PART_DQVAR, name, name_len);
		text = (struct arena_text){0};
		arena_text_add(lexer->arena, &text, "", 0);
		s += len + 1;
	}
	add_part(lexer, tail, GRUB_PART_QUOTED, text.s, text.len);
	return true;
}

/* The inside of $"...": only \" and backslash-newline mean something at this stage. */
static void split_gettext(struct grub_lexer *lexer, struct grub_part ***tail, const char *s,
			  const char *end)
{
	struct arena_text text = {0};

	arena_text_add(lexer->arena, &text, "", 0);
	while (s < end) {
		size_t keep = 1;

		if (*s == '\\' && s[1] == '\\')
			keep = 2;
		else if (*s == '\\' && s[1] == '"')
			s++;
		else if (*s == '\\' && s[1] == '\n') {
			s += 2;
			continue;
		}
		arena_text_add(lexer->arena, &text, s, keep);
		s += keep;
	}
	add_part(lexer, tail, GRUB_PART_GETTEXT, text.s, text.len);
}

/* Splits the word [s, end) into its parts. False: see split_double(). */
static bool split_word(struct grub_lexer *lexer, const char *s, const char *end)
{
	struct grub_part **tail = &lexer->word->parts;
	struct arena_text text = {0};

	while (s < end) {
		size_t len = match_piece(s), name_len;
		const char *name;

		if (is_word_char(*s) || *s == '\\') {
			if (*s != '\\' || s[1] != '\n')
				arena_text_add(lexer->arena, &text, s, len);
			s += len;
			continue;
		}
		if (text.len > 0)
			add_part(lexer, &tail, GRUB_PART_TEXT, text.s, text.len);
		text = (struct arena_text){0};
		if (*s == '\'')
			add_part(lexer, &tail, GRUB_PART_QUOTED, s + 1, len - 2);
		else if (*s == '"' && !split_double(lexer, &tail, s + 1, s + len - 1))
			return false;
		else if (*s == '$' && s[1] == '"')
			split_gettext(lexer, &tail, s + 2, s + len - 1);
		else if (*s == '$' && match_variable(s + 1, &name, &name_len) > 0)
			add_part(lexer, &tail, GRUB_PART_VAR, name, name_len);
		s += len;
	}
	if (text.len > 0)
		add_part(lexer, &tail, GRUB_PART_TEXT, text.s, text.len);
	return true;
}

static enum grub_token classify_word(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(reserved_words) / sizeof(reserved_words[0]); i++)
		if (strlen(reserved_words[i].text) == len &&
		    memcmp(reserved_words[i].text, s, len) == 0)
			return reserved_words[i].token;
	if (!is_name_start(s[0]))
		return GRUB_TOKEN_WORD;
	while (n < len && is_name_char(s[n]))
		n++;
	return n == len ? GRUB_TOKEN_NAME : GRUB_TOKEN_WORD;
}

static enum grub_token read_word(struct grub_lexer *lexer)
{
	const char *s = lexer->text + lexer->start, *end = s;
	size_t len;

	while ((len = match_piece(end)) > 0) {
		if (len == SIZE_MAX) {
			lexer->pos = lexer->size;
			lexer->problem = end_of_file;
			return GRUB_TOKEN_BAD;
		}
		end += len;
	}
	if (end == s) {
		lexer->pos++;
		lexer->problem = "syntax error";
		return GRUB_TOKEN_BAD;
	}
	lexer->pos = (size_t)(end - lexer->text);
	lexer->word = ARENA_NEW(lexer->arena, struct grub_word);
	if (!split_word(lexer, s, end)) {
		lexer->problem = "syntax error";
		return GRUB_TOKEN_BAD;
	}
	return classify_word(s, (size_t)(end - s));
}

static enum grub_token read_symbol(struct grub_lexer *lexer)
{
	const char *s = lexer->text + lexer->pos++;

	if (s[0] == s[1] && strchr("|&;", s[0])) {
		lexer->pos++;
		return GRUB_TOKEN_SYMBOL;
	}
	switch (s[0]) {
	case '\n':
		return GRUB_TOKEN_NEWLINE;
	case ';':
		return GRUB_TOKEN_SEMICOLON;
	case '{':
		return GRUB_TOKEN_OPEN;
	case '}':
		return GRUB_TOKEN_CLOSE;
	default:
		return GRUB_TOKEN_SYMBOL;
	}
}

enum grub_token grublex_next(struct grub_lexer *lexer)
{
	const char *s = lexer->text;

	lexer->word = NULL;
	while (s[lexer->pos] == ' ' || s[lexer->pos] == '\t')
		lexer->pos++;
	if (s[lexer->pos] == '#')
		lexer->pos += strcspn(s + lexer->pos, "\n");
	lexer->start = lexer->pos;
	count_lines(lexer);
	if (s[lexer->pos] == '\0')
		lexer->token = GRUB_TOKEN_END;
	else if (strchr("\n{}|&;<>", s[lexer->pos]))
		lexer->token = read_symbol(lexer);
	else
		lexer->token = read_word(lexer);
	return lexer->token;
}

void grublex_skip_line(struct grub_lexer *lexer)
{
	/* A word may end in a newline too, an escaped one: the line behind it belongs to it. */
	if (lexer->token == GRUB_TOKEN_NEWLINE)
		return;
	lexer->pos += strcspn(lexer->text + lexer->pos, "\n");
	if (lexer->pos < lexer->size)
		lexer->pos++;
}
