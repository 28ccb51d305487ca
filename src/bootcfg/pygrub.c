/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pygrub.c - see pygrub.h */
#include "pygrub.h"

#include <errno.h>

#include "arena.h"
#include "pygrub_internal.h"
#include "pytext.h"

struct parser {
	struct pygrub_parsed *out;
	struct arena *arena;
	struct pvk_error *err;
	struct pygrub_entry *open; /* entry whose lines are being read; NULL: none */
	size_t open_lines;
	unsigned line, level;
	bool is_grub2, in_function;
};

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Python would raise an exception here. */
static bool raise(struct parser *p, const char *what)
{
	(void)pvk_fail(p->err, PVK_E_FORMAT, "line %u: pygrub gives up: %s", p->line, what);
	return false;
}

/* A disk and a partition as GrubDiskPart takes them: numbers behind two letters. */
static bool check_device(struct parser *p, const char *text, size_t len)
{
	char *plain = arena_alloc(p->arena, len + 1), *comma;
	size_t used = 0;
	long number;

	for (size_t i = 0; i < len; i++)
		if (text[i] != '(' && text[i] != ')')
			plain[used++] = text[i];
	comma = strchr(plain, ',');
	if (comma) {
		*comma++ = '\0';
		if (strchr(comma, ','))
			return raise(p, "a device with two commas");
		if (starts_with(comma, "msdos"))
			comma += 5;
		if (starts_with(comma, "gpt"))
			comma += 3;
	}
	if (strlen(plain) < 2 || !pytext_int(plain + 2, &number) ||
	    (comma && !pytext_int(comma, &number)))
		return raise(p, "a device that is not named like (hd0,1)");
	return true;
}

/* "(device)/path" or "/path". */
static bool split_path(struct parser *p, const char *text, const char **ret, bool *ret_device)
{
	const char *close = strchr(text, ')');

	*ret_device = text[0] == '(';
	if (text[0] != '(') {
		*ret = text;
		return true;
	}
	if (!close)
		return raise(p, "an opening parenthesis without a closing one");
	*ret = close + 1;
	return check_device(p, text, (size_t)(close - text));
}

static bool set_kernel(struct parser *p, char *text)
{
	char *args = strchr(text, ' ') ? text : NULL;
	bool has_device;

	if (args) {
		while (*args && !pytext_is_space(*args))
			args++;
		*args++ = '\0';
		while (pytext_is_space(*args))
			args++;
	}
	if (!split_path(p, text, &p->open->kernel, &has_device))
		return false;
	p->open->has_device = has_device;
	p->open->args = args;
	return true;
}

/* "set NAME=VALUE", the value perhaps in quotes. False: Python's unpacking would fail. */
static bool split_set(struct parser *p, char *rest, char **ret_name, char **ret_value)
{
	char *equals = strchr(rest, '='), *blank = strpbrk(rest, " \t");
	char *value;
	size_t len;

	if (!equals || (blank && blank < equals)) {
		size_t words = 0;

		for (char *s = rest; *s;) {
			while (pytext_is_space(*s))
				s++;
			words += *s != '\0';
			while (*s && !pytext_is_space(*s))
				s++;
		}
		if (words != 2)
			return raise(p, "a `set' line without exactly one assignment");
		pytext_split_line(p->arena, rest, ret_name, ret_value);
	} else {
		if (strchr(equals + 1, '='))
			return raise(p, "a `set' line with two equal signs");
		*equals = '\0';
		*ret_name = rest;
		*ret_value = equals + 1;
	}
	value = *ret_value;
	len = strlen(value);
	if (value[0] == '"' || value[0] == '\'') {
		char *close = strrchr(value, value[0]);

		if (close > value && len > 1) {
			*close = '\0';
			*ret_value = value + 1;
		}
	}
	return true;
}

