/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubwild.c - file name patterns (commands/wildcard.c): '*' and '?' in a word that begins with
 * '/', '(' or '*'. They work where the module regexp is loaded, as in a loader image with all
 * modules. Patterns in the device part ask for a list of devices, which nobody here has: unknown.
 */
#include <assert.h>

#include "grubeval.h"

struct names {
	const char **name;
	size_t count, room;
};

static void add_name(struct grub_eval *ev, struct names *names, const char *name)
{
	if (names->count == names->room) {
		size_t room = names->room > 0 ? names->room * 2 : 8;
		const char **grown = arena_alloc(&ev->arena, room * sizeof(*grown));

		if (names->count > 0)
			memcpy(grown, names->name, names->count * sizeof(*grown));
		names->name = grown;
		names->room = room;
	}
	names->name[names->count++] = name;
}

bool grubwild_has_pattern(const char *word)
{
	if (!strchr("/(*", word[0]) || word[0] == '\0')
		return false;
	for (; *word; word++) {
		if (*word == '\\' && word[1])
			word++;
		else if (*word == '*' || *word == '?')
			return true;
	}
	return false;
}

/* Does the name match the pattern, up to `end`? Steps back to the last '*' only: linear enough. */
static bool matches(const char *pattern, const char *end, const char *name)
{
	const char *star = NULL, *star_name = NULL;

	while (*name) {
		const char *p = pattern;

		if (p < end && *p == '*') {
			star = ++pattern;
			star_name = name;
			continue;
		}
		if (p < end && *p == '\\' && p + 1 < end)
			p++;
		if (p < end && (*p == *name || (p == pattern && *p == '?'))) {
			pattern = p + 1;
			name++;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		name = ++star_name;
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

/* The names in directory `dir` (a plain GRUB path that ends in '/') that match. */
static void match_directory(struct grub_eval *ev, const char *dir, const char *pattern,
			    const char *end, struct names *found, const char **ret_unknown)
{
	enum grub_answer answer = GRUB_UNKNOWN;
	const char *device, *path, *const *names = NULL;
	const size_t before = found->count;
	size_t count = 0;

	if (!grubfile_resolve(ev, (struct grub_value){.text = dir}, &device, &path)) {
		ev->error = GRUB_OK;
		return;
	}
	if (ev->host->list)
		answer = ev->host->list(ev->host->context, device, path, &names, &count);
	for (size_t i = 0; answer != GRUB_NO && names && i < count; i++)
		if (strcmp(names[i], ".") != 0 && strcmp(names[i], "..") != 0 &&
		    matches(pattern, end, names[i]))
			add_name(ev, found, arena_printf(&ev->arena, "%s%s", dir, names[i]));
	if (answer == GRUB_UNKNOWN && (!names || found->count - before > 1))
		*ret_unknown = arena_printf(&ev->arena, "the files in '%s' and their order", dir);
}

/* The next component [*ret_start, *ret_end) that has a pattern; what lies before is plain. */
static bool find_pattern(const char *s, const char **ret_start, const char **ret_end)
{
	bool is_pattern = false;
	const char *start = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '*' || *s == '?')
			is_pattern = true;
		else if (*s == '/' && is_pattern)
			break;
		else if (*s == '/')
			start = s + 1;
	}
	*ret_start = start;
	*ret_end = s;
	return is_pattern;
}

static const char *unprotect(struct grub_eval *ev, const char *s, const char *end)
{
	char *out = arena_alloc(&ev->arena, (size_t)(end - s) + 1), *to = out;

	for (; s < end; s++) {
		if (*s == '\\' && s + 1 < end)
			s++;
		*to++ = *s;
	}
	return out;
}

/* Plain text behind a pattern: the file must exist. */
static bool exists(struct grub_eval *ev, const char *name, const char **ret_unknown)
{
	const char *device, *path;
	enum grub_file_kind kind;
	uint64_t size;

	if (!grubfile_resolve(ev, (struct grub_value){.text = name}, &device, &path)) {
		ev->error = GRUB_OK;
		return false;
	}
	kind = grubfile_stat(ev, device, path, &size);
	if (kind == GRUB_FILE_UNKNOWN)
		*ret_unknown = arena_printf(&ev->arena, "whether '%s' exists", name);
	return kind == GRUB_FILE_REGULAR || kind == GRUB_FILE_DIRECTORY;
}

const char *const *grubwild_expand(struct grub_eval *ev, const char *word, size_t *ret_count,
				   const char **ret_unknown)
{
	struct names now = {0};
	const char *start, *end, *close = word[0] == '(' ? strchr(word, ')') : word;

	add_name(ev, &now, "");
	*ret_count = 0;
	while (find_pattern(word, &start, &end)) {
		const char *prefix = unprotect(ev, word, start);
		struct names found = {0};

		if (!close || start <= close) {
			/* The word itself begins with the pattern, or the device has it. */
			if (word[0] != '/') {
				*ret_unknown = "which devices match a pattern";
				return NULL;
			}
		}
		for (size_t i = 0; i < now.count && !*ret_unknown; i++)
			match_directory(ev, arena_printf(&ev->arena, "%s%s", now.name[i], prefix),
					start, end, &found, ret_unknown);
		now = found;
		assert(end); /* found by find_pattern() */
		word = end;
		close = word;
		if (*ret_unknown || now.count == 0)
			return NULL;
	}
	if (*word) {
		struct names found = {0};

		for (size_t i = 0; i < now.count && !*ret_unknown; i++) {
			const char *name = arena_printf(&ev->arena, "%s%s", now.name[i],
							unprotect(ev, word, word + strlen(word)));

			if (exists(ev, name, ret_unknown))
				add_name(ev, &found, name);
		}
		now = found;
	}
	*ret_count = *ret_unknown ? 0 : now.count;
	return now.name;
}