static bool set_default(struct parser *p, const char *text)
{
	long number = 0;

	/* What is no number (a title, "saved", "${saved_entry}") is entry 0, since Xen 4.13. */
	if (!pytext_int(text, &number))
		number = 0;
	if (number < 0)
		return raise(p, "a negative default");
	p->out->config.default_entry = number > INT32_MAX ? INT32_MAX : (int)number;
	return true;
}

/* A line inside an entry. */
static bool parse_entry_line(struct parser *p, char *line)
{
	char *word, *rest;
	bool ignored;

	pytext_split_line(p->arena, line, &word, &rest);
	if (p->is_grub2 && strcmp(word, "set") == 0) {
		if (!split_set(p, rest, &word, &rest))
			return false;
		rest = pytext_strip(rest);
		return strcmp(word, "root") != 0 || check_device(p, rest, strlen(rest));
	}
	rest = pytext_strip(rest);
	if (strcmp(word, "initrd") == 0 || (p->is_grub2 && strcmp(word, "initrd16") == 0))
		return split_path(p, rest, &p->open->initrd, &ignored);
	if (p->is_grub2)
		return (strcmp(word, "linux") != 0 && strcmp(word, "linux16") != 0) ||
		       set_kernel(p, rest);
	if (strcmp(word, "kernel") == 0)
		return set_kernel(p, rest);
	if (strcmp(word, "root") == 0 || strcmp(word, "rootnoverify") == 0)
		return check_device(p, rest, strlen(rest));
	return true;
}

/* A line outside all entries. */
static bool parse_top_line(struct parser *p, char *line)
{
	char *word, *rest;
	const char *path;
	bool ignored;

	pytext_split_line(p->arena, line, &word, &rest);
	if (p->is_grub2) {
		if (strcmp(word, "set") != 0)
			return true;
		if (!split_set(p, rest, &word, &rest))
			return false;
	}
	rest = pytext_strip(rest);
	if (strcmp(word, "default") == 0)
		return set_default(p, rest);
	if (p->is_grub2)
		return true;
	if (strcmp(word, "password") == 0)
		p->out->config.has_password = true;
	return strcmp(word, "splashimage") != 0 || split_path(p, rest, &path, &ignored);
}

struct pygrub_entry *pygrub_add_entry(struct pygrub_parsed *parsed)
{
	struct pygrub_config *config = &parsed->config;
	struct pygrub_entry *grown;

	if (config->n_entries == PYGRUB_ENTRIES_MAX)
		return NULL;
	/* Doubling at the powers of two. */
	if ((config->n_entries & (config->n_entries - 1)) == 0) {
		grown = arena_alloc(&parsed->arena, (config->n_entries * 2 + 1) * sizeof(*grown));
		if (config->n_entries > 0)
			memcpy(grown, config->entries, config->n_entries * sizeof(*grown));
		config->entries = grown;
	}
	config->entries[config->n_entries] = (struct pygrub_entry){0};
	return &config->entries[config->n_entries++];
}

static bool open_entry(struct parser *p, char *title)
{
	p->open = pygrub_add_entry(p->out);
	if (!p->open) {
		(void)pvk_fail(p->err, PVK_E_LIMIT, "more than %d menu entries",
			       PYGRUB_ENTRIES_MAX);
		return false;
	}
	p->open->title = pytext_strip(title);
	p->open->line = p->line;
	p->open_lines = 0;
	return true;
}

/* ^menuentry ["'](.*?)["'] (.*){ */
static char *match_menuentry(char *line)
{
	char *s = line + strlen("menuentry "), *title;

	if (!starts_with(line, "menuentry ") || (*s != '"' && *s != '\''))
		return NULL;
	for (title = ++s; (s = strpbrk(s, "\"'")); s++) {
		if (s[1] == ' ' && strchr(s + 2, '{')) {
			*s = '\0';
			return title;
		}
	}
	return NULL;
}

static bool parse_grub2_line(struct parser *p, char *line)
{
	char *title;

	if (p->in_function || starts_with(line, "function")) {
		/* The line that opens it is never the one that closes it. */
		p->in_function = starts_with(line, "function") || line[0] != '}';
		return true;
	}
	title = match_menuentry(line);
	if (title)
		return p->open ? raise(p, "a menuentry inside a menuentry") : open_entry(p, title);
	if (starts_with(line, "submenu")) {
		p->level++;
		return true;
	}
	if (line[0] == '}') {
		if (!p->open && p->level == 0)
			return raise(p, "a closing brace without a menuentry");
		if (p->open)
			p->open = NULL;
		else
			p->level--;
		return true;
	}
	return p->open ? parse_entry_line(p, line) : parse_top_line(p, line);
}

static bool parse_legacy_line(struct parser *p, char *line)
{
	if (starts_with(line, "title"))
		return open_entry(p, strlen(line) > 6 ? line + 6 : line + strlen(line));
	if (!p->open)
		return parse_top_line(p, line);
	p->open_lines++;
	return parse_entry_line(p, line);
}

static bool parse_lines(struct parser *p, struct bytes file)
{
	size_t pos = 0;

	for (; pos < file.size; pos++) {
		size_t end = pos;
		char *line;

		while (end < file.size && file.data[end] != '\n')
			end++;
		p->line++;
		line = pytext_strip(
			arena_strndup(p->arena, (const char *)file.data + pos, end - pos));
		pos = end;
		if (!*line || *line == '#')
			continue;
		if (!(p->is_grub2 ? parse_grub2_line(p, line) : parse_legacy_line(p, line)))
			return false;
	}
	if (p->is_grub2 && p->open)
		return raise(p, "the file ends inside a menuentry");
	/* A last title with nothing below it is no entry. */
	if (p->open && p->open_lines == 0)
		p->out->config.n_entries--;
	return true;
}

struct job {
	struct parser parser;
	struct bytes file;
	enum pygrub_kind kind;
	struct pvk_error err;
	bool is_parsed;
};

static void run(void *context)
{
	struct job *job = context;
	struct parser *p = &job->parser;

	job->is_parsed = job->kind == PYGRUB_EXTLINUX
				 ? pygrub_parse_extlinux(p->out, job->file, p->err)
				 : parse_lines(p, job->file);
}

static int parse(struct pygrub_parsed *out, struct bytes file, enum pygrub_kind kind,
		 struct pvk_error *err)
{
	const size_t size = file.size < PYGRUB_CONFIG_MAX ? file.size : PYGRUB_CONFIG_MAX;
	struct job job = {
		.parser = {.out = out, .arena = &out->arena, .is_grub2 = kind == PYGRUB_GRUB_CFG},
		.file = bytes_make(file.data, size),
		.kind = kind,
	};

	job.parser.err = &job.err;
	if (!arena_run(&out->arena, run, &job))
		return pvk_fail(err, out->arena.error, "the configuration needs too much memory");
	if (job.is_parsed)
		return 0;
	if (err)
		*err = job.err;
	return -job.err.code;
}

int pygrub_parse(struct bytes file, enum pygrub_kind kind, struct pygrub_config **ret,
		 struct pvk_error *err)
{
	struct pygrub_parsed *out = calloc(1, sizeof(*out));
	int status;

	if (!out)
		return pvk_fail_errno(err, ENOMEM, "cannot parse the configuration");
	status = parse(out, file, kind, err);
	if (status < 0) {
		pygrub_free(&out->config);
		return status;
	}
	*ret = &out->config;
	return 0;
}

const struct pygrub_entry *pygrub_choose(const struct pygrub_config *config)
{
	if (config->n_entries == 0)
		return NULL;
	if ((size_t)config->default_entry >= config->n_entries)
		return &config->entries[0];
	return &config->entries[config->default_entry];
}

void pygrub_free(struct pygrub_config *config)
{
	struct pygrub_parsed *parsed = (struct pygrub_parsed *)config;

	if (parsed)
		arena_free(&parsed->arena);
	free(parsed);
}
